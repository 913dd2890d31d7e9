/**
 * Pure. Masks the stream of COPY … TO STDOUT in text and csv form. Rows may span CopyData frames
 * and share them; what comes out is one CopyData frame a row, however the input was cut.
 *
 * Values are decoded before they are looked at and encoded again only where they change. NULL stays
 * NULL. The header line passes: it holds names. Binary COPY stands in mask-copy-binary.ts.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { FieldPlan, RowPlan } from '../../mask/plan.ts'
import type { Replaced } from '../../mask/spans.ts'
import {
  type CopyField,
  type CopySyntax,
  decodeField,
  encodeField,
  LINE_FEED,
  RowEnds,
  readField,
} from './copy-text.ts'
import { Originals } from './mask-originals.ts'
import { type FieldMasker, fieldMasker, type MaskContext } from './mask-value.ts'
import type { CopyForm } from './sql/analysis.ts'

const COPY_DATA = 0x64
const END_MARK = Buffer.from('\\.')

export interface CopyPlan {
  /** One entry a column, as in `CopyForm.columns`; undefined when the columns are not known. */
  readonly fields: RowPlan
  /** What happens to every field when `fields` is undefined, as for COPY (query). */
  readonly every: FieldPlan | undefined
  /** A longer row ends the stream. */
  readonly rowBytesMax: number
}

/** `over_limit`: a row is longer than `rowBytesMax`. Neither is recoverable: the session ends. */
export type CopyResult = 'ok' | 'malformed' | 'over_limit'

export class CopyMasker {
  readonly #syntax: CopySyntax
  readonly #nullText: Buffer
  readonly #plan: CopyPlan
  readonly #fields: readonly (FieldMasker | undefined)[] | undefined
  readonly #every: FieldMasker | undefined
  readonly #context: MaskContext
  readonly #ends: RowEnds
  readonly #rest = new ByteSink(256)
  readonly #value = new ByteSink(256)
  readonly #field: CopyField = { start: 0, end: 0, quoted: false, escaped: false }
  readonly #originals: Originals | undefined
  #headerLeft: boolean
  #broken: CopyResult
  /** What the field last looked at becomes, where `#masks` said that it changes. */
  #masked: Buffer | null = null

  constructor(form: CopyForm, plan: CopyPlan, context: MaskContext) {
    this.#syntax = {
      csv: form.format === 'csv',
      delimiter: form.delimiter.charCodeAt(0),
      quote: form.quote.charCodeAt(0),
      escape: form.escape.charCodeAt(0),
    }
    this.#nullText = Buffer.from(form.nullText)
    this.#plan = plan
    this.#context = context
    const { seal, tally } = context
    this.#originals =
      seal && new Originals(seal, { plan: plan.fields ?? [plan.every], tally, isCopy: true })
    const counts =
      this.#originals === undefined ? context : { ...context, tally: this.#originals.tally }
    this.#fields = plan.fields?.map((field) => fieldMasker(field, counts))
    this.#every = fieldMasker(plan.every, counts)
    this.#ends = new RowEnds(this.#syntax)
    this.#headerLeft = form.header
    this.#broken = isReadable(form) ? 'ok' : 'malformed'
  }

  /**
   * The body of one CopyData frame. Whole rows are written into the sink as frames; the rest is
   * kept as a copy.
   */
  push(body: Uint8Array, sink: ByteSink): CopyResult {
    let at = 0
    while (this.#broken === 'ok' && at < body.length) {
      const end = this.#ends.next(body, at, body.length)
      const kept = this.#rest.size
      if (kept + (end < 0 ? body.length : end) - at > this.#plan.rowBytesMax) {
        this.#broken = 'over_limit'
      } else if (end >= 0 && kept === 0) {
        this.#row(body, { start: at, end: end - 1 }, sink)
        at = end
      } else {
        this.#rest.append(body, at, end < 0 ? body.length : end)
        at = end < 0 ? body.length : end
        if (end >= 0) this.#flush(1, sink)
      }
    }
    return this.#broken
  }

  /** CopyDone: a last row may lack its line feed, and then gets none. */
  end(sink: ByteSink): CopyResult {
    if (this.#broken === 'ok' && this.#rest.size > 0) this.#flush(0, sink)
    return this.#broken
  }

  #flush(lineFeed: number, sink: ByteSink): void {
    const rest = this.#rest.view()
    this.#row(rest, { start: 0, end: rest.length - lineFeed, bare: lineFeed === 0 }, sink)
    this.#rest.clear()
  }

  #row(
    bytes: Uint8Array,
    row: { readonly start: number; readonly end: number; readonly bare?: boolean },
    sink: ByteSink,
  ): void {
    const mark = sink.size
    sink.u8(COPY_DATA)
    sink.i32(0)
    const isNoRow = this.#headerLeft || (!this.#syntax.csv && isEndMark(bytes, row))
    if (isNoRow) sink.append(bytes, row.start, row.end)
    else if (!this.#fieldsOf(bytes, row, sink)) {
      sink.size = mark
      this.#broken = 'malformed'
      return
    }
    this.#headerLeft = false
    if (row.bare !== true) sink.u8(LINE_FEED)
    sink.bytes.writeInt32BE(sink.size - mark - 1, mark + 1)
  }

  #fieldsOf(
    bytes: Uint8Array,
    row: { readonly start: number; readonly end: number },
    sink: ByteSink,
  ): boolean {
    const syntax = this.#syntax
    const field = this.#field
    const wanted = this.#fields?.length
    if (this.#originals !== undefined) this.#originals.nextRow()
    // A table without columns has rows without fields.
    if (wanted === 0) return row.start === row.end
    let copied = row.start
    let at = row.start
    for (let index = 0; ; index++) {
      if (!readField(bytes, field, { start: at, end: row.end, syntax })) return false
      if (wanted !== undefined && index >= wanted) return false
      const masker = this.#fields === undefined ? this.#every : this.#fields[index]
      if (masker !== undefined && this.#masks(bytes, masker)) {
        if (this.#originals !== undefined)
          this.#originals.value(index, bytes.subarray(field.start, field.end))
        sink.append(bytes, copied, field.start)
        copied = field.end
        if (this.#masked === null) sink.append(this.#nullText)
        else encodeField(this.#masked, sink, syntax)
      }
      at = field.end + 1
      if (field.end < row.end) continue
      sink.append(bytes, copied, row.end)
      return wanted === undefined || index + 1 === wanted
    }
  }

  /** True: the current field changes, to `#masked`. */
  #masks(bytes: Uint8Array, masker: FieldMasker): boolean {
    const field = this.#field
    if (!field.quoted && this.#isNull(bytes, field)) return false
    if (masker.constant !== undefined) {
      const { tally } = this.#context
      tally.set(masker.name, (tally.get(masker.name) ?? 0) + 1)
      this.#masked = masker.constant
      return true
    }
    const masked = field.escaped
      ? this.#maskDecoded(bytes, masker)
      : maskPlain(bytes, field, masker)
    if (masked === undefined) return false
    this.#masked = masked
    return true
  }

  #maskDecoded(bytes: Uint8Array, masker: FieldMasker): Replaced {
    this.#value.clear()
    decodeField(bytes, this.#field, { sink: this.#value, syntax: this.#syntax })
    return masker.mask(this.#value.bytes, 0, this.#value.size)
  }

  #isNull(bytes: Uint8Array, field: CopyField): boolean {
    const length = field.end - field.start
    if (length !== this.#nullText.length) return false
    for (let at = 0; at < length; at++) {
      if (bytes[field.start + at] !== this.#nullText[at]) return false
    }
    return true
  }
}

/** A field whose bytes, but for quotes around them, are those of its value. */
function maskPlain(bytes: Uint8Array, field: CopyField, masker: FieldMasker): Replaced {
  const quotes = field.quoted ? 1 : 0
  return masker.mask(bytes, field.start + quotes, field.end - quotes)
}

/** `\.` alone on a line ends the data of older protocols; it holds nothing. */
function isEndMark(
  bytes: Uint8Array,
  row: { readonly start: number; readonly end: number },
): boolean {
  return (
    row.end - row.start === END_MARK.length && END_MARK.equals(bytes.subarray(row.start, row.end))
  )
}

/**
 * Delimiter, quote and escape are single one-byte characters in every form that PostgreSQL accepts. A text for NULL that ends in
 * a backslash takes the delimiter behind it along, also for whoever reads it.
 */
function isReadable(form: CopyForm): boolean {
  if (form.format === 'binary') return false
  if (form.format === 'text' && form.nullText.endsWith('\\')) return false
  const signs = form.format === 'csv' ? [form.delimiter, form.quote, form.escape] : [form.delimiter]
  return signs.every((sign) => sign.length === 1 && sign.charCodeAt(0) < 0x80)
}
