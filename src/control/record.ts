/**
 * IO. Admin events: every use of the control API, on disk before it takes effect. A spool that cannot be written
 * therefore refuses administration too (GW_RECORDING_LOST, 503).
 */
import { ulid } from '../base/id.ts'
import type { MomentKind, Recorder, SessionFacts } from '../record/event.ts'
import type { Caller } from './api/route.ts'
import type { PolicyMoment } from './policy-record.ts'

export class AdminRecord {
  readonly #recorder: Recorder
  readonly #instance: string

  constructor(recorder: Recorder, instance: string) {
    this.#recorder = recorder
    this.#instance = instance
  }

  /** Throws GW_RECORDING_LOST. */
  admin(caller: Caller, moment: { status: string; text: string }): void {
    const { identity } = caller
    this.#write('admin', moment, {
      ...NOBODY,
      subject: caller.name,
      kindOfIdentity: identity?.kind ?? 'operator',
      owner: identity?.owner ?? '',
      job: identity?.job.id ?? '',
      run: identity?.job.run ?? '',
      agent: identity?.job.agent ?? '',
      jobVerified: identity?.job.verified ?? false,
      groups: identity?.groups ?? [],
      roles: caller.api,
      clientIp: caller.address,
    })
  }

  /** Somebody whom nobody knows; throws like `admin`. */
  refused(address: string, status: string): void {
    const moment = { status, text: 'a credential was refused by the control API' }
    this.#write('login_refused', moment, { ...NOBODY, clientIp: address })
  }

  /** A version of the policy came into force; throws like `admin`. */
  policy(moments: readonly PolicyMoment[]): void {
    const facts = { ...NOBODY, subject: 'gateway', kindOfIdentity: 'gateway' }
    const session = { ...facts, sessionId: `ctl_${ulid()}`, instance: this.#instance }
    const recording = this.#recorder.open(session)
    for (const moment of moments) recording.moment(moment)
    this.#recorder.flush()
  }

  close(): void {
    this.#recorder.close()
  }

  #write(
    kind: MomentKind,
    moment: { status: string; text: string },
    facts: Omit<SessionFacts, 'sessionId' | 'instance'>,
  ): void {
    // Each call stands for itself: HTTP has no session.
    const session = { ...facts, sessionId: `ctl_${ulid()}`, instance: this.#instance }
    this.#recorder.open(session).moment({ kind, ...moment })
    this.#recorder.flush()
  }
}

const NOBODY = {
  protocol: 'control',
  connection: '',
  targetDatabase: '',
  subject: '',
  kindOfIdentity: '',
  owner: '',
  job: '',
  run: '',
  agent: '',
  parentAgent: '',
  jobVerified: false,
  clientIp: '',
  roles: [],
  groups: [],
} as const
