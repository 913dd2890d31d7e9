/**
 * IO (sockets). Evidence: what somebody needs to verify a part of the record without us, as lines of JSON, page by page.
 * `src/replay/verifier.mjs` reads it, and says what each line is.
 *
 * A range holds every leaf from a signed head on, so that the tree can be built on from there. A session holds its own
 * leaves, each with its path to the next signed head. Leaves that are gone from the store are taken from the gateway's
 * own log and marked; rows that no leaf speaks for are named.
 */

import { CANONICAL, CANONICAL_COLUMNS } from './canonical.ts'
import type { LoggedLeaf } from './chain-log.ts'
import type { ClickHouse, Parameters, Row } from './clickhouse.ts'
import {
  type EvidenceChain,
  type EvidenceCursor,
  type EvidencePage,
  type EvidenceScope,
  type HeadRow,
  LEAF_COLUMNS,
  LEAF_SESSION,
  LEAF_SPAN,
  type LeafRow,
  sessionsOf,
  toLeaf,
} from './evidence-page.ts'
import { policyCalls } from './evidence-policies.ts'
import { rowsOfLeaves } from './evidence-rows.ts'
import { sealedOfLeaves, sealedSince, unspokenSealed } from './evidence-sealed.ts'
import { auditPath, leafHash } from './merkle.ts'
import { CONTENT_COLUMNS } from './row-binary.ts'

/** The gateway's own chain, for what is missing in the store. */
export interface OwnChain {
  readonly id: string
  /** Leaves under the newest head that stands in the store. */
  readonly size: number
  leaves(from: number, to: number): ReadonlyMap<number, LoggedLeaf>
  /** Resolves when the leaves of all rows in the store are there too. */
  settle(): Promise<void>
}

const LEAVES_MAX = 2000
const ROWS_MAX = 20_000
const SESSION_LEAVES_MAX = 500
const STRAYS_MAX = 1000
const CALLS_MAX = 1000
/** Microseconds that the clocks of gateways with one store may be apart. */
const AHEAD_MAX = 300_000_000

export class Evidence {
  readonly #store: ClickHouse
  readonly #database: string
  readonly #own: OwnChain

  /** `store`: its current database is ours. */
  constructor(store: ClickHouse, database: string, own: OwnChain) {
    this.#store = store
    this.#database = database
    this.#own = own
  }

  /** The first page: what it is about, the keys, and which chains there are. */
  async begin(asked: EvidenceScope, made: number): Promise<EvidencePage> {
    const scope =
      asked.type === 'session'
        ? {
            ...asked,
            calls: [
              ...(await this.#erasures(asked.session)),
              ...(await policyCalls(this.#store, asked.session)),
            ],
          }
        : asked
    const keys = await this.#query(
      'SELECT DISTINCT ts, chain, text, signature FROM chain_keys ORDER BY chain, ts',
    )
    const which =
      scope.type === 'session'
        ? 'chain IN (SELECT chain FROM chain_leaves WHERE session_id IN {sessions:Array(String)})'
        : '1'
    const found = await this.#query(
      `SELECT chain, max(leaves) AS leaves, max(head) AS head FROM (
        SELECT chain, max(n) + 1 AS leaves, -1 AS head FROM chain_leaves WHERE ${which} GROUP BY chain
        UNION ALL SELECT chain, 0, max(toInt64(number)) FROM chains WHERE ${which} GROUP BY chain
      ) GROUP BY chain ORDER BY chain`,
      scope.type === 'session' ? { sessions: sessionsOf(scope) } : {},
    )
    const chains = found.map(({ chain, leaves, head }) => ({
      id: String(chain),
      leaves: Number(leaves),
      head: Number(head),
    }))
    // What was deleted altogether is missed all the same.
    if (scope.type === 'range' && !chains.some(({ id }) => id === this.#own.id))
      chains.push({ id: this.#own.id, leaves: 0, head: -1 })
    // Likewise where only its end was deleted.
    const { id, size } = this.#own
    const told = chains.map((one) =>
      one.id === id ? { ...one, leaves: Math.max(one.leaves, size) } : one,
    )
    const lines = [
      {
        sluice: 'evidence',
        version: 1,
        canonical: CANONICAL,
        scope,
        made,
        columns: CANONICAL_COLUMNS,
        contents: CONTENT_COLUMNS.length,
      },
      { keys: keys.map(({ text, signature }) => ({ text, signature })) },
    ]
    return { lines, next: { scope, made, chains: told, n: -1, number: -1 } }
  }

  next(cursor: EvidenceCursor): Promise<EvidencePage> {
    if (cursor.chains.length === 0) return this.#end(cursor.scope, cursor.made)
    return cursor.scope.type === 'session'
      ? this.#sessionPage(cursor, cursor.scope)
      : this.#rangePage(cursor, cursor.scope.since)
  }

  async #rangePage(cursor: EvidenceCursor, since: number): Promise<EvidencePage> {
    const { id: chain, ...until } = cursor.chains[0]!
    const lines: object[] = []
    let { n, number } = cursor
    if (n < 0) {
      const [asked] = await this.#heads(
        'chain = {chain:String} AND ts <= fromUnixTimestamp64Micro({since:Int64}) ORDER BY number DESC LIMIT 1',
        { chain, since },
      )
      const from = asked ?? (await this.#floor(chain))
      lines.push({ chain, from: from ?? null })
      n = from?.size ?? 0
      number = from?.number ?? -1
    }
    const leaves = await this.#leaves(chain, n, until.leaves)
    const end = n + leaves.length
    const isLast = leaves.length === 0
    const heads = await this.#heads(
      `chain = {chain:String} AND number > {number:Int64} AND number <= {last:Int64} ${isLast ? '' : 'AND size <= {end:UInt64}'} ORDER BY number`,
      { chain, number, last: until.head, end },
    )
    if (heads.length > 0) lines.push({ heads })
    if (!isLast) lines.push(await this.#withRows(leaves))
    const last = heads.at(-1)?.number ?? number
    if (!isLast) return { lines, next: { ...cursor, n: end, number: last } }
    const chains = cursor.chains.filter((_, at) => at > 0)
    return { lines, next: { ...cursor, chains, n: -1, number: -1 } }
  }

  /** Leaves from `n` on without a gap, unless even our own log has one: then what follows it. */
  async #leaves(chain: string, n: number, end: number): Promise<LeafRow[]> {
    const rows = await this.#query(
      `${LEAF_COLUMNS} WHERE chain = {chain:String} AND n >= {n:UInt64} AND n < {end:UInt64} ORDER BY n LIMIT {max:UInt32}`,
      { chain, n, end, max: LEAVES_MAX },
    )
    const found = rows.map(toLeaf)
    const leaves: LeafRow[] = []
    let count = 0
    let wanted = n
    for (const leaf of found) {
      if (leaf.n > wanted) {
        for (const copy of this.#copies(chain, wanted, leaf.n)) leaves.push(copy)
      }
      wanted = leaf.n + 1
      leaves.push(leaf)
      count += leaf.last - leaf.first + 1
      if (count > ROWS_MAX) return leaves
    }
    // Cut off at the end: the log says whether there was more.
    if (found.length < LEAVES_MAX) {
      for (const copy of this.#copies(chain, wanted, Math.min(end, wanted + LEAVES_MAX)))
        leaves.push(copy)
    }
    return leaves
  }

  /**
   * The head that a chain begins with whose older part is gone, here and in our own log. Whether it should be is not judged
   * here. undefined: it begins at its beginning.
   */
  async #floor(chain: string): Promise<HeadRow | undefined> {
    const [oldest] = await this.#heads('chain = {chain:String} ORDER BY number LIMIT 1', { chain })
    if (oldest === undefined || this.#copies(chain, 0, 1).length > 0) return undefined
    const [leaf] = await this.#query(
      'SELECT count() AS rows, min(n) AS n FROM chain_leaves WHERE chain = {chain:String}',
      { chain },
    )
    if (Number(leaf?.rows ?? 0) === 0) return oldest.size > 0 ? oldest : undefined
    const first = Number(leaf?.n)
    if (first === 0) return undefined
    const [floor] = await this.#heads(
      'chain = {chain:String} AND size <= {first:UInt64} ORDER BY size DESC, number LIMIT 1',
      { chain, first },
    )
    return floor
  }

  /** Whatever was erased of a session, some call of the control API says so. */
  async #erasures(session: string): Promise<string[]> {
    const rows = await this.#query(
      `SELECT DISTINCT session_id AS call FROM events WHERE startsWith(session_id, 'ctl_') AND protocol = 'control'
        AND kind = 'admin' AND status = 'erase'
        AND JSONExtractString(text, 'scope', 'name') IN (SELECT arrayJoin([session_id, subject]) FROM events
          WHERE session_id = {session:String}) ORDER BY call LIMIT {max:UInt32}`,
      { session, max: CALLS_MAX },
    )
    return rows.map(({ call }) => String(call))
  }

  #copies(chain: string, from: number, to: number): LeafRow[] {
    if (chain !== this.#own.id) return []
    return [...this.#own.leaves(from, to).entries()].map(([n, { text, salt, hints }]) => ({
      ...toLeaf({ n, text, salt, hints }),
      isCopy: true,
    }))
  }

  async #sessionPage(
    cursor: EvidenceCursor,
    scope: EvidenceScope & { type: 'session' },
  ): Promise<EvidencePage> {
    const { id: chain, ...until } = cursor.chains[0]!
    const { session } = scope
    const rows = await this.#query(
      `${LEAF_COLUMNS} WHERE chain = {chain:String} AND session_id IN {sessions:Array(String)} AND n > {n:Int64} ` +
        'AND n < {end:UInt64} ORDER BY n LIMIT {max:UInt32}',
      {
        chain,
        sessions: sessionsOf(scope),
        n: cursor.n,
        end: until.leaves,
        max: SESSION_LEAVES_MAX,
      },
    )
    const leaves = rows.map(toLeaf)
    const last = leaves.at(-1)
    if (last === undefined) {
      const chains = cursor.chains.filter((_, at) => at > 0)
      const lines = await this.#gaps({ id: chain, ...until }, cursor.n, session)
      return { lines, next: { ...cursor, chains, n: -1, number: -1 } }
    }
    const heads = await this.#heads(
      `chain = {chain:String} AND number >= (SELECT max(number) FROM chains WHERE chain = {chain:String} AND size <= {first:UInt64})` +
        ' AND number <= (SELECT if(count() = 0, 9007199254740991, min(number)) FROM chains WHERE chain = {chain:String} AND size > {last:UInt64})' +
        ' ORDER BY number',
      { chain, first: leaves[0]!.n, last: last.n },
    )
    const paths = await this.#paths(chain, leaves, heads)
    const used = heads.filter(({ number }) => paths.some((path) => path?.head === number))
    const page = await this.#withRows(leaves.map((leaf, at) => ({ ...leaf, ...paths[at] })))
    const isCut = cursor.n < 0 && (leaves.find((leaf) => leaf.session === session)?.first ?? 1) > 1
    const from = isCut ? await this.#floor(chain) : undefined
    return {
      lines: [from === undefined ? { chain } : { chain, from }, { heads: used }, page],
      next: { ...cursor, n: last.n },
    }
  }

  /**
   * Leaves behind a session's last one that are gone, or stand there under another session's name: more of the session may
   * be among them. Not asked of a session that has its end.
   */
  async #gaps({ id: chain, leaves: end }: EvidenceChain, from: number, session: string) {
    const first = Math.max(0, from)
    const params = { chain, from: first, end, session }
    const [ended] = await this.#query(
      "SELECT count() AS rows FROM events WHERE session_id = {session:String} AND kind IN ('close', 'login_refused')",
      params,
    )
    if (Number(ended?.rows ?? 0) > 0) return []
    const [found] = await this.#query(
      `SELECT uniqExactIf(n, session_id = ${LEAF_SESSION}) AS count FROM chain_leaves WHERE chain = {chain:String} AND n >= {from:UInt64} AND n < {end:UInt64}`,
      params,
    )
    const count = end - first - Number(found?.count ?? 0)
    return count > 0 ? [{ gaps: { chain, from, count } }] : []
  }

  /** For each leaf the next head and its path to it; undefined where no head covers it. */
  async #paths(
    chain: string,
    leaves: readonly LeafRow[],
    heads: readonly HeadRow[],
  ): Promise<({ head: number; path: string[] } | undefined)[]> {
    const made: ({ head: number; path: string[] } | undefined)[] = []
    for (const { n } of leaves) {
      const before = heads.findLast(({ size }) => size <= n)
      const after = heads.find(({ size }) => size > n)
      if (after === undefined) {
        made.push(undefined)
        continue
      }
      const from = before?.size ?? 0
      const siblings = await this.#query(
        'SELECT DISTINCT n, text FROM chain_leaves WHERE chain = {chain:String} AND n >= {from:UInt64} AND n < {to:UInt64} ORDER BY n',
        { chain, from, to: after.size },
      )
      const hashes = siblings.map(({ text }) => leafHash(String(text)))
      const isWhole = hashes.length === after.size - from
      const grown = { from, peaks: before?.peaks ?? [], leaves: hashes }
      made.push({ head: after.number, path: isWhole ? auditPath(n, grown) : [] })
    }
    return made
  }

  async #withRows(leaves: readonly LeafRow[]): Promise<object> {
    const rows = await rowsOfLeaves(this.#store, this.#database, leaves)
    const told = leaves.map(({ session: _, first: __, last: ___, n: ____, ...leaf }) => leaf)
    const sealed = await sealedOfLeaves(this.#store, { spans: leaves, rows })
    return { leaves: told, rows: rows.toString('base64'), ...sealed }
  }

  /**
   * Rows of that time that no leaf speaks for. What is on its way while we look is told from what was added by looking twice,
   * and no further than the first time.
   */
  async #end(scope: EvidenceScope, made: number): Promise<EvidencePage> {
    const [which, params]: [string, Parameters] =
      scope.type === 'session'
        ? ['session_id = {session:String}', { session: scope.session }]
        : scope.since === 0
          ? ['1', {}]
          : [
              'session_id IN (SELECT DISTINCT session_id FROM events WHERE ts >= fromUnixTimestamp64Micro({since:Int64}))',
              { since: scope.since },
            ]
    // What is told to be of a time that has not come was not on its way.
    const told = `(ts <= fromUnixTimestamp64Micro({made:Int64}) OR ts > fromUnixTimestamp64Micro({ahead:Int64}))`
    const times = { made, ahead: made + AHEAD_MAX }
    // A session's leaves follow each other without a gap; which events they speak for is said by their texts alone.
    const suspects = await this.#query(
      `SELECT e.session_id AS session, e.high AS high FROM (
        SELECT session_id, count() AS rows, min(seq) AS low, max(seq) AS high FROM events
        WHERE ${which} AND ${told} GROUP BY session_id) AS e
      LEFT JOIN (SELECT session_id, sum(last - first + 1) AS rows, min(first) AS low, max(last) AS high FROM (
        SELECT DISTINCT chain, n, session_id, ${LEAF_SPAN} FROM chain_leaves
        WHERE ${which} AND ${LEAF_SESSION} = session_id) GROUP BY session_id) AS l
      ON e.session_id = l.session_id WHERE e.rows > l.rows OR e.low < l.low OR e.high > l.high
      ORDER BY session LIMIT {max:UInt32}`,
      { ...params, ...times, max: STRAYS_MAX },
    )
    const isSince = scope.type === 'range' && scope.since > 0
    const unspoken = {
      ...{ which: isSince ? sealedSince() : which, told },
      ...{ params: { ...params, ...times }, max: STRAYS_MAX },
    }
    const isSuspect = (await unspokenSealed(this.#store, unspoken)).length > 0
    if (suspects.length > 0 || isSuspect) await this.#own.settle()
    const strays: Row[] = []
    for (const { session, high } of suspects) {
      const found = await this.#query(
        `SELECT session_id AS session, min(seq) AS first, max(seq) AS last, count() AS rows,
          toUnixTimestamp64Micro(min(ts)) AS at, any(instance) AS instance FROM events
        WHERE session_id = {session:String} AND seq <= {high:UInt64} AND ${told}
          AND NOT arrayExists(span -> seq BETWEEN span.1 AND span.2, (
            SELECT groupArray((first, last)) FROM (SELECT DISTINCT ${LEAF_SPAN} FROM chain_leaves
            WHERE session_id = {session:String} AND ${LEAF_SESSION} = session_id)))
        GROUP BY session_id`,
        { session: String(session), high: Number(high), ...times },
      )
      strays.push(...found)
    }
    const sealed = isSuspect ? await unspokenSealed(this.#store, unspoken) : []
    return { lines: [{ strays }, { unspoken: sealed }, { end: true }], next: undefined }
  }

  async #heads(where: string, params: Parameters): Promise<HeadRow[]> {
    const rows = await this.#query(
      `SELECT DISTINCT number, size, text, signature, peaks FROM chains WHERE ${where}`,
      params,
    )
    return rows as unknown as HeadRow[]
  }

  #query(sql: string, params: Parameters = {}): Promise<Row[]> {
    return this.#store.query({ sql, params, settings: { readonly: 1 } })
  }
}
