/**
 * Pure. Rows of a segment for the embedded engine, where each says the number of its session and of its shape instead of
 * their 27 columns: most of what an insert costs is the reading of columns that are the same a thousand times.
 *
 *   spool   session │ shape │ event   session │ shape │ event   …
 *   body    1 │ 1 │ event   1 │ 2 │ event   …          and the columns of both once, in the text of the INSERT
 *
 * The format is MsgPack before and after. Where there are as many shapes as rows (texts that differ in their literals) only
 * sessions are numbered; where it is not worth while, or a block does not hold rows, nothing is changed.
 */
import type { Settings } from './clickhouse.ts'
import { COLUMN_NAMES, EVENT_COLUMNS, SESSION_COLUMNS, SHAPE_COLUMNS } from './columns.ts'
import { RowBytes, Span } from './row-binary.ts'
import type { SegmentContent } from './segment.ts'

export interface CompactRows {
  /** What stands behind the table in an INSERT. */
  readonly as: string
  readonly settings: Settings
  /** Part of the segment's bytes, which are no segment any more. */
  readonly body: Buffer
}

/** For less than this a longer text of a query is not worth while. */
const ROWS_MIN = 1000
/** So many rows must share a session, or a shape, in the mean. */
const SHARED_MIN = 8
/** Of columns in hexadecimal, for sessions and for shapes. */
const TEXT_MAX = 64 << 10
/** A query is refused beyond 256 KiB, and empty texts are twice as long in it as in the spool. */
const QUERY_MAX = 200_000
/** Of sessions that have the same last bytes, and of shapes of one session that are compared before they are looked up. */
const NEAR_MAX = 4

/** Numbers that are noted of a row. */
const PLACES = 5
const SHAPE_END = SHAPE_COLUMNS.length
const EVENT_END = EVENT_COLUMNS.length

/** What is selected is one block as well, and known by its token; or the engine says that it cannot do that. */
const SETTINGS: Settings = {
  max_block_size: 10_000_000,
  max_threads: 1,
  max_insert_threads: 1,
  deduplicate_insert_select: 'force_enable',
  // Texts of statements stand in the query: an erasure must find them in the table only.
  log_queries: 0,
}

type Columns = readonly (readonly [string, string])[]

/** Reused from segment to segment, one after the other. */
export class RowCompactor {
  readonly #rowsMin: number
  readonly #row = new RowBytes()
  /** Of each row: session, shape, where its shape and its event begin, and where it ends. */
  #places = new Int32Array(0)

  constructor(rowsMin: number = ROWS_MIN) {
    this.#rowsMin = rowsMin
  }

  /** undefined: it stays as it is. */
  compact(content: SegmentContent): CompactRows | undefined {
    if (content.rows < this.#rowsMin) return undefined
    const most = content.rows / SHARED_MIN
    const sessions = new Dictionary(SESSION_COLUMNS, most)
    const shapes = new Dictionary(SHAPE_COLUMNS, most)
    if (!this.#find(content, sessions, shapes)) return undefined
    const as = insertOf(sessions, shapes)
    // Only where all of it is understood is anything changed.
    return as === undefined
      ? undefined
      : { as, settings: SETTINGS, body: this.#move(content, !shapes.isFull) }
  }

  /** False where it is not worth while, or something is no row. */
  #find(
    { bytes, blocks, rows }: SegmentContent,
    sessions: Dictionary,
    shapes: Dictionary,
  ): boolean {
    const row = this.#row
    if (this.#places.length < rows * PLACES) this.#places = new Int32Array(rows * PLACES)
    const places = this.#places
    let [count, place] = [0, 0]
    for (let i = 0; i < blocks.length; i += 2) {
      row.begin(bytes, blocks[i], blocks[i + 1])
      while (row.at < row.end) {
        if (++count > rows) return false
        const session = sessions.find(row)
        if (session === undefined) return false
        places[place] = session.number
        places[place + 2] = row.at
        const shape = session.shapeAt(row, shapes)
        if (shape < 0) return false
        places[place + 1] = shape
        places[place + 3] = row.at
        if (!pass(row, EVENT_END)) return false
        places[place + 4] = row.at
        place += PLACES
      }
    }
    return count === rows
  }

  /** Each row becomes shorter, so that none is written over before it was read. */
  #move({ bytes, blocks, rows }: SegmentContent, hasShapes: boolean): Buffer {
    const places = this.#places
    const start = blocks[0]!
    let to = start
    for (let place = 0; place < rows * PLACES; place += PLACES) {
      to = put(bytes, to, places[place]!)
      if (hasShapes) to = put(bytes, to, places[place + 1]!)
      const from = places[place + (hasShapes ? 3 : 2)]!
      const end = places[place + 4]!
      bytes.copyWithin(to, from, end)
      to += end - from
    }
    return bytes.subarray(start, to)
  }
}

/** Sessions, or shapes, by what stands in a row. */
class Dictionary {
  readonly columns: Columns
  readonly entries: Entry[] = []
  isFull = false
  readonly #most: number
  readonly #byEnd = new Map<number, Entry[]>()
  readonly #byText = new Map<string, Entry>()
  #bytes = 0

  constructor(columns: Columns, most: number) {
    this.columns = columns
    this.#most = most
  }

  /** The session that stands here; goes on behind it. undefined: there is none, or there are too many. */
  find(row: RowBytes): Entry | undefined {
    const end = row.peekEnd()
    const near = this.#byEnd.get(end)
    for (const entry of near ?? []) if (entry.passes(row)) return entry
    const entry = this.enter(row)
    if (entry === undefined) return undefined
    if (near === undefined) this.#byEnd.set(end, [entry])
    else if (near.length < NEAR_MAX) near.push(entry)
    return entry
  }

  /** By all of its text; goes on behind it. undefined: no such columns stand here, or there are too many. */
  enter(row: RowBytes): Entry | undefined {
    const start = row.at
    if (!pass(row, this.columns.length)) return undefined
    const text = row.block.toString('latin1', start, row.at)
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    this.#bytes += text.length * 2
    if (this.entries.length >= this.#most || this.#bytes > TEXT_MAX) {
      this.isFull = true
      return undefined
    }
    const entry = new Entry(this.entries.length + 1, Buffer.from(row.block.subarray(start, row.at)))
    this.entries.push(entry)
    this.#byText.set(text, entry)
    return entry
  }
}

class Entry {
  /** From 1 on, as ClickHouse counts. */
  readonly number: number
  readonly #span: Span
  /** Of a session: the shapes it had last. */
  readonly #shapes: Entry[] = []

  constructor(number: number, bytes: Buffer) {
    this.number = number
    this.#span = new Span(bytes)
  }

  /** As literals of ClickHouse. Throws where a value is not of its column's type. */
  literals(columns: Columns): string[] {
    const reader = new LiteralReader(this.#span.bytes)
    const literals = columns.map(([, type]) => reader.read(type))
    if (!reader.isOver) throw new Error('more than its columns')
    return literals
  }

  /** Goes on behind it where it stands here. */
  passes(row: RowBytes): boolean {
    if (!this.#span.isAt(row)) return false
    row.at += this.#span.bytes.length
    return true
  }

  /** Number of the shape that stands here, 0 where they are not numbered; goes on behind it. -1: there is none. */
  shapeAt(row: RowBytes, shapes: Dictionary): number {
    if (!shapes.isFull) {
      for (const shape of this.#shapes) if (shape.passes(row)) return shape.number
      const start = row.at
      const shape = shapes.enter(row)
      if (shape !== undefined) {
        if (this.#shapes.length >= NEAR_MAX) this.#shapes.shift()
        this.#shapes.push(shape)
        return shape.number
      }
      row.at = start
    }
    return pass(row, SHAPE_END) ? 0 : -1
  }
}

/** Goes on behind so many values of msgpack. False: something else stands there, or they do not end here. */
function pass(row: RowBytes, count: number): boolean {
  const { block, view, end } = row
  let at = row.at
  for (let left = count; left > 0; left--) {
    if (at >= end) return false
    const tag = block[at++]!
    if (tag < 0x80) continue
    if (tag < 0x90) left += (tag & 15) * 2
    else if (tag < 0xa0) left += tag & 15
    else if (tag < 0xc0) at += tag & 31
    else if (tag === 0xc2 || tag === 0xc3) continue
    else if (at + 4 > end) {
      // The last bytes of a block: a byte at a time.
      if (tag === 0xcc) at += 1
      else if (tag === 0xcd) at += 2
      else return false
    } else if (tag === 0xcc) at += 1
    else if (tag === 0xcd) at += 2
    else if (tag === 0xce) at += 4
    else if (tag === 0xcf) at += 8
    else if (tag === 0xd9 || tag === 0xc4) at += 1 + block[at]!
    else if (tag === 0xda || tag === 0xc5) at += 2 + view.getUint16(at)
    else if (tag === 0xdb || tag === 0xc6) at += 4 + view.getUint32(at)
    else if (tag === 0xdd) {
      left += view.getUint32(at)
      at += 4
    } else if (tag === 0xdf) {
      left += view.getUint32(at) * 2
      at += 4
    } else return false
  }
  if (at > end) return false
  row.at = at
  return true
}

/** A number that is smaller than 65,536. */
function put(bytes: Buffer, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value
    return at + 1
  }
  bytes[at] = 0xcd
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value & 255
  return at + 3
}

/** undefined: a value is not of its column's type, and the store is to say so; or it is too long. */
function insertOf(sessions: Dictionary, shapes: Dictionary): string | undefined {
  const isOfShape = !shapes.isFull
  const given: Columns = isOfShape ? EVENT_COLUMNS : [...SHAPE_COLUMNS, ...EVENT_COLUMNS]
  const numbers = isOfShape ? 'session_number UInt32, shape_number UInt32' : 'session_number UInt32'
  const structure = `${numbers}, ${given.map(([name, type]) => `${name} ${type}`).join(', ')}`
  let ofEntries: string[]
  try {
    ofEntries = numbered(sessions, 'session_number')
    if (isOfShape) ofEntries.push(...numbered(shapes, 'shape_number'))
  } catch {
    return undefined
  }
  const chosen = [...ofEntries, ...given.map(([name]) => name)]
  const from = `input('${structure.replaceAll("'", "\\'")}')`
  const as = `(${COLUMN_NAMES.join(', ')}) SELECT ${chosen.join(', ')} FROM ${from} FORMAT MsgPack`
  return as.length > QUERY_MAX ? undefined : as
}

/** What each column is of the entry that a row names. */
function numbered({ columns, entries }: Dictionary, number: string): string[] {
  const literals = entries.map((entry) => entry.literals(columns))
  return columns.map(([name, type], column) => {
    const list = literals.map((row) => row[column]).join(',')
    return `arrayElement(CAST([${list}], 'Array(${type})'), ${number}) AS ${name}`
  })
}

/** Of a list of at most 255 there is no kind of its own. */
const NO_TAG = -1

/** Values of msgpack as literals. Texts in hexadecimal: nothing of them can be taken for anything else. */
class LiteralReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isOver(): boolean {
    return this.#at === this.#bytes.length
  }

  read(type: string): string {
    const tag = this.#bytes[this.#at++]!
    if (type === 'String') return this.#text(tag)
    if (type === 'Array(String)') return this.#texts(tag)
    if (type === 'Bool' && (tag === 0xc2 || tag === 0xc3)) return String(tag === 0xc3)
    if (type === 'UInt64' && tag < 0x80) return String(tag)
    if (type === 'UInt64' && tag >= 0xcc && tag <= 0xcf) return this.#uint(1 << (tag - 0xcc))
    throw new Error(`not of the type ${type}`)
  }

  #uint(size: number): string {
    const start = this.#at
    this.#at += size
    return BigInt(`0x${this.#bytes.toString('hex', start, this.#at)}`).toString()
  }

  #text(tag: number): string {
    const size = this.#size(tag, 0xa0, [0xd9, 0xda, 0xdb])
    const start = this.#at
    this.#at += size
    return `x'${this.#bytes.toString('hex', start, this.#at)}'`
  }

  #texts(tag: number): string {
    const count = this.#size(tag, 0x90, [NO_TAG, 0xdc, 0xdd])
    return `[${Array.from({ length: count }, () => this.read('String')).join(',')}]`
  }

  /** `wide`: the kinds whose size stands in one, two and four bytes. */
  #size(tag: number, fix: number, wide: readonly number[]): number {
    const mask = fix === 0xa0 ? 31 : 15
    if ((tag & ~mask & 0xff) === fix) return tag & mask
    const width = 2 ** wide.indexOf(tag)
    if (width < 1) throw new Error('not a size')
    const start = this.#at
    this.#at += width
    return this.#bytes.readUIntBE(start, width)
  }
}
