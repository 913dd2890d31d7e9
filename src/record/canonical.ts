/**
 * Pure. The canonical encoding of recorded events, made from the rows of a spool block: ClickHouse's own RowBinary
 * (https://clickhouse.com/docs/interfaces/formats/RowBinary), so that anybody can rebuild it from the table with a
 * SELECT of the columns in this order.
 *
 *   ┌──────────────────────────────────────┬──────────────────────────────────────┐
 *   │ events: all columns that are facts   │ contents: statement, facts, params,  │   one row
 *   │ of the event, in the order of COLUMNS│ payload: what may be erased          │
 *   └──────────────────────────────────────┴──────────────────────────────────────┘
 *
 * Rows of one session that stand in a row of numbers become one run, with a SHA-256 over its events and a salted one over
 * its contents; a checksum of each row says later which one was changed. Nothing of it is secret and nothing signed.
 */
import { createHash, type Hash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { COLUMNS } from './columns.ts'
import type { EngineRow, EngineRows, EngineShape } from './engine-rows.ts'
import { CONTENT_COLUMNS, RowBytes, SESSION_END, SHAPE_END, Sink, Span } from './row-binary.ts'

/** Number of this encoding. Another list of columns is another number, and both stay readable. */
export const CANONICAL = 1
/** Names and types, in canonical order. */
export const CANONICAL_COLUMNS: readonly (readonly [string, string])[] = [
  ...COLUMNS.filter(([name]) => !CONTENT_COLUMNS.includes(name)),
  ...COLUMNS.filter(([name]) => CONTENT_COLUMNS.includes(name)),
]

/** Events `first` to `last` of a session, all of them. Digests are hexadecimal. */
export interface Run {
  readonly session: string
  readonly connection: string
  readonly first: number
  readonly last: number
  readonly events: string
  readonly contents: string
  /** Checksums, eight hexadecimal digits a row. */
  readonly hints: string
}

/** A digest's buffer is given to its hash beyond this. */
const BUFFER_BYTES = 64 << 10
/** Raw bytes of this many shapes are remembered per session. */
const SHAPES_MAX = 8
/** From here on a call of crc32 is worth it. */
const CRC_CALL_BYTES = 128

/** Collects the rows of blocks into runs. `salt` gives 16 fresh random bytes; `engine` gets the same rows. */
export class Runs {
  readonly #salt: () => Uint8Array
  readonly #engine: EngineRows | undefined
  readonly #sessions = new Map<string, SessionRows>()
  /** By the last bytes of their ids, where these tell them apart: one that stands here is compared as a whole. */
  readonly #byEnd = new Map<number, SessionRows>()
  readonly #row = new RowBytes()
  #made: { run: Run; salt: Uint8Array }[] = []
  #last: SessionRows | undefined

  constructor(salt: () => Uint8Array, engine?: EngineRows) {
    this.#salt = salt
    this.#engine = engine
  }

  /** Adds all rows of a block. Throws where it is not what encode.ts writes; rows before that are kept. */
  add(bytes: Buffer, start = 0, end = bytes.length): void {
    const row = this.#row
    row.begin(bytes, start, end)
    while (row.at < end) {
      const rows = this.#session()
      rows.mark()
      try {
        this.#addRow(rows)
      } catch (error) {
        rows.takeBack()
        throw error
      }
    }
  }

  /** The runs so far, in the order in which they ended; each session's own are in order. */
  take(): readonly { readonly run: Run; readonly salt: Uint8Array }[] {
    for (const rows of this.#sessions.values()) this.#close(rows)
    this.#sessions.clear()
    this.#byEnd.clear()
    this.#last = undefined
    const made = this.#made
    this.#made = []
    return made
  }

  #addRow(rows: SessionRows): void {
    const row = this.#row
    row.events = rows.events
    row.contents = rows.contents
    rows.begin(this.#salt)
    row.at += rows.raw.bytes.length
    const shape = this.#shape(rows)
    const tail = rows.events.size
    const seq = row.eventSteps()
    rows.eventsAt = tail
    rows.contentsAt += shape.contents.length
    const sum = rows.checksum(shape)
    this.#engine?.add(rows, shape)
    if (rows.count > 0 && seq !== rows.last + 1) {
      const { events, contents } = rows.takeRow()
      this.#close(rows)
      rows.begin(this.#salt)
      rows.events.put(events)
      rows.contents.put(contents)
    }
    rows.add(seq, sum)
  }

  #close(rows: SessionRows): void {
    if (rows.count > 0) this.#made.push({ run: rows.finish(), salt: rows.salt })
  }

  /** The session whose columns stand here; they are read once and compared after that. */
  #session(): SessionRows {
    const row = this.#row
    if (this.#last?.raw.isAt(row) === true) return this.#last
    const end = row.peekEnd()
    let known = this.#byEnd.get(end)
    if (known?.raw.isAt(row) !== true) {
      const id = row.peekText()
      known = this.#sessions.get(id)
      if (known?.raw.isAt(row) !== true) known = this.#begin(id, known)
      this.#byEnd.set(end, known)
    }
    this.#last = known
    return known
  }

  #begin(id: string, former: SessionRows | undefined): SessionRows {
    const row = this.#row
    const start = row.at
    row.events = new Sink(1024)
    row.steps(0, SESSION_END)
    const raw = new Span(row.block.subarray(start, row.at))
    row.at = start
    // The same session with other columns is another run: the columns are of the row all the same.
    if (former !== undefined) this.#close(former)
    const span = Buffer.from(row.events.bytes.subarray(0, row.events.size))
    const made = new SessionRows({ session: id, connection: textOf(span, CONNECTION) }, raw, span)
    made.number = this.#engine?.session(span) ?? 0
    this.#sessions.set(id, made)
    return made
  }

  #shape(rows: SessionRows): Shape {
    const row = this.#row
    for (const shape of rows.shapes) {
      if (!shape.raw.isAt(row)) continue
      rows.events.put(shape.events)
      if (shape.contents.length > 0) rows.contents.put(shape.contents)
      row.at += shape.raw.bytes.length
      return shape
    }
    const start = row.at
    const [events, contents] = [rows.events.size, rows.contents.size]
    rows.events.put(rows.span)
    row.steps(SESSION_END, SHAPE_END)
    if (rows.shapes.length >= SHAPES_MAX) rows.shapes.shift()
    const shape = new Shape(
      new Span(row.block.subarray(start, row.at)),
      Buffer.from(rows.events.bytes.subarray(events, rows.events.size)),
      Buffer.from(rows.contents.bytes.subarray(contents, rows.contents.size)),
    )
    if (this.#engine !== undefined) {
      shape.columns = Buffer.concat([shape.events.subarray(rows.span.length), shape.contents])
      shape.number = this.#engine.shape(shape.columns)
    }
    rows.shapes.push(shape)
    return shape
  }
}

const NONE = Buffer.alloc(0)

class Shape implements EngineShape {
  readonly raw: Span
  /** Columns of the session too. */
  readonly events: Buffer
  readonly contents: Buffer
  /** Checksum of what all its rows in this session begin with. */
  readonly sum: number
  /** For the engine: its own columns alone, and what they are called. */
  columns: Buffer = NONE
  number = 0

  constructor(raw: Span, events: Buffer, contents: Buffer) {
    this.raw = raw
    this.events = events
    this.contents = contents
    this.sum = crc32(events)
  }
}

/** What is collected of one session; a row is written where its digest is made of it. */
class SessionRows implements EngineRow {
  readonly session: string
  readonly connection: string
  readonly raw: Span
  readonly span: Buffer
  readonly shapes: Shape[] = []
  readonly events = new Sink(1024)
  readonly contents = new Sink(1024)
  salt: Uint8Array = new Uint8Array()
  first = 0
  last = 0
  count = 0
  /** Called so by the engine. */
  number = 0
  /** Where the row's own columns begin, behind those of its shape. */
  eventsAt = 0
  contentsAt = 0
  #row = { events: 0, contents: 0 }
  #events: Hash | undefined
  #contents: Hash | undefined
  readonly #hints = new Sink(256)

  constructor(of: { session: string; connection: string }, raw: Span, span: Buffer) {
    this.session = of.session
    this.connection = of.connection
    this.raw = raw
    this.span = span
  }

  /** Here begins a row, of which nothing may be left if it is none. */
  mark(): void {
    if (this.events.size > BUFFER_BYTES) this.#events = flush(this.events, this.#events)
    if (this.contents.size > BUFFER_BYTES) this.#contents = flush(this.contents, this.#contents)
    this.#row.events = this.events.size
    this.#row.contents = this.contents.size
    this.contentsAt = this.contents.size
  }

  takeBack(): void {
    this.events.size = this.#row.events
    this.contents.size = this.#row.contents
  }

  /** The row that was written last, which is not of this run. */
  takeRow(): { events: Buffer; contents: Buffer } {
    const { events, contents } = this
    const row = {
      events: Buffer.from(events.bytes.subarray(this.#row.events, events.size)),
      contents: Buffer.from(contents.bytes.subarray(this.#row.contents, contents.size)),
    }
    this.takeBack()
    return row
  }

  /** The contents of a run begin with its salt. */
  begin(salt: () => Uint8Array): void {
    if (this.count > 0) return
    // A row that was taken back may have left a salt there.
    this.contents.size = 0
    this.salt = salt()
    this.contents.put(this.salt)
    this.#row.contents = this.contents.size
    this.contentsAt = this.contents.size
  }

  checksum({ sum, contents }: Shape): number {
    const events = crcOf(this.events, this.eventsAt, sum)
    if (contents.length < CRC_CALL_BYTES) return crcOf(this.contents, this.#row.contents, events)
    return crcOf(this.contents, this.contentsAt, crc32(contents, events))
  }

  add(seq: number, sum: number): void {
    if (this.count === 0) this.first = seq
    this.last = seq
    this.count++
    const hints = this.#hints
    hints.room(8)
    for (let shift = 28; shift >= 0; shift -= 4)
      hints.bytes[hints.size++] = HEX.charCodeAt((sum >>> shift) & 15)
  }

  finish(): Run {
    const { session, connection, first, last } = this
    const hints = this.#hints
    const run = {
      session,
      connection,
      first,
      last,
      events: finish(this.events, this.#events),
      contents: finish(this.contents, this.#contents),
      hints: hints.bytes.toString('latin1', 0, hints.size),
    }
    this.#events = undefined
    this.#contents = undefined
    hints.clear(BUFFER_BYTES)
    this.count = 0
    return run
  }
}

/** Only texts stand before it. */
const CONNECTION = COLUMNS.findIndex(([name]) => name === 'connection')

/** The text at a place of RowBinary before which only texts stand. */
function textOf(bytes: Buffer, index: number): string {
  let at = 0
  for (let left = index; ; left--) {
    let [size, scale] = [0, 1]
    for (; bytes[at]! > 127; scale *= 128) size += (bytes[at++]! & 127) * scale
    size += bytes[at++]! * scale
    if (left === 0) return bytes.toString('utf8', at, at + size)
    at += size
  }
}

const HEX = '0123456789abcdef'

/** Four tables of 256: for the last byte, and for those one, two and three before it. */
const CRC = new Int32Array(1024)
for (let n = 0; n < 1024; n++) {
  let value = n < 256 ? n : CRC[n - 256]!
  for (let i = 0; i < 8; i++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  CRC[n] = value
}

/** CRC-32 of what stands in a sink from `start` on, after `before`. */
function crcOf({ bytes, view, size }: Sink, start: number, before: number): number {
  if (size - start >= CRC_CALL_BYTES) return crc32(bytes.subarray(start, size), before)
  let value = ~before
  let i = start
  for (; i + 4 <= size; i += 4) {
    const four = value ^ view.getInt32(i, true)
    const [low, high] = [four & 0xffff, four >>> 16]
    value =
      CRC[768 + (low & 255)]! ^
      CRC[512 + (low >>> 8)]! ^
      CRC[256 + (high & 255)]! ^
      CRC[high >>> 8]!
  }
  for (; i < size; i++) value = CRC[(value ^ bytes[i]!) & 255]! ^ (value >>> 8)
  return ~value >>> 0
}

function flush(sink: Sink, before: Hash | undefined): Hash {
  const made = before ?? createHash('sha256')
  made.update(sink.bytes.subarray(0, sink.size))
  sink.clear(BUFFER_BYTES * 2)
  return made
}

/** SHA-256 of what was added; small amounts cost one call. */
function finish(sink: Sink, before: Hash | undefined): string {
  const rest = sink.bytes.subarray(0, sink.size)
  const digest = before?.update(rest).digest('hex') ?? hash('sha256', rest, 'hex')
  sink.clear(BUFFER_BYTES * 2)
  return digest
}
