/**
 * Pure. Messages between the ship thread and whoever asks it: each request carries an `id` and is
 * answered with it.
 */
import type { MessagePort } from 'node:worker_threads'
import type { AnchorTarget } from './anchor.ts'
import type { Parameters, Row, Settings } from './clickhouse.ts'
import type { EnginePort } from './engine-child.ts'
import type { ErasureFound, ErasureRequest } from './erasure.ts'
import type { EvidenceCursor, EvidencePage, EvidenceScope } from './evidence-page.ts'
import type { HoldChange } from './holds.ts'
import type { SignedHead } from './proof.ts'
import type { Retention } from './retention.ts'
import type { SweepRequest, Swept } from './sweep.ts'

/** Plain data only: it is cloned. */
export interface ShipWorkerData {
  /** This run of the gateway, as in `SessionWorkerData`. */
  readonly instance: string
  /** Names this gateway among others on one store; the same at every start. */
  readonly gateway: string
  readonly spoolFolder: string
  /** Keys of `recorder.spool.encrypt`, the one that encrypts first; none: nothing encrypted can be read. */
  readonly spoolKeys?: readonly { readonly id: Uint8Array; readonly key: Uint8Array }[]
  /** How threads of this run write. What bears its name and is otherwise was written by somebody else. */
  readonly writes?: { readonly ratchet: boolean; readonly encrypted: boolean }
  readonly retention: Retention
  readonly store: ShipStore
  /** `<data>/chain`. */
  readonly chainFolder: string
  /** Where signed heads also go. */
  readonly anchors?: readonly AnchorTarget[]
}

export type ShipStore =
  /** `<data>/clickhouse`. */
  | {
      readonly embedded: true
      readonly folder: string
      readonly memoryBytesMax?: number
      /** For auditors' own tools; undefined: none. */
      readonly port?: EnginePort | undefined
    }
  | {
      readonly embedded: false
      readonly url: string
      readonly database: string
      readonly user: string
      /** undefined: one server. */
      readonly cluster?: string | undefined
      /** The secret itself; main has looked it up. */
      readonly password: string | undefined
      /** Longest time without an answer; default two minutes. */
      readonly requestMsMax?: number
    }

/** main → ship thread, by postMessage; `attach` with the port in the transfer list. */
export type ShipControl =
  | { readonly type: 'attach'; readonly port: MessagePort }
  /** Ship what lies in the spool, at most until `deadline` (milliseconds since 1970), then end. */
  | { readonly type: 'stop'; readonly deadline: number }

/** Over an attached port, without an answer: another port that asks as well, in the transfer list. */
export interface ShipShare {
  readonly type: 'share'
  readonly port: MessagePort
}

/** Over an attached port. */
export type ShipRequest =
  | PrivacyRequest
  | {
      readonly type: 'query'
      readonly id: number
      readonly sql: string
      readonly params: Parameters
      readonly settings: Settings
    }
  /** A query whose output is plain text: EXPLAIN. */
  | {
      readonly type: 'explain'
      readonly id: number
      readonly sql: string
      readonly settings: Settings
    }
  | { readonly type: 'metrics'; readonly id: number }
  /** A page of evidence: the first one of a scope, or the one that a cursor means. */
  | {
      readonly type: 'evidence'
      readonly id: number
      readonly from: EvidenceScope | EvidenceCursor
    }
  /** Heads that were signed after the one with `number` of `chain`; `size` is what was seen of it. */
  | { readonly type: 'heads'; readonly id: number; readonly seen: SeenHead | undefined }

/** The newest head that somebody else has kept. */
export interface SeenHead {
  readonly chain: string
  readonly number: number
  readonly size: number
}

/** Control judges and records; ship does it. */
export type PrivacyRequest =
  /** What is past retention: how much there is, or deletes it. */
  | {
      readonly type: 'sweep'
      readonly id: number
      readonly request: SweepRequest
      readonly isLook: boolean
    }
  /** What an erasure would erase. */
  | { readonly type: 'erasure'; readonly id: number; readonly request: ErasureRequest }
  /** Erases it, below these sizes of chains. */
  | {
      readonly type: 'erase'
      readonly id: number
      readonly request: ErasureRequest
      readonly chains: Readonly<Record<string, number>>
    }
  | { readonly type: 'hold'; readonly id: number; readonly change: Omit<HoldChange, 'gateway'> }

export type PrivacyAnswer =
  | { readonly type: 'swept'; readonly id: number; readonly swept: Swept }
  /** `aside`: segments that were set aside and are out of reach. */
  | {
      readonly type: 'erasure'
      readonly id: number
      readonly found: ErasureFound
      readonly aside: number
    }
  | { readonly type: 'erased'; readonly id: number; readonly sessions: number }
  | { readonly type: 'held'; readonly id: number }

export type ShipAnswer =
  | PrivacyAnswer
  | { readonly type: 'rows'; readonly id: number; readonly rows: readonly Row[] }
  | { readonly type: 'text'; readonly id: number; readonly text: string }
  | { readonly type: 'metrics'; readonly id: number; readonly metrics: ShipMetrics }
  | { readonly type: 'evidence'; readonly id: number; readonly page: EvidencePage }
  | { readonly type: 'heads'; readonly id: number; readonly heads: readonly SignedHead[] }
  | {
      readonly type: 'failed'
      readonly id: number
      readonly message: string
      /** ClickHouse's number of the exception; undefined where the store did not answer. */
      readonly exception: number | undefined
    }

export interface ShipMetrics {
  readonly spoolBytes: number
  /** Age of the oldest complete segment that is not stored yet. */
  readonly spoolLagSeconds: number
  readonly eventsShipped: number
  readonly segmentsShipped: number
  /** Segments that could not be stored, in whole or in part; must stay 0. */
  readonly segmentsBad: number
  /** Rows known to be in them. */
  readonly eventsLost: number
  readonly engineRestarts: number
  /** Leaves of the chain, and the age of its newest head. */
  readonly chainLeaves: number
  readonly chainHeadSeconds: number
  /** Heads that an anchor has not taken yet. */
  readonly anchorsBehind: number
  /** The store answered last time it was asked. */
  readonly storeOk: boolean
}
