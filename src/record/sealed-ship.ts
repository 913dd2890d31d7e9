/**
 * IO (files, sockets). Moves complete segments of sealed originals into the tables `sealed` and `sealed_keys`, each exactly once
 * (whole-insert.ts). Much less comes here than in ship.ts, so it is done one after the other.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { ClickHouse } from './clickhouse.ts'
import { isSealedBeginning, readSealedFile } from './sealed-cipher.ts'
import { SEALED_COLUMNS, type SealedTable } from './sealed-segment.ts'
import { sealedFolder } from './sealed-spool.ts'
import { type ReadLeft, SegmentFolder } from './segment-folder.ts'
import { SpoolKeys } from './spool-cipher.ts'
import { WholeInserts } from './whole-insert.ts'

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
/** Keys first: without its key no batch can be opened. */
const TABLES: readonly SealedTable[] = ['sealed_keys', 'sealed']

export class SealedShipper {
  readonly #options: SealedShipperOptions
  readonly #inserts: WholeInserts
  readonly #folder: SegmentFolder
  readonly #keys: SpoolKeys
  #timer: NodeJS.Timeout | undefined
  #running: Promise<boolean> | undefined
  #pauseMs = LOOK_MS
  #orphansAt = 0
  #isFine = true
  #isStopped = false

  /** What earlier runs left is completed, and may have been sent. Nothing is sent before `start`. */
  constructor(options: SealedShipperOptions) {
    this.#options = options
    this.#keys = options.keys ?? new SpoolKeys()
    this.#inserts = new WholeInserts(options)
    this.#folder = new SegmentFolder({
      ...options,
      folder: sealedFolder(options.spoolFolder),
      what: 'sealed segment',
      read: (path) => this.#left(path),
      gone: (name) => this.#inserts.forget(name),
      doubt: (name) => this.#inserts.doubt(name),
    })
    this.#folder.recover()
  }

  start(): void {
    this.#later()
  }

  /** Ships what is there until the deadline (milliseconds since 1970), and no more after that. */
  async stop(deadline: number): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
    while (this.#folder.complete.length > 0 && Date.now() < deadline) {
      if (!(await this.round(deadline))) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** Ships every complete segment; false: the store did not take one. Never rejects. */
  async round(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (performance.now() - this.#orphansAt > ORPHANS_MS) {
      this.#orphansAt = performance.now()
      await this.#folder.recoverOrphans()
    }
    for (const name of this.#folder.complete) {
      if (Date.now() > until) return false
      try {
        await this.#ship(name)
        this.#isFine = true
      } catch (error) {
        if (!this.#refused(name, error)) return false
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
    const content = readSealedFile(readFileSync(this.#folder.path(name)), {
      keys: this.#keys,
      name,
    })
    if (content === 'foreign') {
      this.#folder.setAside(name, this.#keys.whyForeign(name))
      return
    }
    if ('locked' in content) {
      this.#folder.lock(name, content.locked)
      return
    }
    for (const table of TABLES) {
      const rows = content.rows[table]
      const as = `(${SEALED_COLUMNS[table]}) FORMAT RowBinary`
      // Each piece is a write of its own, and there may be tens of thousands.
      const body = () => [Buffer.concat(rows)]
      if (rows.length > 0) await this.#inserts.insert(name, { table, as, count: rows.length, body })
    }
    if (content.torn > 0 || content.isDamaged) {
      this.#folder.setAside(name, 'a part of it does not check; the rest is stored')
      return
    }
    this.#folder.remove(name)
    this.#inserts.forget(name)
  }

  /** True where the others may go on: the segment is at fault, not the store. */
  #refused(name: string, error: unknown): boolean {
    const refused = this.#inserts.refused(name, error)
    if (refused === undefined) {
      if (this.#isFine) this.#options.say('warn', 'sealed originals wait: the record store fails')
      this.#isFine = false
      return false
    }
    if (refused.isOver) this.#folder.setAside(name, `exception ${refused.exception}`)
    return true
  }

  #left(path: string): ReadLeft {
    const bytes = readFileSync(path)
    const content = readSealedFile(bytes, { keys: this.#keys, name: basename(path) })
    if (content === 'foreign') return isSealedBeginning(bytes) ? 'blank' : 'foreign'
    if ('locked' in content) return content
    const { rows, isDamaged, end, torn } = content
    const isEmpty = TABLES.every((table) => rows[table].length === 0)
    // What was changed is no crash: it is set aside with all that is good.
    return { isEmpty: isEmpty && !isDamaged, end, torn }
  }
}
