/**
 * IO (sockets, files). Retention: rows of this gateway that are past their time and not held are deleted, then the leaves and
 * heads of its chains that speak for nothing else, in the store and in the log on the disk.
 *
 *   ── horizon ──▶ everything before it is past the longest time, and nothing before it is held
 *
 * A chain is cut at a signed head before the horizon; that head stays, and the tree goes on from its peaks. What others
 * recorded into the same store is theirs to sweep.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Chain } from './chain.ts'
import { ChainLog, chainsIn } from './chain-log.ts'
import type { ClickHouse, Row } from './clickhouse.ts'
import { storedHolds } from './holds.ts'
import { mutate, type Tables } from './mutation.ts'
import { readHead } from './proof.ts'
import {
  DAY_MICROSECONDS,
  expiredRows,
  inScopes,
  longestDays,
  quoted,
  type Retention,
  type Scope,
} from './retention.ts'

export interface SweepOptions extends Tables {
  readonly gateway: string
  readonly chainFolder: string
}

export interface SweepRequest {
  readonly retention: Retention
  readonly holds: readonly Scope[]
  /** Microseconds. */
  readonly now: number
}

export interface Swept {
  /** Rows past their time, by connection; those of the control API under ''. */
  readonly rows: Readonly<Record<string, number>>
  /** Leaves of chains. */
  readonly leaves: number
}

/** Sessions of one statement. */
const SESSIONS_MAX = 5000

export class Sweep {
  readonly #options: SweepOptions

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** What there is to be deleted. Rejects with StoreError. */
  async look(store: ClickHouse, request: SweepRequest): Promise<Swept> {
    const { expired } = await this.#expired(store, request)
    const found = await store.query({
      sql: `SELECT connection, count() AS rows FROM ${this.#table('events')} WHERE ${expired} GROUP BY connection`,
    })
    const rows = found.map(({ connection, rows }) => [String(connection), Number(rows)] as const)
    return { rows: Object.fromEntries(rows), leaves: 0 }
  }

  /** Deletes it. `chain`: the one that goes on. Rejects with StoreError, or where the disk fails; then it is done again. */
  async run(store: ClickHouse, chain: Chain, request: SweepRequest): Promise<Swept> {
    const found = await this.look(store, request)
    const { expired, horizon } = await this.#expired(store, request)
    if (Object.keys(found.rows).length > 0) {
      await this.#dropSealed(store, expired)
      await mutate(store, this.#options, { table: 'events', change: `DELETE WHERE ${expired}` })
    }
    return { ...found, leaves: await this.#prune(store, chain, horizon) }
  }

  /** Holds are read again each time: another gateway may have one. */
  async #expired(store: ClickHouse, request: SweepRequest) {
    const { database, gateway } = this.#options
    const { retention, now } = request
    const holds = [...request.holds, ...(await storedHolds(store, database))]
    const [held] = await store.query({
      sql: `SELECT count() AS rows, toUnixTimestamp64Micro(min(ts)) AS at FROM ${this.#table('events')} WHERE ${inScopes(holds)}`,
    })
    const past = now - longestDays(retention) * DAY_MICROSECONDS
    const horizon = Number(held?.rows ?? 0) > 0 ? Math.min(past, Number(held?.at)) : past
    const instances = await store.query({
      sql: `SELECT DISTINCT instance FROM ${this.#table('instances')} WHERE gateway = {gateway:String}`,
      params: { gateway },
    })
    const own = instances.map(({ instance }) => quoted(String(instance))).join(', ')
    const expired = expiredRows({ retention, holds, now, horizon })
    return { expired: own === '' ? '0' : `${expired} AND instance IN (${own})`, horizon }
  }

  /**
   * Originals of which no event will be left. Before these: of what is left without its event nobody could tell that it was not
   * added.
   */
  async #dropSealed(store: ClickHouse, expired: string): Promise<void> {
    const sessions = await store.query({
      sql: `SELECT session_id AS id, countIf(NOT (${expired})) AS kept,
          countIf(NOT (${expired}) AND kind = 'sealed') AS sealed,
          maxIf(JSONExtractUInt(text, 'batch'), (${expired}) AND kind = 'sealed') AS high
        FROM ${this.#table('events')} WHERE session_id GLOBAL IN (
          SELECT DISTINCT session_id FROM ${this.#table('events')} WHERE ${expired}) GROUP BY session_id`,
    })
    const begun = sessions.filter(({ kept, high }) => Number(kept) > 0 && Number(high) > 0)
    const isOver = ({ kept }: Row) => Number(kept) === 0
    const ids = (some: readonly Row[]) => some.map(({ id }) => quoted(String(id))).join(', ')
    for (const some of chunks(sessions.filter(isOver))) {
      await this.#drop(store, 'sealed_keys', `session_id IN (${ids(some)})`)
      await this.#drop(store, 'sealed', `session_id IN (${ids(some)})`)
    }
    for (const some of chunks(begun)) {
      const highs = some.map(({ high }) => Number(high)).join(', ')
      const last = `transform(session_id, [${ids(some)}], [${highs}], 0)`
      const over = some.filter(({ sealed }) => Number(sealed) === 0)
      if (over.length > 0) await this.#drop(store, 'sealed_keys', `session_id IN (${ids(over)})`)
      await this.#drop(store, 'sealed', `session_id IN (${ids(some)}) AND batch <= ${last}`)
    }
  }

  /** No part is written anew where there is nothing. */
  async #drop(store: ClickHouse, table: string, which: string): Promise<void> {
    const [left] = await store.query({
      sql: `SELECT count() AS rows FROM ${this.#table(table)} WHERE ${which}`,
      settings: { max_query_size: 64 << 20 },
    })
    if (Number(left?.rows ?? 0) > 0)
      await mutate(store, this.#options, { table, change: `DELETE WHERE ${which}` })
  }

  /** The log first: what is only in the store is a copy, what is only in the log is missed. */
  async #prune(store: ClickHouse, chain: Chain, horizon: number): Promise<number> {
    let leaves = 0
    for (const floor of await this.#floors(store, chain, horizon)) {
      const [id, size, number] = [quoted(floor.chain), floor.size, floor.number]
      const [found] = await store.query({
        sql: `SELECT uniqExact(n) AS rows FROM ${this.#table('chain_leaves')} WHERE chain = ${id} AND n < ${size}`,
      })
      const count = Number(found?.rows ?? 0)
      leaves += count
      if (floor.isOwn) chain.prune(size)
      const change = `DELETE WHERE chain = ${id} AND`
      if (count > 0)
        await mutate(store, this.#options, {
          table: 'chain_leaves',
          change: `${change} n < ${size}`,
        })
      const [heads] = await store.query({
        sql: `SELECT count() AS rows FROM ${this.#table('chains')} WHERE chain = ${id} AND number < ${number}`,
      })
      if (Number(heads?.rows ?? 0) > 0)
        await mutate(store, this.#options, {
          table: 'chains',
          change: `${change} number < ${number}`,
        })
    }
    return leaves
  }

  /** Where each chain of this gateway may be cut. What the store says of heads is not believed where the log is there. */
  async #floors(store: ClickHouse, chain: Chain, horizon: number) {
    const { gateway, chainFolder } = this.#options
    const own = chain.floor(horizon)
    const floors = own === undefined ? [] : [{ ...own, isOwn: true }]
    const known = await store.query({
      sql: `SELECT DISTINCT chain FROM ${this.#table('chains')} WHERE startsWith(chain, ${quoted(`${gateway}.`)})`,
    })
    const folders = new Set(chainsIn(chainFolder, gateway))
    for (const id of known.map((one) => String(one.chain))) {
      if (id === chain.id) continue
      const folder = join(chainFolder, id)
      const log = folders.has(id) ? new ChainLog(folder, true) : undefined
      const last = log === undefined ? undefined : readHead(log.headsAfter(-1).at(-1)?.text ?? '')
      const isOver = last !== undefined && last.at <= horizon
      const floor = log === undefined ? await this.#copied(store, id, horizon) : log.floor(horizon)
      const cut = isOver ? last : floor
      if (cut !== undefined) {
        floors.push({ ...cut, isOwn: false })
        log?.prune(cut.size)
      }
      log?.close()
      // Nothing of it is signed any more, and nothing is left to be shown.
      if (isOver) rmSync(folder, { recursive: true, force: true })
    }
    return floors
  }

  async #copied(store: ClickHouse, chain: string, horizon: number) {
    const [row] = await store.query({
      sql: `SELECT text FROM ${this.#table('chains')} WHERE chain = ${quoted(chain)}
        AND JSONExtractUInt(text, 6) <= ${horizon} ORDER BY number DESC LIMIT 1`,
    })
    return readHead(String(row?.text ?? ''))
  }

  #table(name: string): string {
    return `\`${this.#options.database}\`.${name}`
  }
}

function* chunks(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += SESSIONS_MAX)
    yield rows.filter((_, index) => index >= at && index < at + SESSIONS_MAX)
}
