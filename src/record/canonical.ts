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
import { CONTENT_COLUMNS, RowBytes, SESSION_END, SHAPE_END, STEPS_END } from './row-binary.ts'

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

/** Collects the rows of blocks into runs. `salt` gives 16 fresh random bytes. */
export class Runs {
  readonly #salt: () => Uint8Array
  readonly #sessions = new Map<string, SessionRows>()
  readonly #row = new RowBytes()
  #made: { run: Run; salt: Uint8Array }[] = []
  #last: SessionRows | undefined

  constructor(salt: () => Uint8Array) {
    this.#salt = salt
  }

  /** Adds all rows of a block. Throws where it is not what encode.ts writes; rows before that are kept. */
  add(block: Buffer): void {
    const row = this.#row
    row.block = block
    row.at = 0
    while (row.at < block.length) this.#addRow()
  }

  /** The runs so far, in the order in which they ended; each session's own are in order. */
  take(): readonly { readonly run: Run; readonly salt: Uint8Array }[] {
    for (const rows of this.#sessions.values()) this.#close(rows)
    this.#sessions.clear()
    this.#last = undefined
    const made = this.#made
    this.#made = []
    return made
  }

  #addRow(): void {
    const row = this.#row
    const rows = this.#session()
    row.begin()
    row.copy(rows.span)
    row.at += rows.raw.length
    this.#shape(rows)
    const seq = row.steps(SHAPE_END, STEPS_END)
    if (rows.first !== 0 && seq !== rows.last + 1) this.#close(rows)
    if (rows.first === 0) rows.begin(seq, this.#salt())
    rows.add(row, seq)
  }

  #close(rows: SessionRows): void {
    if (rows.first !== 0) this.#made.push({ run: rows.finish(), salt: rows.salt })
  }

  /** The session whose columns stand here; they are read once and compared after that. */
  #session(): SessionRows {
    const row = this.#row
    if (this.#last?.isAt(row) === true) return this.#last
    const start = row.at
    const id = row.peekText()
    const known = this.#sessions.get(id)
    if (known?.isAt(row) === true) {
      this.#last = known
      return known
    }
    row.begin()
    row.steps(0, SESSION_END)
    const raw = Buffer.from(row.block.subarray(start, row.at))
    row.at = start
    // The same session with other columns is another run: the columns are of the row all the same.
    if (known !== undefined) this.#close(known)
    const made = new SessionRows(id, raw, row.eventsCopy())
    this.#sessions.set(id, made)
    this.#last = made
    return made
  }

  #shape(rows: SessionRows): void {
    const row = this.#row
    for (const shape of rows.shapes) {
      if (!shape.isAt(row)) continue
      row.copy(shape.events)
      row.copyContents(shape.contents)
      row.at += shape.raw.length
      return
    }
    const start = row.at
    const [events, contents] = [row.events.size, row.contents.size]
    row.steps(SESSION_END, SHAPE_END)
    if (rows.shapes.length >= SHAPES_MAX) rows.shapes.shift()
    rows.shapes.push(
      new Shape(
        Buffer.from(row.block.subarray(start, row.at)),
        Buffer.from(row.events.bytes.subarray(events, row.events.size)),
        Buffer.from(row.contents.bytes.subarray(contents, row.contents.size)),
      ),
    )
  }
}

class Shape {
  readonly raw: Buffer
  readonly events: Buffer
  readonly contents: Buffer

  constructor(raw: Buffer, events: Buffer, contents: Buffer) {
    this.raw = raw
    this.events = events
    this.contents = contents
  }

  isAt(row: RowBytes): boolean {
    return stands(this.raw, row)
  }
}

class SessionRows {
  readonly session: string
  readonly raw: Buffer
  readonly span: Buffer
  readonly shapes: Shape[] = []
  salt: Uint8Array = new Uint8Array()
  first = 0
  last = 0
  #events = new Digest()
  #contents = new Digest()
  #hints: string[] = []

  constructor(session: string, raw: Buffer, span: Buffer) {
    this.session = session
    this.raw = raw
    this.span = span
  }

  isAt(row: RowBytes): boolean {
    return stands(this.raw, row)
  }

  begin(seq: number, salt: Uint8Array): void {
    this.first = seq
    this.salt = salt
    this.#contents.add(salt)
  }

  add(row: RowBytes, seq: number): void {
    const events = row.events.bytes.subarray(0, row.events.size)
    const contents = row.contents.bytes.subarray(0, row.contents.size)
    this.last = seq
    this.#events.add(events)
    this.#contents.add(contents)
    this.#hints.push(hint(crc32(contents, crc32(events))))
  }

  finish(): Run {
    const { session, first, last } = this
    const run = {
      session,
      first,
      last,
      events: this.#events.finish(),
      contents: this.#contents.finish(),
      hints: this.#hints.join(''),
    }
    this.#hints = []
    this.first = 0
    return run
  }
}

function hint(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

function stands(raw: Buffer, row: RowBytes): boolean {
  const end = row.at + raw.length
  return end <= row.block.length && row.block.compare(raw, 0, raw.length, row.at, end) === 0
}

/** SHA-256 of what is added; small amounts cost one call. */
class Digest {
  #bytes = Buffer.allocUnsafe(1024)
  #size = 0
  #hash: Hash | undefined

  add(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#bytes.length) this.#room(bytes.length)
    if (bytes.length > BUFFER_BYTES) {
      this.#flush().update(bytes)
      return
    }
    this.#bytes.set(bytes, this.#size)
    this.#size += bytes.length
  }

  finish(): string {
    const rest = this.#bytes.subarray(0, this.#size)
    const digest = this.#hash?.update(rest).digest('hex') ?? hash('sha256', rest, 'hex')
    this.#hash = undefined
    this.#size = 0
    return digest
  }

  #room(more: number): void {
    if (more > BUFFER_BYTES || this.#size + more > BUFFER_BYTES) this.#flush()
    if (more > BUFFER_BYTES || this.#size + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(
      Math.min(BUFFER_BYTES, Math.max(this.#bytes.length * 4, this.#size + more)),
    )
    grown.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = grown
  }

  #flush(): Hash {
    this.#hash ??= createHash('sha256')
    this.#hash.update(this.#bytes.subarray(0, this.#size))
    this.#size = 0
    return this.#hash
  }
}
