/**
 * Pure. Rows in the spool that name their session and their shape by number: four fifths of a row are columns that are the same
 * a thousand times.
 *
 *   ┌─────────────────────────────────────┐ ┌─────────┬───────┬────────────────────┐
 *   │ 0 │ number │ size │ columns, msgpack │ │ session │ shape │ columns of an event│
 *   │   │ u64    │ u32  │ size bytes       │ │ uint    │ uint  │ msgpack            │
 *   └─────────────────────────────────────┘ └─────────┴───────┴────────────────────┘
 *     what a number means, from here on        a row
 *
 * A block begins with what its rows name and was not said before in the same stretch of the segment; a stretch ends with each
 * seal (spool.ts). What a block says is said again by the next one, so that a block that is damaged takes no other along.
 * Numbers are of one writing thread, from 1 on, and never mean anything else; sessions and shapes share them. A row may hold the
 * columns of its shape in place of a number, and does where they are recorded for the first time: many texts come once.
 */
import { EVENT_COLUMNS, SHAPE_COLUMNS } from './columns.ts'

const SAID = 0
const SAID_HEAD = 13
const WORD = 0x100000000
/** Rows of no segment of ours are longer, with all of their columns. */
export const EXPANDED_BYTES_MAX = 1 << 30
const NONE: ReadonlyMap<number, Buffer> = new Map()
const NOTHING = Buffer.alloc(0)
/** What a row is put together from. */
const PIECES = 3

/** What numbers of a segment mean: columns of a session or of a shape, as msgpack. */
export type Names = ReadonlyMap<number, Buffer>

/** Columns that are written once a stretch, and the number that stands for them. */
export class Name {
  readonly columns: Buffer
  /** 0: none yet. */
  number = 0
  /** The number, as it stands in rows. */
  reference: Buffer = NOTHING
  /** Recorded before. */
  isKnown = false
  /** The last stretch in which it was said. */
  stretch = -1
  /** The last block that names it. */
  block = -1

  constructor(columns: Buffer, number = 0) {
    this.columns = columns
    if (number > 0) this.call(number)
  }

  call(number: number): void {
    this.number = number
    this.reference = reference(number)
  }

  /** Of what is said. */
  get size(): number {
    return SAID_HEAD + this.columns.length
  }

  /** Says what it means at this place; answers where that ends. */
  say(into: Buffer, at: number): number {
    into[at] = SAID
    into.writeUInt32BE(Math.floor(this.number / WORD), at + 1)
    into.writeUInt32BE(this.number % WORD, at + 5)
    into.writeUInt32BE(this.columns.length, at + 9)
    into.set(this.columns, at + SAID_HEAD)
    return at + this.size
  }
}

function reference(number: number): Buffer {
  if (number < 0x80) return Buffer.from([number])
  if (number < 0x10000) return Buffer.from([0xcd, number >>> 8, number & 255])
  const isLong = number >= WORD
  const bytes = Buffer.alloc(isLong ? 9 : 5)
  bytes[0] = isLong ? 0xcf : 0xce
  if (isLong) bytes.writeUInt32BE(Math.floor(number / WORD), 1)
  bytes.writeUInt32BE(number % WORD, bytes.length - 4)
  return bytes
}

/** What a block says, and where its rows begin. */
export interface Said {
  readonly names: Names
  readonly rowsAt: number
}

/** undefined: it is not whole, or a number means something else than in `names` all of a sudden. */
export function readNames(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  names: Names,
): Said | undefined {
  if (bytes[start] !== SAID) return { names: NONE, rowsAt: start }
  let at = start
  const said = new Map<number, Buffer>()
  while (at < end && bytes[at] === SAID) {
    if (at + SAID_HEAD > end) return undefined
    const number = bytes.readUInt32BE(at + 1) * WORD + bytes.readUInt32BE(at + 5)
    const next = at + SAID_HEAD + bytes.readUInt32BE(at + 9)
    if (next > end || number === 0) return undefined
    const columns = bytes.subarray(at + SAID_HEAD, next)
    const known = said.get(number) ?? names.get(number)
    if (known !== undefined && !known.equals(columns)) return undefined
    // Memory of its own: that of a segment is used again.
    said.set(number, known ?? Buffer.from(columns))
    at = next
  }
  return { names: said, rowsAt: at }
}

/** The number that stands here and where it ends; undefined: something else does. */
export function readReference(
  bytes: Buffer,
  at: number,
  end: number,
): [number, number] | undefined {
  const tag = bytes[at]!
  if (at < end && tag < 0x80) return [tag, at + 1]
  if (tag === 0xcd && at + 3 <= end) return [bytes.readUInt16BE(at + 1), at + 3]
  if (tag === 0xce && at + 5 <= end) return [bytes.readUInt32BE(at + 1), at + 5]
  if (tag === 0xcf && at + 9 <= end)
    return [bytes.readUInt32BE(at + 1) * WORD + bytes.readUInt32BE(at + 5), at + 9]
  return undefined
}

interface Rows {
  readonly bytes: Buffer
  /** Two numbers a block: where its rows begin, and where they end. */
  readonly blocks: readonly number[]
  readonly names?: Names
  /** How many there are, where that was said. */
  readonly rows?: number
}

/** How many rows a block holds; undefined: they are none, or something that they name was not said. */
export function countRows(
  bytes: Buffer,
  [start, end]: readonly [number, number],
  names: Names,
): number | undefined {
  const pieces = expandedBlock({ bytes, names, columns: undefined }, start, end, [])
  return pieces && pieces.length / PIECES
}

/**
 * Rows with all of their columns, block by block, in memory of their own. `columns`: how many they have, where that is not
 * today's number. undefined: these are no such rows.
 */
export function expanded(
  { bytes, blocks, names = NONE, rows }: Rows,
  columns?: number,
): Buffer[] | undefined {
  const all: Buffer[] = []
  let [size, count] = [0, 0]
  for (let i = 0; i < blocks.length; i += 2) {
    const pieces = expandedBlock({ bytes, names, columns }, blocks[i]!, blocks[i + 1]!, [])
    for (const piece of pieces ?? []) size += piece.length
    if (pieces === undefined || size > EXPANDED_BYTES_MAX) return undefined
    all.push(Buffer.concat(pieces))
    count += pieces.length / PIECES
  }
  return rows === undefined || rows === count ? all : undefined
}

function expandedBlock(
  { bytes, names, columns }: { bytes: Buffer; names: Names; columns: number | undefined },
  start: number,
  end: number,
  pieces: Buffer[],
): Buffer[] | undefined {
  let at = start
  while (at < end) {
    const session = readReference(bytes, at, end)
    const first = names.get(session?.[0] ?? 0)
    if (session === undefined || first === undefined) return undefined
    const shape = readReference(bytes, session[1], end)
    const second = shape === undefined ? NOTHING : names.get(shape[0])
    if (second === undefined) return undefined
    const own = shape?.[1] ?? session[1]
    const today = EVENT_COLUMNS.length + (shape === undefined ? SHAPE_COLUMNS.length : 0)
    const left = columns === undefined ? today : columns - countOf(first) - countOf(second)
    const next = valuesEnd(bytes, own, left, end)
    if (next === undefined) return undefined
    pieces.push(first, second, bytes.subarray(own, next))
    at = next
  }
  return pieces
}

function countOf(columns: Buffer): number {
  let count = 0
  for (let at: number | undefined = 0; at !== undefined && at < columns.length; count++)
    at = valueEnd(columns, at)
  return count
}

/** Where `count` values of msgpack end that begin at `at`; only kinds that encode.ts writes. undefined: they are none. */
export function valuesEnd(
  bytes: Buffer,
  at: number,
  count: number,
  end: number = bytes.length,
): number | undefined {
  let next = at
  for (let left = count; left > 0; left--) {
    const tag = bytes[next++]
    if (tag === undefined || next > end) return undefined
    if (tag < 0x80 || tag === 0xc2 || tag === 0xc3) continue
    if (tag < 0x90) left += (tag & 15) * 2
    else if (tag < 0xa0) left += tag & 15
    else if (tag < 0xc0) next += tag & 31
    else if (tag >= 0xcc && tag <= 0xcf) next += 1 << (tag - 0xcc)
    else {
      const wide = WIDE.get(tag)
      if (wide === undefined || next + wide.bytes > end) return undefined
      const size = bytes.readUIntBE(next, wide.bytes)
      next += wide.bytes
      if (wide.each === 0) next += size
      else left += size * wide.each
    }
  }
  return next > end ? undefined : next
}

export function valueEnd(bytes: Buffer, at: number): number | undefined {
  return valuesEnd(bytes, at, 1)
}

/** Tag → bytes of the size, and values of each entry; 0 where it counts bytes. */
const WIDE = new Map([
  [0xc4, { bytes: 1, each: 0 }],
  [0xc5, { bytes: 2, each: 0 }],
  [0xc6, { bytes: 4, each: 0 }],
  [0xd9, { bytes: 1, each: 0 }],
  [0xda, { bytes: 2, each: 0 }],
  [0xdb, { bytes: 4, each: 0 }],
  [0xdc, { bytes: 2, each: 1 }],
  [0xdd, { bytes: 4, each: 1 }],
  [0xde, { bytes: 2, each: 2 }],
  [0xdf, { bytes: 4, each: 2 }],
])
