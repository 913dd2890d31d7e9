/**
 * Pure. Masks DataRow frames after the plan of their row description, frame by frame or a span of
 * many at once.
 *
 *   ┌─────┬───────────┬───────────┬──────────────────────────────┐
 *   │ 'D' │ size, i32 │ count u16 │ length i32 (-1 NULL) · bytes │ × count
 *   └─────┴───────────┴───────────┴──────────────────────────────┘
 *
 * https://www.postgresql.org/docs/18/protocol-message-formats.html. Nothing is allocated for values
 * that stay as they are; what stays between two masked values is copied in one piece, across rows
 * too.
 */
import type { ByteSink } from '../../base/bytes.ts'
import type { RowPlan, TypeFamily } from '../../mask/plan.ts'
import { Originals } from './mask-originals.ts'
import { type FieldMasker, fieldMasker, type MaskContext } from './mask-value.ts'

const DATA_ROW = 0x44
const HEAD_SIZE = 5
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Families whose parts stand in quotes that may be doubled. */
const QUOTING: readonly TypeFamily[] = ['array', 'record', 'other']

export class RowMasker {
  /** True: under this plan and context no row is ever changed, and rows may pass unread. */
  readonly idle: boolean
  readonly #context: MaskContext
  readonly #fields: readonly (FieldMasker | undefined)[]
  /**
   * Constant replacements per field since the last `settle`: cheaper than a map entry per value.
   */
  readonly #counts: Float64Array
  readonly #byColumn: boolean
  readonly #escapes: boolean
  readonly #quotes: boolean
  readonly #originals: Originals | undefined
  /** Source bytes before this are in the sink. */
  #copied = 0

  constructor(plan: RowPlan, context: MaskContext) {
    this.#context = context
    const { seal, tally } = context
    this.#originals = seal && new Originals(seal, { plan: plan ?? [], tally, isCopy: false })
    const counts =
      this.#originals === undefined ? context : { ...context, tally: this.#originals.tally }
    this.#fields = (plan ?? []).map((field) => fieldMasker(field, counts))
    this.#counts = new Float64Array(this.#fields.length)
    this.#byColumn = this.#fields.some((field) => field !== undefined && field.name !== '')
    this.#escapes = (plan ?? []).some((field) => field !== undefined && field.family !== 'text')
    this.#quotes = (plan ?? []).some((field) => field && QUOTING.includes(field.family))
    this.idle = this.#fields.every((field) => field === undefined)
  }

  /**
   * False: none of the rows within these bytes would be changed, so they may pass as they are. One
   * call for a whole chunk; frame bounds do not matter. It does not check that the rows are
   * well-formed.
   */
  mayChange(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.idle) return false
    if (this.#byColumn) return true
    const { applies } = this.#context
    const detectors =
      applies === 'all' ? this.#context.detectors : this.#context.detectors?.enforced
    if (detectors === undefined) return false
    if (detectors.mayHit(bytes, start, end)) return true
    // Escapes of JSON and arrays hide characters from a look at the raw bytes.
    const backslash = this.#escapes ? bytes.indexOf(BACKSLASH, start) : -1
    if (backslash >= 0 && backslash < end) return true
    const quote = this.#quotes ? bytes.indexOf(QUOTE, start) : -1
    return quote >= 0 && quote < end
  }

  /**
   * One whole DataRow frame. `same`: nothing was written, the frame goes as it is. `masked`: the
   * frame to send stands in the sink. `malformed`: nothing was written; counts and lengths do not
   * add up, or there are not as many values as fields.
   */
  maskRow(
    bytes: Buffer,
    frame: { readonly start: number; readonly end: number },
    sink: ByteSink,
  ): 'same' | 'masked' | 'malformed' {
    const mark = sink.size
    this.#copied = frame.start
    if (!this.#row(bytes, frame, sink)) {
      sink.size = mark
      return 'malformed'
    }
    if (this.#copied === frame.start) return 'same'
    sink.append(bytes, this.#copied, frame.end)
    return 'masked'
  }

  /**
   * Whole DataRow frames one after the other from `start` on, up to `end`, a frame of another kind,
   * or one that is not whole. Writes all of them into the sink, changed or not, and returns where
   * it stopped; -1: malformed, and nothing was written.
   */
  maskRows(
    bytes: Buffer,
    span: { readonly start: number; readonly end: number },
    sink: ByteSink,
  ): number {
    const mark = sink.size
    this.#copied = span.start
    let at = span.start
    while (at + HEAD_SIZE <= span.end && bytes[at] === DATA_ROW) {
      const end = at + 1 + int32(bytes, at + 1)
      if (end > span.end) break
      if (end < at + HEAD_SIZE || !this.#row(bytes, { start: at, end }, sink)) {
        sink.size = mark
        return -1
      }
      at = end
    }
    sink.append(bytes, this.#copied, at)
    return at
  }

  /** Adds what was counted so far to the context's tally. Call before reading it. */
  settle(): void {
    const { tally } = this.#context
    for (let index = 0; index < this.#counts.length; index++) {
      const counted = this.#counts[index]!
      if (counted === 0) continue
      const name = this.#fields[index]!.name
      tally.set(name, (tally.get(name) ?? 0) + counted)
      this.#counts[index] = 0
    }
  }

  /** Writes the frame up to its last changed value and corrects its size; false: malformed. */
  #row(
    bytes: Buffer,
    frame: { readonly start: number; readonly end: number },
    sink: ByteSink,
  ): boolean {
    const { start, end } = frame
    const fields = this.#fields
    const originals = this.#originals
    if (originals !== undefined) originals.nextRow()
    if (bytes[start] !== DATA_ROW || end - start < HEAD_SIZE + 2) return false
    if (int32(bytes, start + 1) !== end - start - 1) return false
    if (((bytes[start + 5]! << 8) | bytes[start + 6]!) !== fields.length) return false
    let at = start + HEAD_SIZE + 2
    let head = -1
    let grown = 0
    for (let index = 0; index < fields.length; index++) {
      if (at + 4 > end) return false
      const length = int32(bytes, at)
      const value = at + 4
      if (length === -1) {
        at = value
        continue
      }
      if (length < 0 || length > end - value) return false
      at = value + length
      const field = fields[index]
      if (field === undefined) continue
      let masked = field.constant
      if (masked !== undefined) this.#counts[index]!++
      else {
        masked = field.mask(bytes, value, at)
        if (masked === undefined) continue
      }
      if (originals !== undefined) originals.value(index, bytes.subarray(value, at))
      sink.append(bytes, this.#copied, value - 4)
      if (head < 0) head = sink.size - (value - 4 - start)
      this.#copied = at
      if (masked === null) sink.i32(-1)
      else {
        sink.i32(masked.length)
        sink.append(masked)
      }
      grown += (masked === null ? 0 : masked.length) - length
    }
    if (at !== end) return false
    if (head >= 0) sink.bytes.writeInt32BE(end - start - 1 + grown, head + 1)
    return true
  }
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
