/**
 * IO (files, sockets). Moves complete spool segments into ClickHouse, each exactly once.
 *
 * A segment's name is its deduplication token and stands in the column `segment` of its rows. So
 * after any failure it can be asked what arrived, and only a segment whose rows are all there is
 * deleted. The token alone is not enough: the engine notes it before the part is in place, and a
 * kill between the two would lose the rows (see `#settle`).
 *
 * A segment that the store does not accept is set aside as `.bad`, loudly, while the others go on.
 */
import { readFileSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ClickHouse } from './clickhouse.ts'
import { StoreError } from './clickhouse.ts'
import { COLUMN_NAMES, COLUMNS_HASH } from './columns.ts'
import type { ColumnList } from './earlier-columns.ts'
import { lockedText, setLockedAside } from './locked.ts'
import { mutate } from './mutation.ts'
import { isEncrypted, joinRows, type SegmentContent } from './segment.ts'
import { SegmentFile } from './segment-file.ts'
import { spoolFiles, spoolUsage } from './spool.ts'
import type { SpoolKeys } from './spool-cipher.ts'
import { openPaths, tokensOf, wholeInsert } from './whole-insert.ts'

export interface ShipperOptions {
  readonly spoolFolder: string
  readonly instance: string
  readonly database: string
  /** Name of the cluster of the servers. */
  readonly cluster?: string | undefined
  /** A store that is ready, with its tables; called before each use. */
  readonly store: () => Promise<ClickHouse>
  /** Called with each segment before it is stored; throws where it must not be yet. */
  readonly cover: (name: string, content: SegmentContent) => void
  /** The segment is gone. */
  readonly forget: (name: string) => void
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void
  /** Lists of columns that segments may have been written with before; default all there were. */
  readonly earlier?: readonly ColumnList[]
  /** Of encrypted segments. */
  readonly keys?: SpoolKeys
}

/** From this many waiting segments on, two are shipped at once. */
const BACKLOG = 4
/** How often a segment may be refused for its content before it is set aside. */
const REFUSALS_MAX = 3
const PAUSE_MS_MAX = 5000
/** A header is shorter: a file without a whole one, and with nothing behind this, was torn while it was made. */
const HEADER_BYTES_MAX = { clear: 64, encrypted: 192 } as const

/** Exceptions that say that the data is wrong, and will be next time: parsing, types, sizes. */
const CONTENT_EXCEPTIONS = new Set([
  6, 26, 27, 33, 38, 41, 44, 49, 53, 69, 70, 72, 117, 128, 131, 190, 321, 349, 407, 434, 473, 645,
])

export class Shipper {
  readonly #options: ShipperOptions
  /** One a lane. */
  readonly #files: readonly SegmentFile[]
  /** Segments that may have been sent before, here or by an earlier run. */
  readonly #doubtful = new Set<string>()
  readonly #refusals = new Map<string, number>()
  readonly #attempts = new Map<string, number>()
  #pauseMs = 0
  eventsShipped = 0
  segmentsShipped = 0
  segmentsBad = 0
  eventsLost = 0
  storeOk = true

  constructor(options: ShipperOptions) {
    this.#options = options
    const { earlier, keys } = options
    this.#files = [new SegmentFile(earlier, keys), new SegmentFile(earlier, keys)]
  }

  /**
   * Once, before the first `round`: what earlier runs left behind is completed, and may have been
   * sent already.
   */
  recover(): void {
    const { spoolFolder, instance } = this.#options
    for (const name of spoolFiles(spoolFolder)) {
      if (name.endsWith('.open') && !name.startsWith(instance)) this.#complete(name)
    }
    for (const name of spoolFiles(spoolFolder)) {
      if (name.endsWith('.seg')) this.#doubtful.add(name)
    }
  }

  /**
   * Completes segments of this run whose thread has died: no descriptor of this process is open on
   * them.
   */
  async recoverOrphans(): Promise<void> {
    const { spoolFolder, instance } = this.#options
    const open = spoolFiles(spoolFolder).filter((name) => name.endsWith('.open'))
    const ours = open.filter((name) => name.startsWith(instance))
    if (ours.length === 0) return
    const used = await openPaths()
    for (const name of ours) if (!used.has(name)) this.#complete(name)
  }

  /**
   * Ships every complete segment, oldest first. Returns the pause after which to call again, in
   * milliseconds: 0 where nothing failed. Never rejects.
   */
  async round(until = Number.POSITIVE_INFINITY): Promise<number> {
    const names = spoolFiles(this.#options.spoolFolder).filter((name) => name.endsWith('.seg'))
    const files = names.length < BACKLOG ? this.#files.filter((_, at) => at === 0) : this.#files
    const fine = await Promise.all(files.map((file) => this.#lane(names, file, until)))
    if (fine.every(Boolean)) this.#pauseMs = 0
    else this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, 100), PAUSE_MS_MAX)
    return this.#pauseMs * (0.5 + Math.random())
  }

  /** Ships what is left of `names`, one after the other. False where something failed. */
  async #lane(names: string[], file: SegmentFile, until: number): Promise<boolean> {
    let fine = true
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (Date.now() > until) break
      try {
        await this.#ship(name, file)
        this.storeOk = true
      } catch (error) {
        fine = false
        if (!this.#refused(name, error)) break
      }
    }
    return fine
  }

  get waiting(): { bytes: number; lagSeconds: number; segments: number } {
    const { bytes, oldestMs, segments } = spoolUsage(this.#options.spoolFolder)
    const lagSeconds = oldestMs === 0 ? 0 : Math.max(0, (Date.now() - oldestMs) / 1000)
    return { bytes, lagSeconds, segments }
  }

  async #ship(name: string, file: SegmentFile): Promise<void> {
    const path = join(this.#options.spoolFolder, name)
    const content = file.read(path)
    if (content !== 'foreign' && 'locked' in content) return this.#lock(name, content.locked)
    if (content === 'foreign' || content.header.columns !== COLUMNS_HASH) {
      return this.#setAside(name, 0, 'it was not written by this version')
    }
    // Before anything else: what is stored has its place in the chain.
    this.#options.cover(name, content)
    if (content.rows > 0) await this.#store(basename(name, '.seg'), name, content)
    this.eventsShipped += content.rows
    this.segmentsShipped++
    if (content.torn === 0 && content.damaged === 0) rmSync(path, { force: true })
    else this.#setAside(name, 0, 'a part of it does not check; the rest is stored')
    this.#forget(name)
  }

  async #store(id: string, name: string, content: SegmentContent): Promise<void> {
    const store = await this.#options.store()
    if (this.#doubtful.has(name) && (await this.#stored(store, id)) >= content.rows) return
    const attempt = this.#attempts.get(name) ?? 0
    const doubtful = this.#doubtful.has(name)
    this.#doubtful.add(name)
    const { database } = this.#options
    await store.insert({
      sql: `INSERT INTO \`${database}\`.events (${COLUMN_NAMES.join(', ')}) FORMAT MsgPack`,
      // Thousands of small blocks would each cost both sides a chunk of their own.
      body: joinRows(content),
      settings: wholeInsert(id, attempt),
    })
    if (doubtful) await this.#settle(store, { id, name, rows: content.rows, attempt })
  }

  /**
   * A doubtful insert was acknowledged: either now, or as a duplicate. A duplicate without rows is
   * a token that was noted by an engine that was killed before the part was in place; the rows need
   * another token. A part of the rows is what a segment of two months, which makes two parts, leaves
   * then: no token brings the one without the other, so all go and come again.
   */
  async #settle(
    store: ClickHouse,
    sent: { id: string; name: string; rows: number; attempt: number },
  ): Promise<void> {
    const found = await this.#stored(store, sent.id)
    if (found >= sent.rows) return
    const { database, cluster } = this.#options
    if (found > 0)
      await mutate(
        store,
        { database, cluster },
        { table: 'events', change: `DELETE WHERE segment IN (${tokensOf(sent.id, sent.attempt)})` },
      )
    this.#attempts.set(sent.name, sent.attempt + 1)
    throw new StoreError(`${found} of ${sent.rows} rows arrived`, undefined, undefined)
  }

  async #stored(store: ClickHouse, id: string): Promise<number> {
    const attempt = this.#attempts.get(`${id}.seg`) ?? 0
    const rows = await store.query({
      sql:
        `SELECT count() AS rows FROM \`${this.#options.database}\`.events ` +
        `WHERE segment IN (${tokensOf(id, attempt)})`,
    })
    return Number(rows[0]?.rows ?? 0)
  }

  /** True where the others may go on: the segment is at fault, not the store. */
  #refused(name: string, error: unknown): boolean {
    const exception = error instanceof StoreError ? error.exception : undefined
    this.#doubtful.add(name)
    if (exception === undefined || !CONTENT_EXCEPTIONS.has(exception)) {
      if (this.storeOk) this.#options.say('warn', `the record store fails: ${brief(error)}`)
      this.storeOk = false
      return false
    }
    const refusals = (this.#refusals.get(name) ?? 0) + 1
    this.#refusals.set(name, refusals)
    if (refusals >= REFUSALS_MAX) {
      const { spoolFolder, earlier, keys } = this.#options
      const content = new SegmentFile(earlier, keys).read(join(spoolFolder, name))
      const rows = content === 'foreign' || 'locked' in content ? 0 : content.rows
      this.#setAside(name, rows, `exception ${exception}`)
      this.#forget(name)
    }
    return true
  }

  #setAside(name: string, rows: number, why: string): void {
    const { spoolFolder, say } = this.#options
    this.segmentsBad++
    this.eventsLost += rows
    renameSync(join(spoolFolder, name), join(spoolFolder, name.replace(/\.(seg|open)$/, '.bad')))
    say('error', `spool segment ${name} is set aside as .bad: ${why}`)
  }

  /** Its key may come back, at another start. */
  #lock(name: string, id: string): void {
    setLockedAside(this.#options.spoolFolder, name)
    this.segmentsBad++
    this.#options.say('error', `spool segment ${name} is set aside: ${lockedText(id)}`)
    this.#forget(name.replace(/\.open$/, '.seg'))
  }

  #forget(name: string): void {
    this.#doubtful.delete(name)
    this.#refusals.delete(name)
    this.#attempts.delete(name)
    this.#options.forget(name)
  }

  /** An `.open` file that nobody writes any more: its torn tail is cut, the rest is a segment. */
  #complete(name: string): void {
    const path = join(this.#options.spoolFolder, name)
    try {
      const content = new SegmentFile(undefined, this.#options.keys).read(path)
      if (content === 'foreign' && !isBlank(path)) {
        this.#setAside(name, 0, 'it is not a segment')
        return
      }
      if (content !== 'foreign' && 'locked' in content) {
        this.#lock(name, content.locked)
        return
      }
      // Blocks that were changed are no crash: they are set aside with all that is good.
      if (content === 'foreign' || (content.rows === 0 && content.damaged === 0)) {
        rmSync(path, { force: true })
        return
      }
      // Never acknowledged, so never forwarded: what was torn describes nothing that happened.
      if (content.torn > 0) truncateSync(path, content.end)
      renameSync(path, path.replace(/\.open$/, '.seg'))
      this.#doubtful.add(name.replace(/\.open$/, '.seg'))
    } catch {
      // Completed by its own thread in this moment, or unreadable: the next look decides.
    }
  }
}

/** Room for a segment, of which at most a part of the header was written. */
function isBlank(path: string): boolean {
  const bytes = readFileSync(path)
  const kind = isEncrypted(bytes) ? 'encrypted' : 'clear'
  const rest = bytes.subarray(HEADER_BYTES_MAX[kind])
  return rest.equals(Buffer.alloc(rest.length))
}

/**
 * Exceptions of the store may quote data: only their beginning, up to the first quoted value, goes
 * to the log.
 */
function brief(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof StoreError)) return message
  return message.split(/['"`\n]/, 1)[0]!.substring(0, 200)
}
