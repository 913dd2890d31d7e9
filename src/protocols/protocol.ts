/**
 * Pure. The contract between the core and a protocol. A protocol supplies verbs, never the sequence, which stands in
 * session.ts for all of them.
 */
import type { SecureContext } from 'node:tls'
import type { Handshake } from '../accept/handshake.ts'
import type { Wire } from '../accept/wire.ts'
import type { GatewayError } from '../base/errors.ts'
import type { Action } from '../decide/action.ts'
import type { Grant } from '../decide/grant.ts'
import type { Guard } from '../decide/policy.ts'
import type { Verdict } from '../decide/verdict.ts'
import type { ActionShape, Recording, Shape } from '../record/event.ts'
import type { Sealer } from '../record/sealer.ts'
import type { Turn } from '../relay/turn.ts'
import type { ControlPort } from '../threads/control-port.ts'

/** What a listener lets a protocol know and do before anybody is identified. */
export interface Door {
  /** The socket's peer, which may be a proxy: what comes in clear has come from there. */
  readonly peer: string
  readonly tls: SecureContext | undefined
  readonly plaintextFrom: readonly string[]
  /** Passes a cancel request on to the session that owns the key; settles when the target has it, or soon. */
  cancel(pid: number, secret: Uint8Array): Promise<void>
}

/** What a client says: verified by nobody yet. */
export interface Claim {
  readonly connection: string
  readonly database: string | undefined
  readonly credential: string
  readonly claimedUser: string
  readonly claimedJob: { readonly id: string; readonly run: string; readonly agent: string }
  readonly parameters: ReadonlyMap<string, string>
  /** How long a key for cancelling this client takes. */
  readonly cancelKeyBytes: number
}

/** A target that has let the gateway in. */
export interface Upstream {
  readonly wire: Wire
  /** Bytes that came after the login. */
  readonly rest: Buffer
}

/** What a worker lends to a relay. */
export interface RelayParts<Target extends Upstream> {
  readonly client: Handshake
  readonly upstream: Target
  readonly claim: Claim
  readonly grant: Grant
  readonly recording: Recording
  readonly turn: Turn
  readonly live: LiveSession
  readonly worker: RelayWorker
  /** Keeps the originals of what masks replace; undefined: none are kept. */
  readonly seal?: Sealer | undefined
}

/** The parts of a worker that protocols may use. */
export interface RelayWorker {
  readonly statementBytesMax: number
  readonly responseBytesMax: number
  /** Of the policy as it is now; changes between actions when policy is reloaded. */
  readonly policyVersion: number
  /** The policy as it is now for a grant; made anew at each call, so keep it while the version stays. */
  guard(grant: Grant): Guard
  decide(guard: Guard, action: Action, context: SessionContext): Verdict
  shape(shape: ActionShape): Shape
  readonly maskKey: Uint8Array
  /** Tells all workers that the catalogue of a target changed. */
  catalogueChanged(connection: string, database: string): void
  readonly count: Counters
  /** Monotonic milliseconds. */
  now(): number
  /** Something that concerns the session happened which an operator should see; never a value. */
  warn(say: string, fields: Record<string, unknown>): void
}

/** What rules may read of the session (`session.*`). Updated in place. */
export interface SessionContext {
  readonly grant: Grant
  readonly sessionId: string
  readonly address: string
  /** Milliseconds since 1970. */
  readonly openedAt: number
  statements: number
  rows: number
  bytes: number
  maskedValues: number
}

/** Metrics of one worker, as plain calls. */
export interface Counters {
  action(connection: string, verdict: string): void
  /** Added latency in microseconds. */
  latency(phase: 'parse' | 'decide' | 'mask' | 'record' | 'total', us: number): void
  /** Microseconds that the target took for an action. */
  upstream(us: number): void
  masked(name: string, connection: string, count: number): void
  /** Something that somebody should look at, by name. */
  signal(name: string): void
}

/** How the worker reaches a session that runs. */
export interface LiveSession {
  readonly context: SessionContext
  /** Set by the relay. Ends it as soon as it may, telling the client why. */
  end: (error: GatewayError, when: 'idle' | 'now') => void
  /** Set by the relay: the spool cannot be written (true) or can be again. */
  stall: (stalled: boolean) => void
  /** Set by the relay. undefined: this is not the session's key. Settles when the target has the cancel. */
  cancel: (pid: number, secret: Uint8Array) => Promise<void> | undefined
  /** Set by the relay: nothing runs for it. */
  isIdle: () => boolean
  /** Set by the relay: memory that its bytes take, of whichever side has sent more than the other has taken. */
  heldBytes: () => number
  /** performance.now() of the last byte in either direction. */
  lastActive: number
}

export interface Protocol<Target extends Upstream = Upstream> {
  readonly name: string
  /** undefined: nothing more is to be done with this client. */
  hello(client: Handshake, door: Door): Promise<Claim | undefined>
  /** Tells the client in the protocol's own form and lets the wire close. */
  refuse(client: Wire, error: GatewayError): void
  /** `left`: the client is gone; what was begun for it is given up. */
  dial(
    claim: Claim,
    grant: Grant,
    parts: { readonly control: ControlPort; readonly left: AbortSignal },
  ): Promise<Target>
  /** Somebody changed the catalogue of a target. */
  catalogueChanged(connection: string, database: string): void
  /** Welcomes the client and passes its traffic until either side ends; answers why, in a word. */
  relay(parts: RelayParts<Target>): Promise<string>
}
