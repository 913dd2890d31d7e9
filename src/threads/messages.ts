/**
 * Pure. Every message that passes between threads. Requests over a port carry `id` and are answered with the same
 * `id`; a broadcast has no answer.
 */
import type { MessagePort } from 'node:worker_threads'
import type { ErrorCode } from '../base/errors.ts'
import type { Config } from '../config/shape.ts'
import type { Identity } from '../identify/identity.ts'
import type { SealKey } from '../record/sealer.ts'
import type { RunKey } from '../record/spool-cipher.ts'

/** session worker → control, over the worker's own port. */
export type ControlRequest =
  | {
      readonly type: 'identify'
      readonly id: number
      /** The clear text that the client gave: a gateway token. */
      readonly credential: string
      readonly address: string
      readonly protocol: string
      readonly connection: string
    }
  | {
      /** First step towards a target that asks for SCRAM-SHA-256: the client-first message. */
      readonly type: 'scram-first'
      readonly id: number
      readonly login: TargetLogin
      readonly binding: ChannelBinding
    }
  | {
      /** Second step: `serverFirst` as received. Control keeps the salted password per (connection, salt, rounds). */
      readonly type: 'scram-final'
      readonly id: number
      readonly exchange: number
      readonly serverFirst: string
    }
  | {
      readonly type: 'md5'
      readonly id: number
      readonly login: TargetLogin
      readonly salt: Uint8Array
    }
  | { readonly type: 'password'; readonly id: number; readonly login: TargetLogin }
  /** The key of the certificate that a connection shows to its target. */
  | { readonly type: 'client-key'; readonly id: number; readonly connection: string }

  /** A session of a connection with `max_sessions`; answered when there is room, or GW_TOO_MANY_SESSIONS. */
  | { readonly type: 'place'; readonly id: number; readonly connection: string }
  /** A key for the sealed originals of a session that begins. */
  | { readonly type: 'seal-key'; readonly id: number; readonly session: string }

/** session worker → control, over the same port, without an answer. */
export type ControlNotice =
  | { readonly type: 'place-left'; readonly connection: string }
  /** All places that the worker holds, for a control thread that may have forgotten. */
  | { readonly type: 'places'; readonly held: Readonly<Record<string, number>> }

/** Which credential of the configuration is meant. */
export interface TargetLogin {
  readonly connection: string
  /** A role of the connection's `credentials`; '' for its `credential`. */
  readonly role: string
}

/** What ties SCRAM to the TLS connection that it runs in. */
export interface ChannelBinding {
  /** `n`: we cannot. `y`: we could, but the target did not offer it. `p`: bound. */
  readonly flag: 'n' | 'y' | 'p'
  /** Hash of the target's certificate; empty unless `p`. */
  readonly data: Uint8Array
}

export type ControlAnswer =
  | { readonly type: 'place'; readonly id: number; readonly connection: string }
  | { readonly type: 'identity'; readonly id: number; readonly identity: Identity }
  | { readonly type: 'seal-key'; readonly id: number; readonly key: SealKey }
  | {
      readonly type: 'scram-first'
      readonly id: number
      readonly exchange: number
      readonly message: string
    }
  /** `serverFinal` is what the target must answer; compare before trusting it. */
  | {
      readonly type: 'scram-final'
      readonly id: number
      readonly message: string
      readonly serverFinal: string
    }
  | { readonly type: 'md5'; readonly id: number; readonly answer: string }
  | { readonly type: 'password'; readonly id: number; readonly password: string }
  /** PEM; for one dial. */
  | { readonly type: 'client-key'; readonly id: number; readonly key: string }
  | {
      readonly type: 'failed'
      readonly id: number
      readonly code: ErrorCode
      readonly message: string
    }

/** Over BroadcastChannel `sluice`, to all threads. */
export type Broadcast =
  /** Cancel of a running statement; the worker that owns the key answers it. Key as given by the client. */
  | {
      readonly type: 'cancel'
      /** Of the worker that asks, for `cancelled`. */
      readonly id: string
      readonly protocol: string
      readonly pid: number
      readonly secret: Uint8Array
    }
  /** The cancel of this id has reached its target, or will not. */
  | { readonly type: 'cancelled'; readonly id: string }
  /** No new work; sessions end when idle, all of them at the deadline (milliseconds since 1970). */
  | { readonly type: 'drain'; readonly deadline: number }
  /** DDL was seen: catalogues of this connection and database are stale. */
  | { readonly type: 'catalogue'; readonly connection: string; readonly database: string }
  /** End sessions at once: of a credential, or one by id. */
  | {
      readonly type: 'end'
      readonly credentialId?: string
      readonly sessionId?: string
      readonly code: ErrorCode
    }
  /** A worker had this session open, and ends it as it was told. */
  | { readonly type: 'ended'; readonly sessionId: string }
  /** New configuration and policies were accepted by main. */
  | { readonly type: 'settings'; readonly settings: Settings }
  /** Each session worker answers on the channel with `metrics-answer`. */
  | { readonly type: 'metrics'; readonly id: number }
  | {
      readonly type: 'metrics-answer'
      readonly id: number
      readonly thread: number
      readonly metrics: WorkerMetrics
    }
  /** A spool segment is complete and may be shipped. */
  | { readonly type: 'segment' }
  /** The control thread was started anew: each session worker sends main a `WorkerHello` with a fresh port. */
  | { readonly type: 'hello-again' }

/** Plain numbers; control adds them up and words them for Prometheus. */
export interface WorkerMetrics {
  readonly sessionsOpen: Readonly<Record<string, number>>
  /** Key: `protocol|connection|verdict`. */
  readonly actions: Readonly<Record<string, number>>
  /** Key: `protocol|phase`; value: counts per bucket of `LATENCY_BUCKETS_US` and one for more, then the sum in µs. */
  readonly addedLatency: Readonly<Record<string, readonly number[]>>
  /** Likewise, by `UPSTREAM_BUCKETS_US`. */
  readonly upstream: readonly number[]
  /** Likewise, by `LAG_BUCKETS_US`. */
  readonly loopLag: readonly number[]
  /** Key: `detector|connection`. */
  readonly maskedValues: Readonly<Record<string, number>>
  /** By name. */
  readonly signals: Readonly<Record<string, number>>
  readonly eventsLost: number
  /** Memory that bytes of sessions take. */
  readonly heldBytes: number
}

export const LATENCY_BUCKETS_US = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000,
] as const

/** Targets answer within 50 µs on the same host, and after minutes where a report is made. */
export const UPSTREAM_BUCKETS_US = [
  50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
  2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000, 300_000_000,
] as const

export const LAG_BUCKETS_US = [
  1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000,
] as const

/** main → session worker: one connection, one task. The task settles when the connection is closed. */
export interface ConnectionTask {
  /** A descriptor of this process that belongs to the worker once it has taken `ticket` (handover.ts). */
  readonly fd: number
  readonly ticket: number
  /** Index into `config.listeners`. */
  readonly listener: number
  /** The socket's peer. */
  readonly address: string
  readonly port: number
  /** Set: a trusted proxy, which says first whom it speaks for; that address is counted in this seat (accept/seats.ts). */
  readonly seat: number | undefined
}

/** `workerData` of every session worker. Plain data only: it is cloned. */
export interface SessionWorkerData {
  readonly settings: Settings
  /** This run of the gateway; distinguishes its spool segments and sessions from earlier runs. */
  readonly instance: string
  readonly spoolFolder: string
  /** Set: the spool is encrypted with it. */
  readonly encrypt?: RunKey | undefined
  /** Key of `statement_hash`; 32 bytes. */
  readonly recordKey: Uint8Array
  /** Who owns which descriptor (handover.ts); used by workers/session.ts alone. */
  readonly handover: SharedArrayBuffer
  /** Connections per address behind trusted proxies (accept/seats.ts). */
  readonly seats: SharedArrayBuffer
}

/** main → control, by postMessage. `settings` come by broadcast. What main says to ship: record/ship-messages.ts. */
export type HouseCommand =
  | ControlAttach
  /** A new port to ship; the former one, if any, is dead. In the transfer list. */
  | { readonly type: 'peer'; readonly port: MessagePort }
  /** Finish by `deadline` (milliseconds since 1970), then end the thread (close ports and servers, or exit). */
  | { readonly type: 'stop'; readonly deadline: number }
  /** A reload was refused; shown until the next good one (`problems` empty). */
  | { readonly type: 'reload'; readonly problems: readonly string[] }
  /** Where the listeners are, once they are. */
  | { readonly type: 'listening'; readonly listeners: readonly Listening[] }

/** A listener as it is, with the port that was really picked. */
export interface Listening {
  readonly protocol: string
  readonly host: string
  readonly port: number
}

/** What main accepted: configuration, and the texts of all policy files, already checked. */
export interface Settings {
  readonly config: Config
  readonly policyVersion: number
  readonly policyFiles: readonly PolicyFile[]
}

export interface PolicyFile {
  readonly path: string
  readonly text: string
}

/** session worker → main (`parentPort.postMessage`, arrives at Piscina's `message` event): its port to control, to be passed on. */
export interface WorkerHello {
  readonly type: 'worker-hello'
  readonly thread: number
  readonly control: MessagePort
}

/** main → control thread, by postMessage with the port in the transfer list. */
export interface ControlAttach {
  readonly type: 'attach'
  readonly thread: number
  readonly port: MessagePort
}
