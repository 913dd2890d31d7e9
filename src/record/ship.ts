/**
 * IO (files, sockets). Moves complete spool segments into ClickHouse, each exactly once (whole-insert.ts).
 *
 * A segment that the store does not accept is set aside as `.bad`, loudly, while the others go on.
 */
import { readFileSync } from 'node:fs'
import type { ClickHouse } from './clickhouse.ts'
import { StoreError } from './clickhouse.ts'
import { COLUMN_NAMES, COLUMNS_HASH } from './columns.ts'
import type { ColumnList } from './earlier-columns.ts'
import type { EngineInserts } from './engine-inserts.ts'
import { isEncrypted, joinRows, type SegmentContent, soundBlocks } from './segment.ts'
import { SegmentFile } from './segment-file.ts'
import { type ReadLeft, SegmentFolder } from './segment-folder.ts'
import { baseName, lagSeconds, spoolUsage } from './spool.ts'
import { SpoolKeys } from './spool-cipher.ts'
import { WholeInserts } from './whole-insert.ts'

export interface ShipperOptions {
  readonly spoolFolder: string
  readonly instance: string
  readonly database: string
  /** Name of the cluster of the servers. */
  readonly cluster?: string | undefined
  /** A store that is ready, with its tables; called before each use. */
  readonly store: () => Promise<ClickHouse>
  /** A segment of which something is in memory already. */
  readonly opened?: (name: string) => SegmentContent | undefined
  /** Called with each segment before it is stored; throws where it must not be yet. */
  readonly cover: (name: string, content: SegmentContent) => void
  /** The segment is stored: what `opened` gave of it is not looked at any more. */
  readonly stored?: (name: string) => void
  /** The segment is gone. */
  readonly forget: (name: string) => void
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void
  /** Lists of columns that segments may have been written with before; default all there were. */
  readonly earlier?: readonly ColumnList[]
  /** Of encrypted segments. */
  readonly keys?: SpoolKeys
  /** Columns that many rows share are sent once: the store is ours, and reads faster so. */
  readonly inserts?: EngineInserts | undefined
}

/** From this many waiting segments on, two are shipped at once. */
const BACKLOG = 4
const PAUSE_MS_MAX = 5000
/** A header is shorter: a file without a whole one, and with nothing behind this, was torn while it was made. */
const HEADER_BYTES_MAX = { clear: 64, encrypted: 192 } as const

/** What the store says of rows that are none. */
const INCORRECT_DATA = 117
/** As it stands behind the table in an INSERT. */
const AS = `(${COLUMN_NAMES.join(', ')}) FORMAT MsgPack`

export class Shipper {
  readonly #options: ShipperOptions
  /** One a lane. */
  readonly #files: readonly SegmentFile[]
  readonly #inserts: WholeInserts
  readonly #folder: SegmentFolder
  /** Failed once: sent as they stand from then on, since what fails may be the other form, or the engine over it. */
  readonly #whole = new Set<string>()
  #pauseMs = 0
  eventsShipped = 0
  segmentsShipped = 0
  eventsLost = 0
  storeOk = true

  constructor(options: ShipperOptions) {
    this.#options = options
    const { earlier, keys } = options
    this.#files = [new SegmentFile(earlier, keys), new SegmentFile(earlier, keys)]
    this.#inserts = new WholeInserts(options)
    this.#folder = new SegmentFolder({
      ...options,
      folder: options.spoolFolder,
      what: 'spool segment',
      read: (path) => this.#left(path),
      gone: (name) => this.#forget(name),
      doubt: (name) => this.#inserts.doubt(name),
    })
  }

  /**
   * Once, before the first `round`: what earlier runs left behind is completed, and may have been
   * sent already.
   */
  recover(): void {
    this.#folder.recover()
  }

  /**
   * Completes segments of this run whose thread has died: no descriptor of this process is open on
   * them.
   */
  recoverOrphans(): Promise<void> {
    return this.#folder.recoverOrphans()
  }

  get segmentsBad(): number {
    return this.#folder.bad
  }

  /**
   * Ships every complete segment, oldest first. Returns the pause after which to call again, in
   * milliseconds: 0 where nothing failed. Never rejects.
   */
  async round(until = Number.POSITIVE_INFINITY): Promise<number> {
    const names = this.#folder.complete
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
    const usage = spoolUsage(this.#options.spoolFolder)
    return { bytes: usage.bytes, lagSeconds: lagSeconds(usage), segments: usage.segments }
  }

  async #ship(name: string, file: SegmentFile): Promise<void> {
    const content = this.#options.opened?.(name) ?? file.read(this.#folder.path(name))
    if (content !== 'foreign' && 'locked' in content) {
      this.#folder.lock(name, content.locked)
      return
    }
    if (content === 'foreign' || content.header.columns !== COLUMNS_HASH) {
      const keys = this.#options.keys ?? new SpoolKeys()
      this.#folder.setAside(name, keys.whyForeign(name))
      return
    }
    // Before anything else: what is stored has its place in the chain.
    this.#options.cover(name, content)
    // Thousands of small blocks would each cost both sides a chunk of their own.
    const inserts = this.#whole.has(name) ? undefined : this.#options.inserts
    const made = content.rows > 0 ? inserts?.take(baseName(name), content) : undefined
    const { sound, as, settings, body } = made ? { ...made, sound: content } : wholeRows(content)
    const { rows: count, torn, damaged } = sound
    if (count > 0)
      await this.#inserts.insert(name, { table: 'events', as, settings, count, body: () => body })
    this.eventsShipped += count
    this.segmentsShipped++
    this.#options.inserts?.stored(baseName(name))
    if (torn === 0 && damaged === 0) {
      this.#folder.remove(name)
      this.#options.stored?.(name)
      this.#forget(name)
    } else this.#folder.setAside(name, 'a part of it does not check; the rest is stored')
  }

  /** True where the others may go on: the segment is at fault, not the store. */
  #refused(name: string, error: unknown): boolean {
    this.#whole.add(name)
    this.#options.inserts?.drop(baseName(name))
    const refused = this.#inserts.refused(name, error)
    if (refused === undefined) {
      if (this.storeOk) this.#options.say('warn', `the record store fails: ${brief(error)}`)
      this.storeOk = false
      return false
    }
    if (!refused.isOver) return true
    const { earlier, keys } = this.#options
    const content = new SegmentFile(earlier, keys).read(this.#folder.path(name))
    if (content !== 'foreign' && !('locked' in content)) this.eventsLost += content.rows
    this.#folder.setAside(name, `exception ${refused.exception}`)
    return true
  }

  #forget(name: string): void {
    this.#inserts.forget(name)
    this.#whole.delete(name)
    this.#options.inserts?.drop(baseName(name))
    this.#options.forget(name)
  }

  #left(path: string): ReadLeft {
    const content = new SegmentFile(undefined, this.#options.keys).read(path)
    // Zeros of a header that was torn may look like a key that nobody has.
    if (content === 'foreign' || 'locked' in content) return isBlank(path) ? 'blank' : content
    const { rows, damaged, end, torn } = content
    // Blocks that were changed are no crash: they are set aside with all that is good.
    return { isEmpty: rows === 0 && damaged === 0, end, torn }
  }
}

/** As they are inserted where nothing else is known of them; of a segment that is not whole, what is sound. */
function wholeRows(content: SegmentContent) {
  const insert = { as: AS, settings: {} }
  try {
    return { ...insert, body: [joinRows(content)], sound: content }
  } catch {
    const sound = soundBlocks(content)
    return { ...insert, body: [joinedRows(sound)], sound }
  }
}

function joinedRows(content: SegmentContent): Buffer {
  try {
    return joinRows(content)
  } catch (cause) {
    // No store would take it, however often it is sent.
    throw new StoreError(String(cause), INCORRECT_DATA, cause)
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
