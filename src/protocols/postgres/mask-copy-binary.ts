/**
 * Pure. Masks the stream of COPY … TO STDOUT in binary form. Rows may span CopyData frames and share them; what comes out
 * is one CopyData frame a row, the first with the header before it, as PostgreSQL sends it.
 *
 *   header    'PGCOPY\n\xff\r\n\0' · flags i32 · length of an extension i32
 *   row       fields i16 · (length i32, -1 for NULL · bytes)…
 *   trailer   i16 -1
 *
 * https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4. A row is what a DataRow holds, and is masked as one. Flags and
 * extensions mean something that nobody here knows: such a stream, one with another number of fields, and one without
 * its trailer are malformed, and nothing more of it goes on.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { RowPlan } from '../../mask/plan.ts'
import { RowMasker } from './mask.ts'
import type { CopyPlan, CopyResult } from './mask-copy.ts'
import type { MaskContext } from './mask-value.ts'

const COPY_DATA = 0x64
const DATA_ROW = 0x44
const FRAME_HEAD = 5
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_SIZE = SIGNATURE.length + 8
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)])
const TRAILER = -1

export class BinaryCopyMasker {
  readonly #plan: CopyPlan
  readonly #context: MaskContext
  /** A DataRow's head, and the beginning of what is not whole yet. */
  readonly #rest = new ByteSink(256)
  readonly #out = new ByteSink(256)
  #rows: RowMasker | undefined
  #state: 'header' | 'first' | 'rows' | 'over' = 'header'
  #broken: CopyResult = 'ok'
  /** Of the row in `#rest`: where its next field begins, and how many are left; -1: their number is not read yet. */
  #next = FRAME_HEAD
  #left = -1

  constructor(plan: CopyPlan, context: MaskContext) {
    this.#plan = plan
    this.#context = context
    this.#begin()
  }

  /** The body of one CopyData frame. Whole rows are written into the sink as frames; the rest is kept as a copy. */
  push(body: Uint8Array, sink: ByteSink): CopyResult {
    let at = 0
    while (this.#broken === 'ok' && at < body.length) {
      // Nothing may follow the trailer.
      const wanted = this.#state === 'over' ? -1 : this.#wanted()
      if (wanted < 0) this.#broken = 'malformed'
      else if (wanted - FRAME_HEAD > this.#plan.rowBytesMax) this.#broken = 'over_limit'
      if (this.#broken !== 'ok') break
      const taken = Math.min(wanted - this.#rest.size, body.length - at)
      this.#rest.append(body, at, at + taken)
      at += taken
      if (this.#rest.size === wanted) this.#read(sink)
    }
    this.#rows?.settle()
    return this.#broken
  }

  /** CopyDone: only behind the trailer. */
  end(_sink: ByteSink): CopyResult {
    if (this.#broken === 'ok' && this.#state !== 'over') this.#broken = 'malformed'
    return this.#broken
  }

  /** Size of `#rest` at which the next part is whole: header, number of fields, or length and field; -1: malformed. */
  #wanted(): number {
    if (this.#state === 'header') return FRAME_HEAD + HEADER_SIZE
    if (this.#left < 0) return FRAME_HEAD + 2
    const { bytes, size } = this.#rest
    if (size < this.#next + 4) return this.#next + 4
    const length = bytes.readInt32BE(this.#next)
    return length < -1 ? -1 : this.#next + 4 + Math.max(length, 0)
  }

  /** What was wanted is there. */
  #read(sink: ByteSink): void {
    const { bytes, size } = this.#rest
    if (this.#state === 'header') {
      if (!HEADER.equals(bytes.subarray(FRAME_HEAD, size))) this.#broken = 'malformed'
      this.#state = 'first'
      this.#begin()
      return
    }
    if (this.#left < 0) {
      const count = bytes.readInt16BE(FRAME_HEAD)
      if (count === TRAILER) this.#send(bytes.subarray(FRAME_HEAD, size), sink)
      else if (count < 0 || !this.#fits(count)) this.#broken = 'malformed'
      this.#state = count === TRAILER ? 'over' : this.#state
      this.#next = size
      this.#left = count
    } else {
      // A length alone was whole before its field.
      if (size === this.#next + 4 && bytes.readInt32BE(this.#next) > 0) {
        this.#announced()
        return
      }
      this.#next = size
      this.#left -= 1
    }
    if (this.#left === 0 && this.#broken === 'ok') this.#row(sink)
  }

  /** A field that is too long is not waited for. */
  #announced(): void {
    if (this.#wanted() - FRAME_HEAD > this.#plan.rowBytesMax) this.#broken = 'over_limit'
  }

  #fits(count: number): boolean {
    const { fields, every } = this.#plan
    const plan: RowPlan = fields ?? Array.from({ length: count }, () => every)
    this.#rows ??= new RowMasker(plan, this.#context)
    return fields === undefined || fields.length === count
  }

  #row(sink: ByteSink): void {
    const { bytes, size } = this.#rest
    bytes[0] = DATA_ROW
    bytes.writeInt32BE(size - 1, 1)
    const out = this.#out
    out.clear()
    const masked = this.#rows!.maskRow(bytes, { start: 0, end: size }, out)
    if (masked === 'malformed') {
      this.#broken = 'malformed'
      return
    }
    const row = masked === 'same' ? bytes.subarray(0, size) : out.view()
    this.#send(row.subarray(FRAME_HEAD), sink)
    this.#begin()
  }

  #send(part: Uint8Array, sink: ByteSink): void {
    const header = this.#state === 'first' ? HEADER.length : 0
    sink.u8(COPY_DATA)
    sink.i32(4 + header + part.length)
    if (header > 0) sink.append(HEADER)
    sink.append(part)
    this.#state = 'rows'
  }

  #begin(): void {
    const large = 256 << 10
    // A row that was large once must not cost its memory for ever.
    for (const one of [this.#rest, this.#out])
      if (one.bytes.length > large) one.bytes = Buffer.allocUnsafeSlow(256)
    this.#rest.size = FRAME_HEAD
    this.#next = FRAME_HEAD
    this.#left = -1
  }
}
