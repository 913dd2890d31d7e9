/**
 * Pure. What the embedded engine gets of each segment (engine-rows.ts), collected while the chain covers it, until it is
 * shipped. Of a segment that was covered before (by an earlier run, or while too many waited) it is made when it is shipped.
 */
import { Runs } from './canonical.ts'
import { ENGINE_ROWS_MIN, type EngineInsert, EngineRows } from './engine-rows.ts'
import type { SegmentContent } from './segment.ts'

/** Of rows that wait; what comes beyond is made again from the segment. */
const WAITING_BYTES_MAX = 64 << 20
const SALT = new Uint8Array(16)

export class EngineInserts {
  readonly #rowsMin: number
  readonly #waiting = new Map<string, { readonly rows: EngineRows; until: number }>()
  /** As the last segment had better been. */
  #isInline = false

  constructor(rowsMin: number = ENGINE_ROWS_MIN) {
    this.#rowsMin = rowsMin
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
    const rows = new EngineRows(this.#isInline)
    this.#waiting.set(segment, { rows, until })
    return rows
  }

  /** Once; undefined: it goes as it stands. */
  take(segment: string, content: SegmentContent): EngineInsert | undefined {
    const rows = this.#waiting.get(segment)?.rows
    this.drop(segment)
    if (content.rows < this.#rowsMin) return undefined
    return this.#insert(content, rows ?? again(content, this.#isInline))
  }

  /** It is not shipped, or not this way. */
  drop(segment: string): void {
    this.#waiting.delete(segment)
  }

  /** Drops those of which there is no file. */
  keep(segments: readonly string[]): void {
    if (this.#waiting.size === 0) return
    const kept = new Set(segments)
    for (const segment of this.#waiting.keys()) if (!kept.has(segment)) this.drop(segment)
  }

  #insert(content: SegmentContent, rows: EngineRows | undefined): EngineInsert | undefined {
    if (rows === undefined) return undefined
    this.#isInline = rows.hasManyShapes
    const isOther = rows.count !== content.rows || (this.#isInline && !rows.isInline)
    const made = isOther ? again(content, this.#isInline) : rows
    return made?.insert(content.rows, this.#rowsMin)
  }
}

/** undefined: something in it is no row, and the store says what. */
function again(
  { bytes, blocks, names }: SegmentContent,
  isInline: boolean,
): EngineRows | undefined {
  const rows = new EngineRows(isInline)
  const runs = new Runs(() => SALT, rows)
  try {
    for (let i = 0; i < blocks.length; i += 2) runs.add(bytes, [blocks[i], blocks[i + 1]], names)
  } catch {
    return undefined
  }
  return rows
}
