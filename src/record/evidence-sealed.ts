/**
 * IO (sockets). What evidence says of sealed originals: for each event that speaks of a batch, what the store has of it now; and
 * what stands there that no event speaks of. The originals themselves are no part of evidence.
 *
 * Nothing is left out: a batch that stands there twice is told twice.
 */
import type { ClickHouse, Parameters, Row } from './clickhouse.ts'
import { LEAF_SESSION, LEAF_SPAN } from './evidence-page.ts'

interface Span {
  readonly session: string
  readonly first: number
  readonly last: number
}

/** Lists beside the rows of a page: rows of `sealed`, and of `sealed_keys`. */
export interface SealedRows {
  readonly sealed?: readonly Row[]
  readonly wraps?: readonly Row[]
}

/** Which rows of the store are asked about. `which` speaks of sessions, `told` of times. */
export interface Unspoken {
  readonly which: string
  readonly told: string
  readonly params: Parameters
  readonly max: number
}

/** As a row in RowBinary has it. */
const KIND = '\x06sealed'
/** Two would do to say that there is more than one. */
const TWINS_MAX = 3
const SETTINGS = { readonly: 1 }

const MICROSECONDS = (of: string) => `toUnixTimestamp64Micro(${of})`
const DIGEST = (column: string) => `lower(hex(SHA256(${column})))`
const BATCH = "JSONExtractUInt(text, 'batch')"
/** Of the numbers of batches, in any order: numbers of the same sum are no others' stand-in. */
const TOTAL = (batch: string) => `sum(sipHash64(${batch}))`

/** `rows`: of the same events, in RowBinary. Nothing is asked where none of them is of that kind. `store`: its current database is ours. */
export async function sealedOfLeaves(
  store: ClickHouse,
  leaves: { readonly spans: readonly Span[]; readonly rows: Buffer },
): Promise<SealedRows> {
  if (!leaves.rows.includes(KIND, 0, 'latin1')) return {}
  const events =
    "FROM events WHERE kind = 'sealed' AND session_id IN {ids:Array(String)} " +
    'AND arrayExists(s -> s.1 = session_id AND seq BETWEEN s.2 AND s.3, ' +
    'arrayZip({ids:Array(String)}, {lows:Array(UInt64)}, {highs:Array(UInt64)}))'
  const params = {
    ids: leaves.spans.map(({ session }) => session),
    lows: leaves.spans.map(({ first }) => first),
    highs: leaves.spans.map(({ last }) => last),
    max: TWINS_MAX,
  }
  const sealed = await store.query({
    sql: `SELECT session_id AS session, batch, ${MICROSECONDS('ts')} AS at, place, event_id AS event, key_id AS key,
        lower(hex(nonce)) AS nonce, ${DIGEST('ciphertext')} AS sha256, originals AS \`values\`, cut
      FROM sealed WHERE (session_id, batch) GLOBAL IN (SELECT session_id, ${BATCH} ${events})
      ORDER BY session, batch, at LIMIT {max:UInt8} BY session, batch`,
    params,
    settings: SETTINGS,
  })
  const wraps = await store.query({
    sql: `SELECT session_id AS session, ${MICROSECONDS('ts')} AS at, key_id AS key, recipients, ${DIGEST('wrapped')} AS sha256
      FROM sealed_keys WHERE session_id GLOBAL IN (SELECT session_id ${events} AND JSONHas(text, 'wrap'))
      ORDER BY session, at LIMIT {max:UInt8} BY session`,
    params,
    settings: SETTINGS,
  })
  return { sealed, wraps }
}

/** Sessions with sealed originals of that time: nobody else's time is asked for. */
export function sealedSince(): string {
  const since = '>= fromUnixTimestamp64Micro({since:Int64})'
  const of = ['events', 'sealed', 'sealed_keys'].map(
    (table) => `SELECT session_id FROM ${table} WHERE ts ${since}`,
  )
  return `session_id GLOBAL IN (${of.join(' UNION DISTINCT ')})`
}

/**
 * Keys of which there is more than one, or no originals at all; then batches of which no event speaks that a leaf speaks for.
 * A session whose numbers add up is not looked into: its batches are numbered from 1 on.
 */
export async function unspokenSealed(
  store: ClickHouse,
  { which, told, params, max }: Unspoken,
): Promise<Row[]> {
  const ask = (sql: string, more: Parameters = {}) =>
    store.query({ sql, params: { ...params, ...more, max }, settings: SETTINGS })
  const keys = await ask(
    `SELECT session_id AS session, count() AS rows, ${MICROSECONDS('max(ts)')} AS at FROM sealed_keys
      WHERE ${which} AND ${told} GROUP BY session_id HAVING rows > 1
        OR session_id GLOBAL NOT IN (SELECT session_id FROM events WHERE kind = 'sealed' AND ${which})
      ORDER BY session LIMIT {max:UInt32}`,
  )
  const suspects = await ask(
    `SELECT s.session_id AS session FROM (
        SELECT session_id, count() AS rows, ${TOTAL('batch')} AS total FROM sealed WHERE ${which} AND ${told} GROUP BY session_id) AS s
      GLOBAL LEFT JOIN (SELECT session_id, count() AS rows, ${TOTAL(BATCH)} AS total, max(seq) AS high FROM events
        WHERE kind = 'sealed' AND ${which} GROUP BY session_id) AS e ON s.session_id = e.session_id
      GLOBAL LEFT JOIN (SELECT session_id, max(last) AS high FROM (SELECT session_id, ${LEAF_SPAN} FROM chain_leaves
        WHERE ${which} AND ${LEAF_SESSION} = session_id) GROUP BY session_id) AS l ON s.session_id = l.session_id
      WHERE s.rows != e.rows OR s.total != e.total OR e.high > l.high ORDER BY session LIMIT {max:UInt32}`,
  )
  const found: Row[] = [...keys]
  for (const { session } of suspects) {
    const batches = await ask(
      `SELECT session_id AS session, batch, count() AS rows, ${MICROSECONDS('max(ts)')} AS at FROM sealed
        WHERE session_id = {suspect:String} AND ${told} AND batch GLOBAL NOT IN (
          SELECT ${BATCH} FROM events WHERE session_id = {suspect:String} AND kind = 'sealed'
            AND arrayExists(span -> seq BETWEEN span.1 AND span.2, (
              SELECT groupArray((first, last)) FROM (SELECT DISTINCT ${LEAF_SPAN} FROM chain_leaves
              WHERE session_id = {suspect:String} AND ${LEAF_SESSION} = session_id))))
        GROUP BY session_id, batch ORDER BY batch LIMIT {max:UInt32}`,
      { suspect: String(session) },
    )
    found.push(...batches)
  }
  return found
}
