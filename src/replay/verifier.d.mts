/** Pure. Types of verifier.mjs, which is plain JavaScript so that an auditor can run it as it is. */

export interface Finding {
  readonly kind: string
  readonly say: string
  readonly chain?: string
  readonly leaf?: number
  readonly head?: number
  readonly session?: string
  readonly first?: number
  readonly last?: number
  readonly at?: string
  /** Of sealed originals. */
  readonly batch?: number
}

export interface Report {
  readonly status: 'intact' | 'unsigned tail' | 'broken'
  /** What was asked for. */
  readonly scope:
    | { readonly type: 'range'; readonly since: string }
    | { readonly type: 'session'; readonly session: string }
  /** Until when the evidence reaches. */
  readonly made: string
  readonly leaves: number
  readonly heads: number
  readonly events: number
  readonly sessions: number
  /** Past retention. */
  readonly expired: number
  /** Whose contents were erased, with a signed erasure. */
  readonly erased: number
  /** Chain → the moment before which nothing is left of it: past retention. */
  readonly pruned: Readonly<Record<string, string>>
  readonly erasures: readonly {
    readonly at: string
    readonly by: string
    readonly kind: string
    readonly name: string
    readonly reason: string
    readonly events: number
  }[]
  readonly unsigned: number
  /** Of the session that was asked for: its last event, and whether it is its end. */
  readonly ends: readonly {
    readonly session: string
    readonly event: number
    readonly status: 'closed' | 'open'
    readonly reason: string
  }[]
  /** Sessions whose last event is not there (yet). */
  readonly open: readonly string[]
  /** First keys. `isVouched`: it was pinned, or an anchor or the gateway that was asked knows the chain. */
  readonly keys: readonly {
    readonly chain: string
    readonly key: string
    readonly isVouched: boolean
  }[]
  readonly findings: readonly Finding[]
}

export class Verifier {
  constructor(options?: { readonly pins?: readonly string[]; readonly anchors?: readonly object[] })
  readonly counts: { readonly events: number; readonly leaves: number }
  readonly findings: readonly Finding[]
  /** Throws where it is no line of a file of evidence. */
  line(line: object): void
  finish(): Report
}

export function describe(report: Report): string
/** undefined: not one. */
export function readLeaf(text: unknown):
  | {
      readonly chain: string
      readonly n: number
      readonly session: string
      readonly first: number
      readonly last: number
    }
  | undefined
export function leafHash(text: string): string
export function nodeHash(left: string, right: string): string
export function rootOfPath(
  hash: string,
  index: number,
  size: number,
  path: readonly string[],
): string | undefined
