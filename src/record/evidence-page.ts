/**
 * Pure. What evidence is made of (evidence.ts): its scopes, pages and cursors, and rows of leaves and heads as they stand in
 * the record store.
 */
import type { Row } from './clickhouse.ts'

export type EvidenceScope =
  /** Microseconds since 1970; 0 is all of it. */
  | { readonly type: 'range'; readonly since: number }
  | {
      readonly type: 'session'
      readonly session: string
      /** Calls of the control API that may have erased something of it; found by `begin`. */
      readonly calls?: readonly string[]
    }

export interface EvidencePage {
  readonly lines: readonly object[]
  /** To be sent for the next page; undefined after the last one. */
  readonly next: EvidenceCursor | undefined
}

/** Chains that are still to come, the first one from leaf `n` on. What came after `made` is left out. */
export interface EvidenceCursor {
  readonly scope: EvidenceScope
  readonly made: number
  readonly chains: readonly EvidenceChain[]
  readonly n: number
  readonly number: number
}

/** As far as it stood there when the evidence was begun. */
export interface EvidenceChain {
  readonly id: string
  readonly leaves: number
  /** Number of the last head. */
  readonly head: number
}

export interface LeafRow {
  readonly n: number
  readonly session: string
  readonly first: number
  readonly last: number
  readonly text: string
  readonly salt: string
  readonly hints: string
  /** From the gateway's log: the store has lost it. */
  readonly isCopy?: true
}

export interface HeadRow {
  readonly number: number
  readonly size: number
  readonly text: string
  readonly signature: string
  readonly peaks: readonly string[]
}

/** Of a leaf's text (proof.ts); what the columns beside it say is signed by nobody. */
export const LEAF_SESSION = 'JSONExtractString(text, 6)'
export const LEAF_SPAN = 'JSONExtractUInt(text, 7) AS first, JSONExtractUInt(text, 8) AS last'
export const LEAF_COLUMNS =
  'SELECT DISTINCT n, session_id, first_seq, last_seq, text, salt, hints FROM chain_leaves'

export function sessionsOf({
  session,
  calls = [],
}: EvidenceScope & { type: 'session' }): readonly string[] {
  return [session, ...calls]
}

/** Which rows it speaks for is said by its text; the columns only help to find it. */
export function toLeaf(row: Row): LeafRow {
  const text = String(row.text)
  const [session, first, last] = spanOf(text) ?? [row.session_id, row.first_seq, row.last_seq]
  return {
    n: Number(row.n),
    session: String(session),
    first: Number(first),
    last: Number(last),
    text,
    salt: String(row.salt),
    hints: String(row.hints),
  }
}

function spanOf(text: string): unknown[] | undefined {
  try {
    const [, , , , , session, first, last] = JSON.parse(text)
    return [session, first, last]
  } catch {
    return undefined
  }
}
