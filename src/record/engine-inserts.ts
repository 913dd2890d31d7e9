/**
 * Pure. What the embedded engine gets of each segment (engine-rows.ts), collected while the chain covers it, until it is
 * shipped. Of a segment that was covered before (by an earlier run, or while too many waited) it is made when it is shipped.
 */
import type { SpareMemory } from '../base/spare-memory.ts'
import { Runs } from './canonical.ts'
import { ENGINE_ROWS_MIN, type EngineInsert, EngineRows } from './engine-rows.ts'
import type { SegmentContent } from './segment.ts'

/** Of rows that wait; what comes beyond is made again from the segment. */
const WAITING_BYTES_MAX = 64 << 20
const SALT = new Uint8Array(16)

export class EngineInserts {
  readonly #rowsMin: number
  readonly #spare: SpareMemory | undefined
  readonly #waiting = new Map<string, { readonly rows: EngineRows; until: number }>()
  /** What is sent just now. */
  readonly #taken = new Map<string, EngineRows>()
  /** As the last segment had better been. */
  #isInline = false

  constructor(rowsMin: number = ENGINE_ROWS_MIN, spare?: SpareMemory) {
    this.#rowsMin = rowsMin
    this.#spare = spare
  }

  /**
   * Where rows of these blocks of the segment go; undefined where too many wait, or those of the blocks before are not there:
   * they may come again where they could not be noted, and each row counts once.
   */
  rows(segment: string, from: number, until: number): EngineRows | undefined {
    const known = this.#waiting.get(segment)
    if (from > 0 && known?.until === from) {
      known.until = until
      return known.rows
    }
    this.drop(segment)
    let bytes = 0
    for (const { rows } of this.#waiting.values()) bytes += rows.bytes
    if (from > 0 || bytes > WAITING_BYTES_MAX) return undefined
    const rows = new EngineRows(this.#isInline, this.#spare)
    this.#waiting.set(segment, { rows, until })
    return rows
  }

  /** Once; undefined: it goes as it stands. */
  take(segment: string, content: SegmentContent): EngineInsert | undefined {
    const rows = this.#waiting.get(segment)?.rows
    this.drop(segment)
    if (content.rows < this.#rowsMin) return undefined
    return this.#insert(segment, content, rows ?? this.#again(content))
  }

  /** It is not shipped, or not this way. */
  drop(segment: string): void {
    this.#waiting.delete(segment)
    this.#taken.delete(segment)
  }

  /** It is stored: what was taken of it is not looked at any more. */
  stored(segment: string): void {
    this.#taken.get(segment)?.end()
    this.drop(segment)
  }

  /** Drops those of which there is no file. */
  keep(segments: readonly string[]): void {
    if (this.#waiting.size === 0) return
    const kept = new Set(segments)
    for (const segment of this.#waiting.keys()) if (!kept.has(segment)) this.drop(segment)
  }

  #insert(
    segment: string,
    content: SegmentContent,
    rows: EngineRows | undefined,
  ): EngineInsert | undefined {
    if (rows === undefined) return undefined
    this.#isInline = rows.hasManyShapes
    const isOther = rows.count !== content.rows || (this.#isInline && !rows.isInline)
    if (isOther) rows.end()
    const made = isOther ? this.#again(content) : rows
    if (made !== undefined) this.#taken.set(segment, made)
    return made?.insert(content.rows, this.#rowsMin)
  }

  /** undefined: something in it is no row, and the store says what. */
  #again({ bytes, blocks, names }: SegmentContent): EngineRows | undefined {
    const rows = new EngineRows(this.#isInline, this.#spare)
    const runs = new Runs(() => SALT, rows, this.#spare)
    try {
      for (let i = 0; i < blocks.length; i += 2) runs.add(bytes, [blocks[i], blocks[i + 1]], names)
    } catch {
      return undefined
    }
    return rows
  }
}
