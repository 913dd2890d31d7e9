/**
 * IO. What all sessions of one worker thread share: settings, policies, recorder, turn, the line to control; and what
 * concerns all of them at once: drain, time limits, cancel, a spool that cannot be written.
 */

import { createHmac } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { BroadcastChannel, MessageChannel, parentPort, threadId } from 'node:worker_threads'
import type { Handshake } from '../accept/handshake.ts'
import { type Origin, originOf } from '../accept/proxy.ts'
import { AddressRate } from '../accept/rate.ts'
import { AddressSeats } from '../accept/seats.ts'
import { clock, monotonicMs } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { ulid } from '../base/id.ts'
import { logger } from '../base/log.ts'
import type { Config } from '../config/shape.ts'
import type { Grant } from '../decide/grant.ts'
import type { PolicySet } from '../decide/policy.ts'
import type { Identity } from '../identify/identity.ts'
import { postgres } from '../protocols/postgres/index.ts'
import type {
  Claim,
  Door,
  LiveSession,
  Protocol,
  RelayParts,
  RelayWorker,
  Upstream,
} from '../protocols/protocol.ts'
import type { ActionShape, Recorder, Recording } from '../record/event.ts'
import { openRecorder } from '../record/recorder.ts'
import type { SealedRecorder } from '../record/sealed-recorder.ts'
import type { Sealer, SealKey } from '../record/sealer.ts'
import { Turn } from '../relay/turn.ts'
import { Cancellations } from './cancellations.ts'
import { ControlPort } from './control-port.ts'
import { Counts } from './counts.ts'
import { decideNow } from './decision.ts'
import { Endings } from './endings.ts'
import { liveSession } from './live-session.ts'
import { watchLoop } from './loop-lag.ts'
import type {
  Broadcast,
  ConnectionTask,
  SessionWorkerData,
  Settings,
  WorkerHello,
} from './messages.ts'
import { WorkerPlaces } from './places.ts'
import { sealedRecorder, sealKey } from './seals.ts'
import { factsOf, factsOfNobody } from './session-facts.ts'
import { contextsOf, policiesOf } from './settings.ts'
import { crashFacts } from './start-error.ts'
import { entryOf } from './topology.ts'

const CONTROL_MS_MAX = 10_000
/** A spool that cannot be written for this long ends the sessions that wait for it. */
const STALL_MS_MAX = 5_000
const SWEEP_MS = 1_000
/** Cancel requests of one address, per worker: no key of four bytes is guessed at this rate while its session lives. */
const CANCELS = { perSecond: 100, burst: 1000 }

/** A session that is being recorded. */
export interface Opened {
  readonly recording: Recording
  readonly live: LiveSession
  /** undefined: originals are not kept. */
  readonly seal: Sealer | undefined
  reason: string
}

export class SessionWorker {
  readonly control = new ControlPort(CONTROL_MS_MAX)
  readonly places = new WorkerPlaces(this.control)
  readonly #data: SessionWorkerData
  readonly #seats: AddressSeats
  readonly #log = logger(`session-${threadId}`)
  readonly #recorder: Recorder
  /** undefined: `recorder.seal` names nobody. */
  readonly #sealed: SealedRecorder | undefined
  readonly #turn: Turn
  readonly #counts = new Counts()
  readonly #protocols: ReadonlyMap<string, Protocol>
  readonly #channel = new BroadcastChannel('sluice')
  readonly #live = new Set<LiveSession>()
  /** Apart from the key of hashes in records, so that neither says anything of the other. */
  readonly #maskKey: Uint8Array
  readonly #cancels = new AddressRate(CANCELS)
  readonly #cancellations = new Cancellations({
    sessions: this.#live,
    tell: (message) => this.#tell(message),
  })
  readonly #endings = new Endings(this.#live, {
    tell: (message) => this.#tell(message),
    now: monotonicMs,
  })
  #settings: Settings
  #policies: PolicySet
  #tls: readonly (SecureContext | undefined)[]
  #drainingUntil: number | undefined
  #saidLost = false
  readonly #lent: RelayWorker

  /** To be awaited once per thread before its first session. */
  static async start(data: SessionWorkerData): Promise<SessionWorker> {
    return new SessionWorker(data, [await postgres(entryOf('parse'))])
  }

  private constructor(data: SessionWorkerData, protocols: readonly Protocol[]) {
    this.#data = data
    this.#seats = new AddressSeats(data.seats)
    this.#maskKey = createHmac('sha256', data.recordKey).update('mask').digest()
    this.#settings = data.settings
    this.#policies = policiesOf(data.settings)
    this.#tls = contextsOf(data.settings.config)
    this.#protocols = new Map(protocols.map((one) => [one.name, one]))
    const { recorder } = data.settings.config
    const onSyncFailed = () => this.#counts.signal('spool_sync_failed')
    this.#recorder = openRecorder({
      ...data,
      thread: threadId,
      bytesMax: recorder.spoolBytesMax,
      clock,
      strict: recorder.durability === 'strict',
      ratchet: recorder.ratchet,
      onSyncFailed,
    })
    this.#sealed = sealedRecorder(recorder, data, { recorder: this.#recorder, onSyncFailed })
    this.#turn = new Turn({
      recorder: this.#sealed ?? this.#recorder,
      gathers:
        recorder.durability === 'strict' ||
        data.encrypt !== undefined ||
        this.#sealed !== undefined,
      stallMsMax: STALL_MS_MAX,
      onRecorded: (us) => this.#counts.latency('record', us),
      onStall: (stalled) => this.#stall(stalled),
      onLost: (error) => this.#recordingLost(error),
    })
    this.#lent = this.#lend()
    this.#channel.onmessage = (event) => this.#told((event as { data: Broadcast }).data)
    this.#channel.unref()
    setInterval(() => this.#sweep(), SWEEP_MS).unref()
    watchLoop((us) => this.#counts.late(us))
    this.#helloMain()
  }

  get config(): Config {
    return this.#settings.config
  }

  protocolOf(listener: number): Protocol {
    const { protocol } = this.config.listeners[listener]!
    return this.#protocols.get(protocol)!
  }

  origin(client: Handshake, task: ConnectionTask): Promise<Origin> {
    const max = this.config.limits.connectionsPerAddress
    return originOf(client, task, { seats: this.#seats, max })
  }

  door(from: Origin): Door {
    const listener = this.config.listeners[from.listener]!
    return {
      peer: from.peer,
      tls: this.#tls[from.listener],
      plaintextFrom: listener.plaintextFrom,
      cancel: (pid, secret) => {
        if (!this.#cancels.take(from.address, monotonicMs())) return Promise.resolve()
        return this.#cancellations.ask({ protocol: listener.protocol, pid, secret })
      },
    }
  }

  /** Ends the handshake when it takes too long; call the answer when it is over. */
  limitHandshake(client: Handshake): () => void {
    const { handshakeMs } = this.config.limits
    const late = () => client.abort(new GatewayError('GW_HANDSHAKE_TIMEOUT', 'handshake'))
    const timer = setTimeout(late, handshakeMs)
    return () => clearTimeout(timer)
  }

  /** Rejects with GW_CREDENTIAL_WRONG, GW_CREDENTIAL_LOCKED or GW_UNAVAILABLE. */
  async identify(claim: Claim, address: string): Promise<Identity> {
    const { credential, connection, claimedJob } = claim
    const question = {
      type: 'identify' as const,
      credential,
      address,
      protocol: 'postgres',
      connection,
    }
    const { identity } = await this.control.ask(question, 'identity')
    if (identity.job.id !== '' || claimedJob.id === '') return identity
    return { ...identity, job: { ...claimedJob, parentAgent: '', verified: false } }
  }

  /** What masks replace is kept, encrypted. */
  get seals(): boolean {
    return this.#sealed !== undefined
  }

  /** Rejects with GW_UNAVAILABLE: then the session does not begin. */
  sealKey(): Promise<SealKey> {
    return sealKey(this.control)
  }

  /** `key`: where originals are kept. */
  record(grant: Grant, claim: Claim, address: string, key?: SealKey): Opened {
    if (this.#turn.isStalled)
      throw new GatewayError('GW_RECORDING_LOST', 'the spool is not writable')
    const sessionId = key?.session ?? ulid()
    const recording = this.#recorder.open(
      factsOf(grant, { sessionId, instance: this.#data.instance, address }),
    )
    recording.moment({
      kind: 'login',
      status: 'ok',
      text: JSON.stringify({ user: claim.claimedUser }),
    })
    const live = liveSession({ grant, sessionId, address })
    this.#live.add(live)
    this.#counts.opened(grant.connection.type)
    this.#turn.schedule()
    const seal = key && this.#sealed?.open(key, recording)
    return { recording, live, seal, reason: 'failed' }
  }

  /** The parts of this worker that a relay uses. */
  lend<Target extends Upstream>(
    opened: Opened,
    parts: Pick<RelayParts<Target>, 'client' | 'upstream' | 'claim' | 'grant'>,
  ): RelayParts<Target> {
    const { recording, live, seal } = opened
    // Told when the relay can be: it is made in this turn.
    if (this.#drainingUntil !== undefined) queueMicrotask(() => live.end(draining(), 'idle'))
    const ended = this.#endings.of(live.context)
    if (ended !== undefined) queueMicrotask(() => live.end(ended, 'now'))
    const { client, upstream, claim, grant } = parts
    const [turn, worker] = [this.#turn, this.#lent]
    // Written out: objects made by a spread have a shape each (src/README.md).
    return { client, upstream, claim, grant, recording, live, turn, worker, seal }
  }

  /** One for all sessions: calls that mean the same function everywhere are the ones a compiler inlines. */
  #lend(): RelayWorker {
    const config = () => this.config
    const policies = () => this.#policies
    return {
      get statementBytesMax() {
        return config().limits.statementBytesMax
      },
      get responseBytesMax() {
        return config().recorder.responseBytesMax
      },
      get policyVersion() {
        return policies().version
      },
      maskKey: this.#maskKey,
      count: this.#counts,
      now: monotonicMs,
      guard: (grant) => this.#policies.guard(grant),
      decide: decideNow,
      shape: (shape: ActionShape) => this.#recorder.shape(shape),
      catalogueChanged: (connection, database) => {
        this.#tell({ type: 'catalogue', connection, database })
      },
      warn: (say, fields) => this.#log.warn(fields, say),
    }
  }

  /** The session is over: its last event. */
  close(opened: Opened): void {
    this.#live.delete(opened.live)
    this.#counts.closed(opened.live.context.grant.connection.type)
    if (opened.seal !== undefined) this.#sealed?.finish(opened.seal)
    const { statements, rows, bytes, maskedValues } = opened.live.context
    const text = JSON.stringify({ statements, rows, bytes, masked_values: maskedValues })
    opened.recording.moment({ kind: 'close', status: opened.reason, text })
    this.#turn.schedule()
  }

  /** A client that did not get in, or whose session failed. */
  refused(
    error: GatewayError,
    claim: Claim | undefined,
    at: { readonly address: string; readonly protocol: string },
  ): void {
    const { code, message } = error
    const cause = error.cause === undefined ? undefined : crashFacts(error.cause)
    const level = error.spec.side === 'gateway' ? 'error' : 'info'
    this.#log[level]({ code, message, cause }, 'session refused')
    const recording = this.#recorder.open(
      factsOfNobody(at.protocol, claim?.connection ?? '', {
        sessionId: ulid(),
        instance: this.#data.instance,
        address: at.address,
      }),
    )
    recording.moment({ kind: 'login_refused', status: code, text: error.say })
    this.#turn.schedule()
  }

  #tell(message: Broadcast): void {
    this.#channel.postMessage(message)
  }

  #told(message: Broadcast): void {
    switch (message.type) {
      case 'cancel':
        this.#cancellations.asked(message)
        return
      case 'cancelled':
        this.#cancellations.done(message.id)
        return
      case 'drain':
        this.#drainingUntil = message.deadline
        for (const live of this.#live) live.end(draining(), 'idle')
        return
      case 'catalogue':
        for (const protocol of this.#protocols.values()) {
          protocol.catalogueChanged(message.connection, message.database)
        }
        return
      case 'end':
        this.#endings.end(message)
        return
      case 'settings':
        this.#resettle(message.settings)
        return
      case 'hello-again':
        this.#helloMain()
        return
      case 'metrics': {
        const metrics = this.#counts.metrics(this.#live)
        this.#tell({ type: 'metrics-answer', id: message.id, thread: threadId, metrics })
        return
      }
      default:
    }
  }

  #resettle(settings: Settings): void {
    this.#policies = policiesOf(settings)
    this.#settings = settings
    this.#tls = contextsOf(settings.config)
  }

  /** A fresh line to the control thread, by way of main. */
  #helloMain(): void {
    const { port1, port2 } = new MessageChannel()
    this.control.attach(port1)
    this.places.tell()
    const hello: WorkerHello = { type: 'worker-hello', thread: threadId, control: port2 }
    parentPort?.postMessage(hello, [port2])
  }

  #stall(stalled: boolean): void {
    if (stalled) this.#log.error('the spool cannot be written: sessions wait')
    else this.#log.info('the spool can be written again')
    this.#saidLost = false
    for (const live of this.#live) live.stall(stalled)
  }

  #recordingLost(cause: unknown): void {
    const { code } = GatewayError.from(cause)
    if (!this.#saidLost) this.#log.error({ code }, 'sessions end: they cannot be recorded')
    this.#saidLost = true
    const error = new GatewayError('GW_RECORDING_LOST', 'spool', { cause })
    for (const live of [...this.#live]) live.end(error, 'now')
  }

  /** Time limits, checked once a second for all sessions together. */
  #sweep(): void {
    const { idleMs, sessionMaxMs } = this.config.limits
    const now = Date.now()
    const idleSince = monotonicMs() - idleMs
    for (const live of [...this.#live]) {
      const { grant, openedAt } = live.context
      if (now > grant.identity.expiresAt || now - openedAt > sessionMaxMs) {
        live.end(new GatewayError('GW_SESSION_EXPIRED', 'expired'), 'now')
      } else if (live.lastActive < idleSince && live.isIdle()) {
        live.end(new GatewayError('GW_IDLE_TIMEOUT', 'idle'), 'now')
      } else if (this.#drainingUntil !== undefined && now > this.#drainingUntil) {
        live.end(draining(), 'now')
      }
    }
  }
}

function draining(): GatewayError {
  return new GatewayError('GW_DRAINING', 'drain')
}
