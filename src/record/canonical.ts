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
import type { SpareMemory } from '../base/spare-memory.ts'
import { COLUMNS } from './columns.ts'
import type { EngineRows } from './engine-rows.ts'
import { EXPANDED_BYTES_MAX, type Names } from './named-rows.ts'
import { CONTENT_COLUMNS, RowBytes, SESSION_END, SHAPE_END, Sink, Span } from './row-binary.ts'
import { RowBinaryReader } from './row-binary-reader.ts'
import { type Run, SessionRows, Shape } from './session-rows.ts'

export type { Run } from './session-rows.ts'

/** Number of this encoding. Another list of columns is another number, and both stay readable. */
export const CANONICAL = 1
/** Names and types, in canonical order. */
export const CANONICAL_COLUMNS: readonly (readonly [string, string])[] = [
  ...COLUMNS.filter(([name]) => !CONTENT_COLUMNS.includes(name)),
  ...COLUMNS.filter(([name]) => CONTENT_COLUMNS.includes(name)),
]

type Block = readonly [start: number | undefined, end: number | undefined]
const NO_NAMES: Names = new Map()

/** Raw bytes of this many shapes are remembered per session. */
const SHAPES_MAX = 8

/**
 * Collects the rows of blocks into runs. `salt` gives 16 fresh random bytes; `engine` gets the same rows; `spare` is where
 * memory comes from.
 */
export class Runs {
  readonly #salt: () => Uint8Array
  readonly #engine: EngineRows | undefined
  readonly #spare: SpareMemory | undefined
  readonly #sessions = new Map<string, SessionRows>()
  /** By the last bytes of their ids, where these tell them apart: one that stands here is compared as a whole. */
  readonly #byEnd = new Map<number, SessionRows>()
  readonly #row = new RowBytes()
  /** What numbers in the rows mean, and by their number the sessions that were named so. */
  #names = NO_NAMES
  readonly #byNumber = new Map<number, SessionRows>()
  readonly #said = new RowBytes()
  #expanded = 0
  #made: { run: Run; salt: Uint8Array }[] = []
  #last: SessionRows | undefined

  constructor(salt: () => Uint8Array, engine?: EngineRows, spare?: SpareMemory) {
    this.#salt = salt
    this.#engine = engine
    this.#spare = spare
  }

  /**
   * Adds all rows of a block, from `start` to `end`. Throws where it is not what encode.ts and named-rows.ts write; rows before
   * that are kept.
   */
  add(bytes: Buffer, [start, end]: Block = [0, bytes.length], names: Names = NO_NAMES): void {
    const row = this.#row
    row.begin(bytes, start, end)
    this.#names = names
    while (row.at < row.end) {
      const number = row.reference()
      const rows = number === 0 ? this.#session() : this.#named(number)
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
    for (const rows of this.#sessions.values()) {
      this.#close(rows)
      rows.end()
    }
    this.#sessions.clear()
    this.#byEnd.clear()
    this.#byNumber.clear()
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
    const number = row.reference()
    const shape = number === 0 ? this.#shape(rows) : this.#namedShape(rows, number)
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

  /** The session whose columns stand here; they are read once and compared after that. Goes on behind them. */
  #session(): SessionRows {
    if (this.#names.size > 0)
      throw new Error('a session without a number among those that have one')
    const row = this.#row
    let rows = this.#last
    if (rows?.raw?.isAt(row) !== true) {
      const end = row.peekEnd()
      rows = this.#byEnd.get(end)
      if (rows?.raw?.isAt(row) !== true) {
        const id = row.peekText()
        rows = this.#sessions.get(id)
        if (rows?.raw?.isAt(row) !== true) return this.#beginHere(end)
        this.#byEnd.set(end, rows)
      }
      this.#last = rows
    }
    row.at += rows.raw.bytes.length
    return rows
  }

  #beginHere(end: number): SessionRows {
    const row = this.#row
    const start = row.at
    const rows = this.#begin(row)
    rows.raw = new Span(row.block.subarray(start, row.at))
    this.#byEnd.set(end, rows)
    this.#last = rows
    return rows
  }

  #named(number: number): SessionRows {
    const known = this.#byNumber.get(number)
    if (known !== undefined) return known
    const said = this.#meaning(number)
    const rows = this.#begin(said)
    if (said.at !== said.end) throw new Error('not the columns of a session')
    this.#byNumber.set(number, rows)
    return rows
  }

  /** Reads what a number means. */
  #meaning(number: number): RowBytes {
    const columns = this.#names.get(number)
    if (columns === undefined) throw new Error('nothing says what a number means')
    this.#said.begin(columns)
    return this.#said
  }

  /** The session whose columns stand in `from`, which goes on behind them. */
  #begin(from: RowBytes): SessionRows {
    const id = from.peekText()
    from.events = new Sink(1024)
    from.steps(0, SESSION_END)
    // The same session with other columns is another run: the columns are of the row all the same.
    const former = this.#sessions.get(id)
    if (former !== undefined) this.#replace(former)
    const span = Buffer.from(from.events.bytes.subarray(0, from.events.size))
    const of = { session: id, connection: textOf(span, CONNECTION) }
    const made = new SessionRows(of, span, this.#spare)
    made.number = this.#engine?.session(span) ?? 0
    this.#sessions.set(id, made)
    return made
  }

  #replace(former: SessionRows): void {
    this.#close(former)
    for (const [number, rows] of this.#byNumber) if (rows === former) this.#byNumber.delete(number)
    for (const [end, rows] of this.#byEnd) if (rows === former) this.#byEnd.delete(end)
    if (this.#last === former) this.#last = undefined
  }

  /** The shape whose columns stand here. Goes on behind them. */
  #shape(rows: SessionRows): Shape {
    const row = this.#row
    for (const shape of rows.shapes)
      if (shape.raw?.isAt(row) === true) {
        row.at += shape.raw.bytes.length
        return rows.put(shape)
      }
    const start = row.at
    const shape = this.#newShape(rows, row)
    shape.raw = new Span(row.block.subarray(start, row.at))
    return shape
  }

  #namedShape(rows: SessionRows, number: number): Shape {
    for (const shape of rows.shapes)
      if (shape.reference === number) {
        this.#expanded += shape.events.length + shape.contents.length
        // Somebody else has written it: rows of ours are in segments that take less.
        if (this.#expanded > EXPANDED_BYTES_MAX) throw new Error('its names stand for too much')
        return rows.put(shape)
      }
    const said = this.#meaning(number)
    said.events = rows.events
    said.contents = rows.contents
    const shape = this.#newShape(rows, said)
    if (said.at !== said.end) throw new Error('not the columns of a shape')
    shape.reference = number
    return shape
  }

  #newShape(rows: SessionRows, from: RowBytes): Shape {
    const [events, contents] = [rows.events.size, rows.contents.size]
    rows.events.put(rows.span)
    from.steps(SESSION_END, SHAPE_END)
    if (rows.shapes.length >= SHAPES_MAX) rows.shapes.shift()
    const shape = new Shape(
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

/** Only texts stand before it. */
const CONNECTION = COLUMNS.findIndex(([name]) => name === 'connection')

/** The text at a place of RowBinary before which only texts stand. */
function textOf(bytes: Buffer, index: number): string {
  const reader = new RowBinaryReader(bytes)
  for (let left = index; left > 0; left--) reader.skip('String')
  return reader.text()
}
