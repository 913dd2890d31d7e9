/**
 * Pure. One row of the spool after the other, read as msgpack (encode.ts) and written as ClickHouse's RowBinary
 * (https://clickhouse.com/docs/interfaces/formats/RowBinary): numbers of 8 bytes with the lowest first, lengths as LEB128.
 *
 * What a row holds beyond the kinds of COLUMNS, or less, throws. Does not hash (canonical.ts).
 */
import { NO_SPARE, type SpareMemory } from '../base/spare-memory.ts'
import { COLUMNS, SESSION_COLUMNS, SHAPE_COLUMNS } from './columns.ts'

/** Columns that an erasure empties; they come last, and have a digest of their own. */
export const CONTENT_COLUMNS: readonly string[] = ['statement', 'facts', 'params', 'payload']

type Kind = 'uint' | 'bool' | 'text' | 'texts' | 'counts'

interface Step {
  readonly kind: Kind
  readonly isContent: boolean
}

const STEPS: readonly Step[] = COLUMNS.map(([name, type]) => ({
  kind: kindOf(type),
  isContent: CONTENT_COLUMNS.includes(name),
}))
export const SESSION_END = SESSION_COLUMNS.length
export const SHAPE_END = SESSION_END + SHAPE_COLUMNS.length
export const STEPS_END = STEPS.length
const SEQ = columnAt('seq')

function columnAt(name: string): number {
  return COLUMNS.findIndex(([one]) => one === name)
}

function kindOf(type: string): Kind {
  if (type === 'Bool') return 'bool'
  if (type === 'String') return 'text'
  if (type === 'Array(String)') return 'texts'
  return type.startsWith('Map') ? 'counts' : 'uint'
}

/** From here on a call that moves bytes is worth it. */
const MOVE_CALL_BYTES = 256

/** A growing buffer of RowBinary, in memory that others have used before where there is some. */
export class Sink {
  bytes: Buffer
  view: DataView
  size = 0
  readonly #spare: SpareMemory

  constructor(capacity: number, spare: SpareMemory = NO_SPARE) {
    this.#spare = spare
    this.bytes = spare.take(capacity)
    this.view = viewOf(this.bytes)
  }

  room(count: number): void {
    if (this.size + count <= this.bytes.length) return
    this.#resize(Math.max(this.bytes.length * 4, this.size + count))
  }

  /** Empty, and no larger than `most`. */
  clear(most: number): void {
    this.size = 0
    if (this.bytes.length > most) this.#resize(most)
  }

  /** Its memory is for others: nobody may look at it any more. */
  end(): void {
    this.size = 0
    this.#spare.give(this.bytes)
    this.bytes = NONE
    this.view = viewOf(NONE)
  }

  put(source: Uint8Array): void {
    this.room(source.length)
    this.bytes.set(source, this.size)
    this.size += source.length
  }

  uint32(value: number): void {
    this.room(4)
    this.view.setUint32(this.size, value, true)
    this.size += 4
  }

  /** What another one holds from `start` on. A few bytes are moved without a call, four at a time. */
  take({ bytes, view, size }: Sink, start: number): void {
    this.room(size - start)
    if (size - start >= MOVE_CALL_BYTES) {
      this.bytes.set(bytes.subarray(start, size), this.size)
      this.size += size - start
      return
    }
    let [from, to] = [start, this.size]
    for (; from + 4 <= size; from += 4, to += 4) this.view.setInt32(to, view.getInt32(from))
    while (from < size) this.bytes[to++] = bytes[from++]!
    this.size = to
  }

  /** Without a call: they are few. */
  zeros(count: number): void {
    this.room(count + 8)
    for (let at = 0; at < count; at += 8) this.view.setFloat64(this.size + at, 0)
    this.size += count
  }

  /** LEB128. */
  length(value: number): void {
    this.room(10)
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.size++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.size++] = rest
  }

  #resize(capacity: number): void {
    const made = this.#spare.take(capacity)
    made.set(this.bytes.subarray(0, this.size))
    this.#spare.give(this.bytes)
    this.bytes = made
    this.view = viewOf(made)
  }
}

const NONE = Buffer.alloc(0)

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Bytes that are looked for again and again. */
export class Span {
  readonly bytes: Buffer
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes)
    this.#view = viewOf(this.bytes)
  }

  /** Four bytes at a time: a call of compare costs more than it saves here. */
  isAt({ view, at, end }: RowBytes): boolean {
    const own = this.#view
    const size = own.byteLength
    if (at + size > end) return false
    let i = 0
    for (; i + 4 <= size; i += 4) if (own.getInt32(i) !== view.getInt32(at + i)) return false
    for (; i < size; i++) if (own.getUint8(i) !== view.getUint8(at + i)) return false
    return true
  }
}

/** What encode.ts writes for the columns that the other kind of row has, all of them empty. */
const NO_ACTION = emptied('bytes_up', 'params', [0, 0, 0, 0, 0x90])
const NO_OUTCOME = emptied('rows', 'payload', [0, 0, 0, 0, 0xa0, 0xa0, 0xa0, 0x80, 0xc2, 0xa0])

function emptied(first: string, last: string, raw: readonly number[]) {
  const [from, to] = [columnAt(first), columnAt(last) + 1]
  const steps = STEPS.filter((_, at) => at >= from && at < to)
  // Nothing is eight zeros for a number, and one for each of the others.
  const sizeOf = (some: readonly Step[]) =>
    some.reduce((size, { kind }) => size + (kind === 'uint' ? 8 : 1), 0)
  return {
    from,
    to,
    raw: Uint8Array.from(raw),
    events: sizeOf(steps.filter(({ isContent }) => !isContent)),
    contents: sizeOf(steps.filter(({ isContent }) => isContent)),
  }
}

/** One row while it is read: msgpack in, RowBinary out. */
export class RowBytes {
  block: Buffer = Buffer.alloc(0)
  view = viewOf(this.block)
  at = 0
  end = 0
  events = new Sink(0)
  contents = new Sink(0)

  /** The rows of a block stand in `bytes` from `start` to `end`. */
  begin(bytes: Buffer, start = 0, end = bytes.length): void {
    if (bytes !== this.block) {
      this.block = bytes
      this.view = viewOf(bytes)
    }
    this.at = start
    this.end = end
  }

  /** The number that stands here in place of columns, and goes on behind it; 0: the columns do, which begin with a text. */
  reference(): number {
    const { block, at } = this
    const tag = block[at]!
    if (tag < 0x80) {
      if (tag === 0) throw new Error('a number that stands for nothing')
      this.at++
      return tag
    }
    const size = tag >= 0xcd && tag <= 0xcf ? 1 << (tag - 0xcc) : 0
    this.at += size === 0 ? 0 : 1 + size
    if (size === 0) return 0
    if (size === 2) return block.readUInt16BE(at + 1)
    const low = block.readUInt32BE(at + size - 3)
    return size === 4 ? low : block.readUInt32BE(at + 1) * 0x100000000 + low
  }

  /** The text that stands here, without going on. */
  peekText(): string {
    const start = this.at
    const size = this.#size(this.#byte(), TEXTS)
    const text = this.block.toString('latin1', this.at, this.at + size)
    this.at = start
    return text
  }

  /** The last bytes of a short text that stands here: tells most of them apart. */
  peekEnd(): number {
    const { view, at, end } = this
    if (at + 36 > end) return 0
    const size = view.getUint8(at) & 0x1f
    return size < 4 ? size : view.getInt32(at + size - 3) & 0x3fffffff
  }

  /** The columns of an event; returns the value of `seq`. */
  eventSteps(): number {
    const seq = this.steps(SHAPE_END, NO_ACTION.from)
    this.#orZeros(NO_ACTION)
    this.#orZeros(NO_OUTCOME)
    return seq
  }

  #orZeros({ from, to, raw, events, contents }: typeof NO_ACTION): void {
    const { block, at } = this
    // Beyond the end of this block stands another, or nothing: then it is told below that it is cut off.
    for (let i = 0; i < raw.length; i++)
      if (block[at + i] !== raw[i]) {
        this.steps(from, to)
        return
      }
    this.at += raw.length
    if (this.at > this.end) throw new Error('a row is cut off')
    this.events.zeros(events)
    this.contents.zeros(contents)
  }

  /** Columns `from` to `to`; returns the value of `seq` if it is among them. */
  steps(from: number, to: number): number {
    let seq = 0
    for (let i = from; i < to; i++) {
      const { kind, isContent } = STEPS[i]!
      const sink = isContent ? this.contents : this.events
      if (kind === 'uint') {
        const value = this.#uint(sink)
        if (i === SEQ) seq = value
      } else if (kind === 'text') this.#text(sink)
      else if (kind === 'bool') this.#bool(sink)
      else this.#list(sink, kind === 'counts')
    }
    if (this.at > this.end) throw new Error('a row is cut off')
    return seq
  }

  #bool(sink: Sink): void {
    const tag = this.#byte()
    if (tag !== 0xc2 && tag !== 0xc3) throw new Error('not a boolean')
    sink.room(1)
    sink.bytes[sink.size++] = tag & 1
  }

  #uint(sink: Sink): number {
    const tag = this.#byte()
    const { block } = this
    let [low, high] = [tag, 0]
    if (tag >= 0x80) {
      const count = tag >= 0xcc && tag <= 0xcf ? 1 << (tag - 0xcc) : 0
      if (count === 0 || this.at + count > this.end) throw new Error('not a count')
      if (count === 1) low = block[this.at]!
      else if (count === 2) low = block.readUInt16BE(this.at)
      else low = block.readUInt32BE(this.at + count - 4)
      if (count === 8) high = block.readUInt32BE(this.at)
      this.at += count
    }
    sink.room(8)
    sink.view.setUint32(sink.size, low, true)
    sink.view.setUint32(sink.size + 4, high, true)
    sink.size += 8
    return high * 0x100000000 + low
  }

  #text(sink: Sink): void {
    const size = this.#size(this.#byte(), TEXTS)
    sink.length(size)
    sink.room(size)
    const { block } = this
    const end = this.at + size
    if (end > this.end) throw new Error('a text is cut off')
    if (size < 24) {
      let to = sink.size
      for (let i = this.at; i < end; i++) sink.bytes[to++] = block[i]!
    } else block.copy(sink.bytes, sink.size, this.at, end)
    sink.size += size
    this.at = end
  }

  #list(sink: Sink, isMap: boolean): void {
    const count = this.#size(this.#byte(), isMap ? MAPS : LISTS)
    if (count > this.end - this.at) throw new Error('a list is cut off')
    sink.length(count)
    for (let i = 0; i < count; i++) {
      this.#text(sink)
      if (isMap) this.#uint(sink)
    }
  }

  #byte(): number {
    if (this.at >= this.end) throw new Error('a row is cut off')
    return this.block[this.at++]!
  }

  #size(tag: number, { fix, mask, wide }: Sizes): number {
    if ((tag & ~mask & 0xff) === fix) return tag & mask
    const count = wide.get(tag)
    if (count === undefined || this.at + count > this.end) throw new Error('not a size')
    const size = this.block.readUIntBE(this.at, count)
    this.at += count
    return size
  }
}

interface Sizes {
  readonly fix: number
  readonly mask: number
  /** Tag → bytes of the size. */
  readonly wide: ReadonlyMap<number, number>
}

/** Strings and binaries. */
const TEXTS: Sizes = {
  fix: 0xa0,
  mask: 0x1f,
  wide: new Map([
    ...[0xd9, 0xc4].map((tag) => [tag, 1] as const),
    ...[0xda, 0xc5].map((tag) => [tag, 2] as const),
    ...[0xdb, 0xc6].map((tag) => [tag, 4] as const),
  ]),
}
const LISTS: Sizes = {
  fix: 0x90,
  mask: 0x0f,
  wide: new Map([
    [0xdc, 2],
    [0xdd, 4],
  ]),
}
const MAPS: Sizes = {
  fix: 0x80,
  mask: 0x0f,
  wide: new Map([
    [0xde, 2],
    [0xdf, 4],
  ]),
}
