/**
 * IO (sockets). Segments into tables, each exactly once; for events (ship.ts) and sealed originals (sealed-ship.ts) alike.
 *
 * A segment's name is its deduplication token and stands in the column `segment` of its rows. So after any failure a table can
 * be asked what arrived, and only a segment whose rows are all there is deleted. The token alone is not enough: the engine notes
 * it before the part is in place, and a kill between the two would lose the rows (`#settle`).
 */
import { basename } from 'node:path'
import { type ClickHouse, type Settings, StoreError } from './clickhouse.ts'
import { mutate, type Tables } from './mutation.ts'
import { quoted } from './retention.ts'

/** Rows of one segment for one table. */
export interface WholeRows {
  readonly table: string
  /** Names of columns and the format, as they stand behind the table in an INSERT. */
  readonly as: string
  readonly count: number
  /** What `as` needs to be one block. */
  readonly settings?: Settings
  /** Called where they are sent; one piece behind the other. */
  readonly body: () => readonly Uint8Array[]
}

export interface WholeInsertsOptions extends Tables {
  /** A store that is ready, with its tables; called before each use. */
  readonly store: () => Promise<ClickHouse>
}

/** Tokens of a segment that are looked for, whether or not this run has sent them. */
const ATTEMPTS = 8
/** How often a segment may be refused for its content before it is given up. */
const REFUSALS_MAX = 3

/** Exceptions of ClickHouse that say that the data is wrong, and will be next time: parsing, types, sizes. */
const CONTENT_EXCEPTIONS: ReadonlySet<number> = new Set([
  ...[6, 26, 27, 33, 38, 41, 72], // what cannot be parsed or read to its end
  ...[44, 49, 53, 70, 117, 190, 349, 645], // columns and types that do not fit, and what the engine did not expect
  ...[69, 128, 131, 321, 407], // numbers and sizes out of range
])

export class WholeInserts {
  readonly #options: WholeInsertsOptions
  /** Segments that may have been sent before, by an earlier run or after a failure. */
  readonly #doubted = new Set<string>()
  /** By table and segment, once it was sent. */
  readonly #attempts = new Map<string, number>()
  readonly #refusals = new Map<string, number>()

  constructor(options: WholeInsertsOptions) {
    this.#options = options
  }

  doubt(name: string): void {
    this.#doubted.add(name)
  }

  /** Resolves when all rows are in the table, once. Rejects with StoreError; calling again tries again. */
  async insert(name: string, rows: WholeRows): Promise<void> {
    const id = basename(name, '.seg')
    const key = `${rows.table} ${name}`
    const store = await this.#options.store()
    const attempt = this.#attempts.get(key) ?? 0
    const isDoubtful = this.#doubted.has(name) || this.#attempts.has(key)
    const which = `segment IN (${tokensOf(id, attempt)})`
    if (isDoubtful && (await this.#found(store, rows.table, which)) >= rows.count) return
    this.#attempts.set(key, attempt)
    await store.insert({
      sql: `INSERT INTO \`${this.#options.database}\`.${rows.table} ${rows.as}`,
      body: rows.body(),
      settings: { ...wholeInsert(id, attempt), ...rows.settings },
    })
    if (isDoubtful) await this.#settle(store, { key, attempt, which, rows })
  }

  /** Of an error of `insert`. undefined: the store is at fault and not the segment; else whether it is to be given up. */
  refused(
    name: string,
    error: unknown,
  ): { readonly exception: number; readonly isOver: boolean } | undefined {
    const exception = error instanceof StoreError ? error.exception : undefined
    this.#doubted.add(name)
    if (exception === undefined || !CONTENT_EXCEPTIONS.has(exception)) return undefined
    const refusals = (this.#refusals.get(name) ?? 0) + 1
    this.#refusals.set(name, refusals)
    return { exception, isOver: refusals >= REFUSALS_MAX }
  }

  forget(name: string): void {
    this.#doubted.delete(name)
    this.#refusals.delete(name)
    for (const key of this.#attempts.keys())
      if (key.endsWith(` ${name}`)) this.#attempts.delete(key)
  }

  /**
   * A doubtful insert was acknowledged: either now, or as a duplicate. A duplicate without rows is a token that was noted by an
   * engine that was killed before the part was in place; the rows need another token. A part of the rows is what a segment of
   * two months, which makes two parts, leaves then: no token brings the one without the other, so all go and come again.
   */
  async #settle(
    store: ClickHouse,
    { key, attempt, which, rows }: { key: string; attempt: number; which: string; rows: WholeRows },
  ): Promise<void> {
    const { table, count } = rows
    const found = await this.#found(store, table, which)
    if (found >= count) return
    if (found > 0) await mutate(store, this.#options, { table, change: `DELETE WHERE ${which}` })
    this.#attempts.set(key, attempt + 1)
    throw new StoreError(`${found} of ${count} rows arrived`, undefined, undefined)
  }

  async #found(store: ClickHouse, table: string, which: string): Promise<number> {
    const [row] = await store.query({
      sql: `SELECT count() AS rows FROM \`${this.#options.database}\`.${table} WHERE ${which}`,
    })
    return Number(row?.rows ?? 0)
  }
}

/** One insert, one block, one part, under the token of this attempt, from 0: all of it or nothing. */
function wholeInsert(id: string, attempt: number): Settings {
  return {
    insert_deduplication_token: attempt === 0 ? id : `${id}~${attempt}`,
    async_insert: 0,
    insert_deduplicate: 1,
    max_insert_block_size: 10_000_000,
    min_insert_block_size_rows: 10_000_000,
    min_insert_block_size_bytes: 1 << 30,
  }
}

/** All that rows of a segment may have been sent under, as literals. Names of segments are ours. */
function tokensOf(id: string, attempt: number): string {
  const again = Array.from({ length: Math.max(ATTEMPTS, attempt) }, (_, i) => `${id}~${i + 1}`)
  return [id, ...again].map(quoted).join(', ')
}
