/**
 * Pure. What is recorded: two events an action (`action` before it is forwarded, `outcome` after
 * it, joined by `action_id`), for a long response its parts between them, and one per notable moment.
 * Columns are those of the table `sluice.events`.
 */

/** Constant for a session; encoded once. */
export interface SessionFacts {
  readonly sessionId: string
  readonly instance: string
  readonly protocol: string
  readonly connection: string
  readonly targetDatabase: string
  readonly subject: string
  readonly kindOfIdentity: string
  readonly owner: string
  readonly job: string
  readonly run: string
  readonly agent: string
  readonly parentAgent: string
  readonly jobVerified: boolean
  readonly clientIp: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
}

/**
 * Constant for a text under one verdict; encoded once by `Recorder.shape` and used for every
 * execution.
 */
export interface ActionShape {
  readonly class: string
  readonly verb: string
  readonly objects: readonly string[]
  /** Masked text of the statement. */
  readonly statement: string
  /** The exact text, for the keyed hash only; never written. */
  readonly exact: string
  readonly verdict: string
  readonly rule: string
  readonly policyVersion: number
  readonly requestId: string
  /** JSON of all facts but text and parameters. */
  readonly facts: string
}

/** One execution of a shape. */
export interface ActionTimes {
  readonly params: readonly string[]
  readonly bytesUp: number
  readonly parseUs: number
  readonly decideUs: number
  readonly waitUs: number
}

export interface Outcome {
  /** `ok`, `error`, `refused`, `cut` (connection ended first). */
  readonly status: string
  /** SQLSTATE or its like; never the message. */
  readonly error: string
  readonly rows: number
  readonly bytesDown: number
  readonly upstreamUs: number
  readonly gatewayUs: number
  /** Detector or column → number of values. */
  readonly masked: ReadonlyMap<string, number> | undefined
  /** Bytes the client saw, as the protocol's frames; copied during the call. */
  readonly payload: Uint8Array | undefined
  readonly payloadCut: boolean
}

/** Kinds of rows other than `action` and `outcome`. */
export type MomentKind =
  | 'login'
  | 'login_refused'
  | 'close'
  | 'own' // what the gateway itself sends to a target
  | 'cancel'
  | 'notice'
  | 'admin'
  | 'sealed' // a batch of originals that masks replaced was kept, encrypted (sealed-recorder.ts)
  | 'policy' // a version of the policy came into force

export interface Moment {
  readonly kind: MomentKind
  /** What it was about, in a word: a verdict, an SQLSTATE, a reason of the close. */
  readonly status: string
  /** A sentence without values. */
  readonly text: string
}

/**
 * What a session holds to be recorded. Every method only buffers: bytes are on disk after
 * `Recorder.flush`.
 */
export interface Recording {
  readonly sessionId: string
  /** Returns the action's number, to be given to `outcome`. */
  action(shape: Shape, times: ActionTimes): number
  outcome(shape: Shape, action: number, outcome: Outcome): void
  /**
   * A part of what the client sees, ahead of the outcome, which holds the rest: nobody has to keep a
   * long response until it ends. Copied during the call.
   */
  response(shape: Shape, action: number, payload: Uint8Array): void
  moment(moment: Moment): void
}

declare const encoded: unique symbol

/** An `ActionShape` encoded by `Recorder.shape`. */
export interface Shape {
  readonly [encoded]: true
}

/** One per session worker; owns the worker's spool segment. */
export interface Recorder {
  open(facts: SessionFacts): Recording
  shape(shape: ActionShape): Shape
  /** Anything buffered that is not yet in the kernel's hands. */
  readonly pending: boolean
  /**
   * Writes what is buffered with one write. Call before forwarding what the events describe.
   * Throws GatewayError GW_RECORDING_LOST when the spool cannot be written; nothing is lost then,
   * and calling again tries again.
   */
  flush(): void
  /** Keyed hash of a text, 32 hex digits. */
  hash(text: string): string
  /** Flushes, closes the segment and stops the rotation timer. */
  close(): void
}
