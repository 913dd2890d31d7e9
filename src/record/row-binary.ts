/**
 * Pure. One row of the spool after the other, read as msgpack (encode.ts) and written as ClickHouse's RowBinary
 * (https://clickhouse.com/docs/interfaces/formats/RowBinary): numbers of 8 bytes with the lowest first, lengths as LEB128.
 *
 * What a row holds beyond the kinds of COLUMNS, or less, throws. Does not hash (canonical.ts).
 */
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
const SEQ = COLUMNS.findIndex(([name]) => name === 'seq')
function kindOf(type: string): Kind {
  if (type === 'Bool') return 'bool'
  if (type === 'String') return 'text'
  if (type === 'Array(String)') return 'texts'
  return type.startsWith('Map') ? 'counts' : 'uint'
}

class Sink {
  bytes = Buffer.allocUnsafe(16 << 10)
  size = 0

  room(count: number): void {
    if (this.size + count <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.size + count))
    grown.set(this.bytes.subarray(0, this.size))
    this.bytes = grown
  }

  put(source: Uint8Array): void {
    this.room(source.length)
    this.bytes.set(source, this.size)
    this.size += source.length
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
}

/** One row while it is read: msgpack in, RowBinary out. */
export class RowBytes {
  block: Buffer = Buffer.alloc(0)
  at = 0
  readonly events = new Sink()
  readonly contents = new Sink()

  begin(): void {
    this.events.size = 0
    this.contents.size = 0
  }

  copy(bytes: Uint8Array): void {
    this.events.put(bytes)
  }

  copyContents(bytes: Uint8Array): void {
    this.contents.put(bytes)
  }

  eventsCopy(): Buffer {
    return Buffer.from(this.events.bytes.subarray(0, this.events.size))
  }

  /** The text that stands here, without going on. */
  peekText(): string {
    const start = this.at
    const size = this.#size(this.#byte(), TEXTS)
    const text = this.block.toString('latin1', this.at, this.at + size)
    this.at = start
    return text
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
    if (this.at > this.block.length) throw new Error('a row is cut off')
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
      if (count === 0 || this.at + count > block.length) throw new Error('not a count')
      if (count === 1) low = block[this.at]!
      else if (count === 2) low = block.readUInt16BE(this.at)
      else low = block.readUInt32BE(this.at + count - 4)
      if (count === 8) high = block.readUInt32BE(this.at)
      this.at += count
    }
    sink.room(8)
    const { bytes } = sink
    let at = sink.size
    for (let rest = low, i = 0; i < 4; i++, rest >>>= 8) bytes[at++] = rest & 255
    for (let rest = high, i = 0; i < 4; i++, rest >>>= 8) bytes[at++] = rest & 255
    sink.size = at
    return high * 0x100000000 + low
  }

  #text(sink: Sink): void {
    const size = this.#size(this.#byte(), TEXTS)
    sink.length(size)
    sink.room(size)
    const { block } = this
    const end = this.at + size
    if (end > block.length) throw new Error('a text is cut off')
    if (size < 24) {
      let to = sink.size
      for (let i = this.at; i < end; i++) sink.bytes[to++] = block[i]!
    } else block.copy(sink.bytes, sink.size, this.at, end)
    sink.size += size
    this.at = end
  }

  #list(sink: Sink, isMap: boolean): void {
    const count = this.#size(this.#byte(), isMap ? MAPS : LISTS)
    if (count > this.block.length - this.at) throw new Error('a list is cut off')
    sink.length(count)
    for (let i = 0; i < count; i++) {
      this.#text(sink)
      if (isMap) this.#uint(sink)
    }
  }

  #byte(): number {
    const byte = this.block[this.at++]
    if (byte === undefined) throw new Error('a row is cut off')
    return byte
  }

  #size(tag: number, { fix, mask, wide }: Sizes): number {
    if ((tag & ~mask & 0xff) === fix) return tag & mask
    const count = wide.get(tag)
    if (count === undefined || this.at + count > this.block.length) throw new Error('not a size')
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
