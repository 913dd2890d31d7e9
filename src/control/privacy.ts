/**
 * IO. Retention, legal holds and erasure, as the control thread sees them: one after the other, so that nothing is erased that was
 * held a moment before; recorded before it is done; and gone on with after a crash.
 *
 *   erase: settled and looked at ──▶ held? changed? ──▶ recorded, with the size of each chain ──▶ done, and said
 */
import { GatewayError } from '../base/errors.ts'
import { ulid } from '../base/id.ts'
import type { Logger } from '../base/log.ts'
import type { ErasureFound } from '../record/erasure.ts'
import type { Retention, Scope } from '../record/retention.ts'
import type { Store } from '../replay/store.ts'
import type { Caller } from './api/route.ts'
import { type ErasureRecord, Erasures } from './state/erasures.ts'
import { type Hold, Holds } from './state/holds.ts'
import type { State } from './state/state.ts'

export interface PrivacyWork {
  retention(): Retention
  /** Rejects with GW_UNAVAILABLE while the state is not open. */
  state(): Promise<State>
  /** Throws GW_UNAVAILABLE while the records cannot be reached. */
  store(): Store
  /** Throws GW_RECORDING_LOST; then nothing must be done. */
  record(caller: Caller, moment: { status: string; text: string }): void
  /** Microseconds. */
  now(): number
  readonly log: Logger
}

export type Erased =
  | { readonly type: 'none' }
  | { readonly type: 'held'; readonly events: number }
  | { readonly type: 'changed'; readonly sessions: readonly string[] }
  | {
      readonly type: 'erased'
      readonly id: string
      readonly found: ErasureFound
      /** Segments of the spool that were set aside, which may hold more of it. */
      readonly aside: number
      /** False: it is recorded, and is gone on with. */
      readonly isDone: boolean
    }

const FIRST_MS = 60_000
const EACH_MS = 3_600_000

/** Whoever has nobody's order: the gateway itself. */
const GATEWAY: Caller = {
  name: 'gateway',
  credentialId: '',
  identity: undefined,
  api: [],
  address: '',
}

export class Privacy {
  readonly #work: PrivacyWork
  #last: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isFailing = false

  constructor(work: PrivacyWork) {
    this.#work = work
  }

  /** Sweeps after a minute, and each hour. */
  start(): void {
    const again = (ms: number) => {
      this.#timer = setTimeout(() => void this.#tick().then(() => again(EACH_MS)), ms)
      this.#timer.unref()
    }
    again(FIRST_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  async holds(): Promise<readonly Hold[]> {
    return (await this.#holds()).list()
  }

  /** It holds when this resolves; what other gateways know of it comes when the record store answers. */
  hold(caller: Caller, scope: Scope, reason: string): Promise<Hold> {
    return this.#alone(async () => {
      const holds = await this.#holds()
      const addedAt = this.#work.now()
      const id = `hold_${ulid()}`
      const hold = { ...scope, id, reason, addedBy: caller.name, addedAt }
      const text = `hold ${id} on ${scope.kind} ${scope.name}: ${reason}`
      this.#work.record(caller, { status: 'hold-added', text })
      const made: Hold = { ...hold, removedBy: undefined, removedAt: undefined }
      await holds.insert(made)
      await this.#publish(holds).catch((error: unknown) => this.#say(error, 'hold not published'))
      return made
    })
  }

  /** False: there is no such hold. */
  release(caller: Caller, id: string, reason: string): Promise<boolean> {
    return this.#alone(async () => {
      const holds = await this.#holds()
      const hold = await holds.find(id)
      if (hold === undefined) return false
      const text = `hold ${id} on ${hold.kind} ${hold.name}: ${reason}`
      this.#work.record(caller, { status: 'hold-removed', text })
      await holds.remove(id, { by: caller.name, at: this.#work.now() })
      await this.#publish(holds).catch((error: unknown) => this.#say(error, 'hold not published'))
      return true
    })
  }

  async erasures(): Promise<readonly ErasureRecord[]> {
    return new Erasures(await this.#work.state()).list()
  }

  /** `force`: also where the record was changed, which cannot be seen afterwards. */
  erase(
    caller: Caller,
    scope: Scope,
    { reason, force }: { readonly reason: string; readonly force: boolean },
  ): Promise<Erased> {
    return this.#alone(async () => {
      const holds = await (await this.#holds()).list()
      const { found, aside } = await this.#work.store().erasure({ scope, holds })
      const refuse = (why: string) =>
        this.#work.record(caller, {
          status: 'erase-refused',
          text: `${scope.kind} ${scope.name}: ${why}`,
        })
      if (found.sessions === 0) {
        refuse('nothing is recorded of it')
        return { type: 'none' }
      }
      if (found.held > 0) {
        refuse('it is held')
        return { type: 'held', events: found.held }
      }
      if (found.changed.length > 0 && !force) {
        refuse('its record was changed')
        return { type: 'changed', sessions: found.changed }
      }
      const { chains, changed, sessions } = found
      const one = { ...scope, id: `era_${ulid()}`, reason, askedBy: caller.name, chains, sessions }
      // In this form the verifier reads it.
      const text = JSON.stringify({ scope, chains, reason, id: one.id, changed: changed.length })
      this.#work.record(caller, { status: 'erase', text })
      const record = { ...one, askedAt: this.#work.now(), doneAt: undefined }
      await new Erasures(await this.#work.state()).insert(record)
      const isDone = await this.#finish(record).catch((error: unknown) => {
        this.#say(error, `erasure ${record.id} is not done yet`)
        return false
      })
      return { type: 'erased', id: record.id, found, aside, isDone }
    })
  }

  /** Goes on with what was begun, and deletes what is past retention. Rejects with GatewayError. */
  sweep(): Promise<void> {
    return this.#alone(async () => {
      const holds = await this.#holds()
      await this.#publish(holds)
      for (const one of await new Erasures(await this.#work.state()).open()) await this.#finish(one)
      const store = this.#work.store()
      const request = {
        retention: this.#work.retention(),
        holds: (await holds.list()).map(({ kind, name }) => ({ kind, name })),
        now: this.#work.now(),
      }
      const rows = Object.entries((await store.sweep(request, true)).rows)
      if (rows.length > 0) {
        const each = rows.map(([name, count]) => `${name === '' ? 'control' : name} ${count}`)
        const text = `events past retention are deleted: ${each.join(', ')}`
        this.#work.record(GATEWAY, { status: 'retention', text })
      }
      await store.sweep(request, false)
    })
  }

  async #finish(one: ErasureRecord): Promise<boolean> {
    const holds = await (await this.#holds()).list()
    const { kind, name, chains } = one
    const sessions = await this.#work.store().erase({ scope: { kind, name }, holds }, chains)
    const text = `erasure ${one.id} of ${kind} ${name} is done: ${sessions} sessions`
    this.#work.record(GATEWAY, { status: 'erased', text })
    await new Erasures(await this.#work.state()).done(one.id, this.#work.now())
    return true
  }

  /** Rejects where the record store does not take them: then nothing must be swept, for others may not know of them. */
  async #publish(holds: Holds): Promise<void> {
    for (const hold of await holds.notStored()) {
      const { id, kind, name, reason, addedBy, addedAt, removedBy, removedAt } = hold
      const added = { id, kind, name, reason, at: addedAt, by: addedBy, isRemoved: false }
      const change =
        removedAt === undefined
          ? added
          : { ...added, at: removedAt, by: removedBy ?? '', isRemoved: true }
      await this.#work.store().hold(change)
      await holds.stored(id)
    }
  }

  async #holds(): Promise<Holds> {
    return new Holds(await this.#work.state())
  }

  async #tick(): Promise<void> {
    try {
      await this.sweep()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#say(error, 'what is past retention is not deleted')
      this.#isFailing = true
    }
  }

  #say(error: unknown, what: string): void {
    const { code, message } = GatewayError.from(error)
    this.#work.log.warn({ code }, `${what}: ${message}`)
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task, task)
    // How it ended is told to whoever asked for it.
    this.#last = next.catch(() => {})
    return next
  }
}
