/**
 * IO (sockets). What evidence says of sealed originals: for each event that speaks of a batch, the digest of what the store has
 * of it now. The originals themselves are no part of evidence.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { ClickHouse } from './clickhouse.ts'

export interface SealedDigest {
  readonly session: string
  readonly batch: number
  readonly sha256: string
}

interface Span {
  readonly session: string
  readonly first: number
  readonly last: number
}

/** How long batches are waited for whose events are there already: they take another way into the store. */
const WAIT_MS = 3000
const LOOK_MS = 200
/** As a row in RowBinary has it. */
const KIND = '\x06sealed'

/** `rows`: of the same events, in RowBinary. Nothing is asked where none of them is of that kind. */
export async function sealedOfLeaves(
  store: ClickHouse,
  database: string,
  leaves: { readonly spans: readonly Span[]; readonly rows: Buffer },
): Promise<readonly SealedDigest[]> {
  if (!leaves.rows.includes(KIND, 0, 'latin1')) return []
  const events =
    `SELECT session_id, JSONExtractUInt(text, 'batch') FROM \`${database}\`.events WHERE kind = 'sealed' ` +
    'AND arrayExists(s -> s.1 = session_id AND seq BETWEEN s.2 AND s.3, ' +
    'arrayZip({ids:Array(String)}, {lows:Array(UInt64)}, {highs:Array(UInt64)})) AND session_id IN {ids:Array(String)}'
  const params = {
    ids: leaves.spans.map(({ session }) => session),
    lows: leaves.spans.map(({ first }) => first),
    highs: leaves.spans.map(({ last }) => last),
  }
  const settings = { readonly: 1 }
  const [wanted] = await store.query({
    sql: `SELECT count() AS n FROM (${events})`,
    params,
    settings,
  })
  const sql = `SELECT session_id AS session, batch, lower(hex(SHA256(ciphertext))) AS sha256
    FROM \`${database}\`.sealed WHERE (session_id, batch) IN (${events}) ORDER BY session, batch`
  for (const until = performance.now() + WAIT_MS; ; await wait(LOOK_MS)) {
    const found = await store.query({ sql, params, settings })
    if (found.length >= Number(wanted?.n) || performance.now() > until)
      return found.map(({ session, batch, sha256 }) => ({
        session: String(session),
        batch: Number(batch),
        sha256: String(sha256),
      }))
  }
}
