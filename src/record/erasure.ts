/**
 * IO (sockets, files). Erasure: what a session, or all sessions of a subject, have said and were shown is blanked, and the salt of
 * its digests destroyed, so that the chain stays whole and the contents cannot be guessed from it.
 *
 *   look ──▶ everything is in the store and signed · nothing is held · contents are what was signed
 *   (the caller records it, with the size of each chain)
 *   run  ──▶ contents in `events` ──▶ keys of sealed originals ──▶ salt in `chain_leaves` ──▶ salt in the log
 *
 * Only leaves below the sizes that `look` gave are touched: what comes later was not asked for. `run` may be repeated, and is
 * after a crash. Segments that were set aside as `.bad` and copies outside of the store are out of reach.
 */
import { createHash } from 'node:crypto'
import type { Chain } from './chain.ts'
import { type ClickHouse, StoreError } from './clickhouse.ts'
import { LEAF_SESSION, type LeafRow, toLeaf } from './evidence-page.ts'
import { rowsOfLeaves } from './evidence-rows.ts'
import { storedHolds } from './holds.ts'
import { mutate, type Tables } from './mutation.ts'
import { readLeafDigests } from './proof.ts'
import { inScopes, quoted, type Scope } from './retention.ts'
import { type StoredRow, splitRows } from './rows.ts'

export interface ErasureRequest {
  /** Of kind session or subject. */
  readonly scope: Scope
  readonly holds: readonly Scope[]
}

export interface ErasureFound {
  readonly sessions: number
  readonly events: number
  /** Of them, events that a hold keeps. */
  readonly held: number
  /** Sessions in which something is not as it was signed. */
  readonly changed: readonly string[]
  /** Chain → leaves that are signed by now. */
  readonly chains: Readonly<Record<string, number>>
}

/** Sessions of one statement. */
const SESSIONS_MAX = 5000
/** Rows that are compared with their leaves at once: each may have a response of 64 KiB and more. */
const ROWS_MAX = 1000
const CHANGED_MAX = 100

export class Erasure {
  readonly #store: ClickHouse
  readonly #tables: Tables

  /** `store`: its current database is ours. */
  constructor(store: ClickHouse, tables: Tables) {
    this.#store = store
    this.#tables = tables
  }

  /** After everything was copied. Rejects with StoreError. */
  async look({ scope, holds }: ErasureRequest, chain: Chain): Promise<ErasureFound> {
    const all = [...holds, ...(await storedHolds(this.#store, this.#tables.database))]
    const [found] = await this.#query(
      `SELECT uniqExact(session_id) AS sessions, count() AS events, countIf(${inScopes(all)}) AS held
        FROM events WHERE ${erasable(scope)}`,
    )
    const rows = await this.#query('SELECT chain, max(size) AS size FROM chains GROUP BY chain')
    const sizes = rows.map(({ chain, size }) => [String(chain), Number(size)] as const)
    // What the store says of our own chain is a copy that somebody may have changed.
    const chains = { ...Object.fromEntries(sizes), [chain.id]: chain.head?.size ?? 0 }
    const changed: string[] = []
    for (const sessions of batches(await this.#sessions(scope), SESSIONS_MAX))
      changed.push(...(await this.#changed(sessions, chains)))
    return {
      sessions: Number(found?.sessions ?? 0),
      events: Number(found?.events ?? 0),
      held: Number(found?.held ?? 0),
      changed: changed.filter((_, at) => at < CHANGED_MAX),
      chains,
    }
  }

  /** `chain`: the one that goes on. Returns the number of sessions. Rejects with StoreError, or where the disk fails. */
  async run(
    { scope, holds }: ErasureRequest,
    chains: Readonly<Record<string, number>>,
    chain: Chain,
  ): Promise<number> {
    const all = [...holds, ...(await storedHolds(this.#store, this.#tables.database))]
    const [held] = await this.#query(
      `SELECT count() AS rows FROM events WHERE ${erasable(scope)} AND ${inScopes(all)}`,
    )
    if (Number(held?.rows ?? 0) > 0) throw new StoreError('it is held', undefined, undefined)
    const sessions = await this.#sessions(scope)
    for (const some of batches(sessions, SESSIONS_MAX)) await this.#blank(some, chains)
    const erased = new Set(sessions)
    const size = chains[chain.id] ?? 0
    chain.erase((session, n) => n < size && erased.has(session))
    return sessions.length
  }

  async #sessions(scope: Scope): Promise<string[]> {
    const rows = await this.#query(
      `SELECT DISTINCT session_id AS id FROM events WHERE ${erasable(scope)} ORDER BY id`,
    )
    return rows.map(({ id }) => String(id))
  }

  async #blank(
    sessions: readonly string[],
    chains: Readonly<Record<string, number>>,
  ): Promise<void> {
    const { database } = this.#tables
    const ids = sessions.map(quoted).join(', ')
    const below = belowSizes(chains)
    // A session's leaves follow each other: everything up to the last one of them is covered.
    const highs = await this.#query(
      `SELECT ${LEAF_SESSION} AS session, max(JSONExtractUInt(text, 8)) AS high FROM chain_leaves
        WHERE session_id IN (${ids}) AND ${below} GROUP BY session`,
    )
    const names = highs.map(({ session }) => quoted(String(session))).join(', ')
    const lasts = highs.map(({ high }) => Number(high)).join(', ')
    if (highs.length > 0)
      await mutate(this.#store, this.#tables, {
        table: 'events',
        change:
          "UPDATE statement = '', facts = '', params = [], payload = '' " +
          `WHERE session_id IN (${ids}) AND seq <= transform(session_id, [${names}], [${lasts}], 0) ` +
          "AND NOT (statement = '' AND facts = '' AND empty(params) AND payload = '')",
      })
    const tables = await this.#query(
      'SELECT name FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
      { database, names: ['sealed_keys', 'sealed'] },
    )
    for (const { name } of tables)
      await mutate(this.#store, this.#tables, {
        table: String(name),
        change: `DELETE WHERE session_id IN (${ids})`,
      })
    await mutate(this.#store, this.#tables, {
      table: 'chain_leaves',
      change: `UPDATE salt = '', hints = '' WHERE session_id IN (${ids}) AND ${below} AND salt != ''`,
    })
  }

  /** Sessions with a run of events that are not what their leaf says: erasing them would hide that. */
  async #changed(
    sessions: readonly string[],
    chains: Readonly<Record<string, number>>,
  ): Promise<string[]> {
    const ids = sessions.map(quoted).join(', ')
    const found = await this.#query(
      `SELECT DISTINCT chain, n, session_id, first_seq, last_seq, text, salt, hints FROM chain_leaves
        WHERE session_id IN (${ids}) AND ${belowSizes(chains)} AND salt != '' ORDER BY chain, n`,
    )
    const changed = new Set<string>()
    for (const some of byRows(found.map(toLeaf))) {
      const bytes = await rowsOfLeaves(this.#store, this.#tables.database, some)
      const bySession = new Map<string, StoredRow[]>()
      for (const row of splitRows(bytes)) {
        const rows = bySession.get(row.session)
        if (rows === undefined) bySession.set(row.session, [row])
        else rows.push(row)
      }
      for (const leaf of some)
        if (!isAsSigned(leaf, bySession.get(leaf.session) ?? [])) changed.add(leaf.session)
    }
    return [...changed]
  }

  #query(sql: string, params: Readonly<Record<string, string | readonly string[]>> = {}) {
    return this.#store.query({ sql, params, settings: { max_query_size: 64 << 20 } })
  }
}

/** Calls of the control API say what was done by whom, and hold no contents. */
function erasable(scope: Scope): string {
  return `${inScopes([scope])} AND protocol != 'control'`
}

function belowSizes(chains: Readonly<Record<string, number>>): string {
  const parts = Object.entries(chains).map(([id, size]) => `chain = ${quoted(id)} AND n < ${size}`)
  return parts.length === 0 ? '0' : `(${parts.map((part) => `(${part})`).join(' OR ')})`
}

function isAsSigned({ text, salt, first, last }: LeafRow, rows: readonly StoredRow[]): boolean {
  const [events, contents] = [createHash('sha256'), createHash('sha256')]
  contents.update(Buffer.from(salt, 'hex'))
  let next = first
  for (const row of rows) {
    if (row.seq < first || row.seq > last) continue
    if (row.seq !== next++) return false
    events.update(row.events)
    contents.update(row.contents)
  }
  const said = readLeafDigests(text)
  return (
    next === last + 1 &&
    events.digest('hex') === said?.events &&
    contents.digest('hex') === said.contents
  )
}

function* byRows(leaves: readonly LeafRow[]): Generator<LeafRow[]> {
  let [some, rows]: [LeafRow[], number] = [[], 0]
  for (const leaf of leaves) {
    some.push(leaf)
    rows += leaf.last - leaf.first + 1
    if (rows < ROWS_MAX) continue
    yield some
    ;[some, rows] = [[], 0]
  }
  if (some.length > 0) yield some
}

function* batches<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size)
    yield all.filter((_, index) => index >= at && index < at + size)
}
