/**
 * IO (files, sockets). Moves complete segments of sealed originals into the tables `sealed` and `sealed_keys`, each exactly
 * once: a segment's name is its token and stands in the column `segment`. What may have been sent before is counted first,
 * and after the insert, as in ship.ts. Much less comes here than there, so it is done one after the other.
 */
import { readFileSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type ClickHouse, StoreError } from './clickhouse.ts'
import { lockedText, setLockedAside } from './locked.ts'
import { mutate } from './mutation.ts'
import { isSealedBeginning, readSealedFile } from './sealed-cipher.ts'
import { SEALED_COLUMNS, type SealedTable } from './sealed-segment.ts'
import { sealedFolder } from './sealed-spool.ts'
import { spoolFiles } from './spool.ts'
import { SpoolKeys } from './spool-cipher.ts'
import { openPaths, tokensOf, wholeInsert } from './whole-insert.ts'

export interface SealedShipperOptions {
  readonly spoolFolder: string
  readonly instance: string
  readonly database: string
  /** Name of the cluster of the servers. */
  readonly cluster?: string | undefined
  /** A store that is ready, with its tables. */
  readonly store: () => Promise<ClickHouse>
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void
  /** Of encrypted segments. */
  readonly keys?: SpoolKeys
}

const LOOK_MS = 500
const PAUSE_MS_MAX = 5000
const ORPHANS_MS = 5000
const REFUSALS_MAX = 3
/** Exceptions that say that the data is wrong, and will be next time. */
const CONTENT_EXCEPTIONS = new Set([6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 128, 131, 349, 432])

export class SealedShipper {
  readonly #options: SealedShipperOptions
  readonly #folder: string
  readonly #keys: SpoolKeys
  readonly #doubtful = new Set<string>()
  readonly #tries = new Map<string, number>()
  readonly #refusals = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<boolean> | undefined
  #pauseMs = LOOK_MS
  #orphansAt = 0
  #isFine = true
  #isStopped = false

  /** What earlier runs left is completed, and may have been sent. Nothing is sent before `start`. */
  constructor(options: SealedShipperOptions) {
    this.#options = options
    this.#folder = sealedFolder(options.spoolFolder)
    this.#keys = options.keys ?? new SpoolKeys()
    for (const name of this.#files('.open'))
      if (!name.startsWith(options.instance)) this.#complete(name)
    for (const name of this.#files('.seg')) this.#doubtful.add(name)
  }

  start(): void {
    this.#later()
  }

  /** Ships what is there until the deadline (milliseconds since 1970), and no more after that. */
  async stop(deadline: number): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
    while (this.#files('.seg').length > 0 && Date.now() < deadline) {
      if (!(await this.round(deadline))) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** Ships every complete segment; false: the store did not take one. Never rejects. */
  async round(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (performance.now() - this.#orphansAt > ORPHANS_MS) {
      this.#orphansAt = performance.now()
      await this.#recoverOrphans()
    }
    for (const name of this.#files('.seg')) {
      if (Date.now() > until) return false
      try {
        await this.#ship(name)
        this.#isFine = true
      } catch (error) {
        if (!this.#isRefused(name, error)) return false
      }
    }
    return true
  }

  #later(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#running = this.round().then((fine) => {
        this.#pauseMs = fine ? LOOK_MS : Math.min(this.#pauseMs * 2, PAUSE_MS_MAX)
        this.#later()
        return fine
      })
    }, this.#pauseMs)
    this.#timer.unref()
  }

  async #ship(name: string): Promise<void> {
    const path = join(this.#folder, name)
    const content = readSealedFile(readFileSync(path), this.#keys)
    if (content === 'foreign') return this.#setAside(name, 'it was not written by this version')
    if ('locked' in content) return this.#lock(name, content.locked)
    // Keys first: without its key no batch can be opened.
    await this.#store('sealed_keys', name, content.rows.sealed_keys)
    await this.#store('sealed', name, content.rows.sealed)
    if (content.torn > 0 || content.isDamaged) this.#setAside(name, 'a part of it does not check')
    else rmSync(path, { force: true })
    this.#forget(name)
  }

  async #store(table: SealedTable, name: string, rows: readonly Buffer[]): Promise<void> {
    if (rows.length === 0) return
    const { database, cluster } = this.#options
    const store = await this.#options.store()
    const id = basename(name, '.seg')
    const isDoubtful = this.#doubtful.has(name)
    const tries = this.#tries.get(`${table} ${name}`) ?? 0
    const which = `segment IN (${tokensOf(id, tries)})`
    if (isDoubtful && (await this.#stored(store, table, which)) >= rows.length) return
    this.#doubtful.add(name)
    await store.insert({
      sql: `INSERT INTO \`${database}\`.${table} (${SEALED_COLUMNS[table]}) FORMAT RowBinary`,
      body: Buffer.concat(rows),
      settings: wholeInsert(id, tries),
    })
    if (!isDoubtful) return
    const found = await this.#stored(store, table, which)
    if (found >= rows.length) return
    // Acknowledged as a duplicate of what an engine noted before it was killed: all of it, or one of two months.
    if (found > 0)
      await mutate(store, { database, cluster }, { table, change: `DELETE WHERE ${which}` })
    this.#tries.set(`${table} ${name}`, tries + 1)
    throw new StoreError(`${found} of ${rows.length} rows arrived`, undefined, undefined)
  }

  async #stored(store: ClickHouse, table: SealedTable, which: string): Promise<number> {
    const rows = await store.query({
      sql: `SELECT count() AS rows FROM \`${this.#options.database}\`.${table} WHERE ${which}`,
    })
    return Number(rows[0]?.rows ?? 0)
  }

  /** True where the others may go on: the segment is at fault, not the store. */
  #isRefused(name: string, error: unknown): boolean {
    const exception = error instanceof StoreError ? error.exception : undefined
    if (exception === undefined || !CONTENT_EXCEPTIONS.has(exception)) {
      if (this.#isFine) this.#options.say('warn', 'sealed originals wait: the record store fails')
      this.#isFine = false
      return false
    }
    const refusals = (this.#refusals.get(name) ?? 0) + 1
    this.#refusals.set(name, refusals)
    if (refusals >= REFUSALS_MAX) {
      this.#setAside(name, `exception ${exception}`)
      this.#forget(name)
    }
    return true
  }

  #setAside(name: string, why: string): void {
    renameSync(join(this.#folder, name), join(this.#folder, name.replace(/\.(seg|open)$/, '.bad')))
    this.#options.say('error', `sealed segment ${name} is set aside as .bad: ${why}`)
  }

  /** Its key may come back, at another start. */
  #lock(name: string, id: string): void {
    setLockedAside(this.#folder, name)
    this.#options.say('error', `sealed segment ${name} is set aside: ${lockedText(id)}`)
    this.#forget(name)
  }

  #forget(name: string): void {
    this.#doubtful.delete(name)
    this.#refusals.delete(name)
    for (const table of Object.keys(SEALED_COLUMNS)) this.#tries.delete(`${table} ${name}`)
  }

  /** Of workers of this run that have died: no descriptor of the process is open on their files. */
  async #recoverOrphans(): Promise<void> {
    const open = this.#files('.open').filter((name) => name.startsWith(this.#options.instance))
    if (open.length === 0) return
    const used = await openPaths()
    for (const name of open) if (!used.has(name)) this.#complete(name)
  }

  /** Nobody writes it any more: what is torn at its end was never acknowledged. */
  #complete(name: string): void {
    const path = join(this.#folder, name)
    try {
      const bytes = readFileSync(path)
      const content = readSealedFile(bytes, this.#keys)
      if (content === 'foreign' && !isSealedBeginning(bytes)) {
        this.#setAside(name, 'it is not a segment')
        return
      }
      if (content !== 'foreign' && 'locked' in content) {
        this.#lock(name, content.locked)
        return
      }
      const isEmpty = (table: SealedTable) =>
        content === 'foreign' || content.rows[table].length === 0
      // What was changed is no crash: it is set aside with all that is good.
      if (
        content === 'foreign' ||
        (isEmpty('sealed') && isEmpty('sealed_keys') && !content.isDamaged)
      ) {
        rmSync(path, { force: true })
        return
      }
      if (content.torn > 0) truncateSync(path, content.end)
      renameSync(path, path.replace(/\.open$/, '.seg'))
      this.#doubtful.add(name.replace(/\.open$/, '.seg'))
    } catch {
      // Completed by its own thread in this moment, or unreadable: the next look decides.
    }
  }

  #files(ending: '.open' | '.seg'): string[] {
    return spoolFiles(this.#folder).filter((name) => name.endsWith(ending))
  }
}
