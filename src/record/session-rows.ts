/**
 * Pure. What canonical.ts collects of one session: its rows as RowBinary, until digests are made of them, and a checksum of
 * each.
 */
import { createHash, type Hash, hash } from 'node:crypto'
import { crc32 } from '../base/crc32.ts'
import type { SpareMemory } from '../base/spare-memory.ts'
import type { EngineRow, EngineShape } from './engine-rows.ts'
import { Sink, type Span } from './row-binary.ts'

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
const BUFFER_BYTES = 16 << 10
/** What it grows to on the way there, and keeps. */
const KEPT_BYTES = BUFFER_BYTES * 4
const NONE = Buffer.alloc(0)

/** What stands between a session's columns and those of an event. */
export class Shape implements EngineShape {
  /** As it stands in rows: its columns, or its number. */
  raw: Span | undefined
  reference = 0
  /** Columns of the session too. */
  readonly events: Buffer
  readonly contents: Buffer
  /** Checksum of what all its rows in this session begin with. */
  readonly sum: number
  /** For the engine: its own columns alone, and what they are called. */
  columns: Buffer = NONE
  number = 0

  constructor(events: Buffer, contents: Buffer) {
    this.events = events
    this.contents = contents
    this.sum = crc32(events, 0, events.length)
  }
}

/** A row is written where its digest is made of it. */
export class SessionRows implements EngineRow {
  readonly session: string
  readonly connection: string
  /** As its columns stand in rows. */
  raw: Span | undefined
  readonly span: Buffer
  readonly shapes: Shape[] = []
  readonly events: Sink
  readonly contents: Sink
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
  readonly #hints: Sink

  constructor(of: { session: string; connection: string }, span: Buffer, spare?: SpareMemory) {
    this.session = of.session
    this.connection = of.connection
    this.span = span
    this.events = new Sink(1024, spare)
    this.contents = new Sink(1024, spare)
    this.#hints = new Sink(256, spare)
  }

  /** A row begins with this shape. */
  put(shape: Shape): Shape {
    this.events.put(shape.events)
    if (shape.contents.length > 0) this.contents.put(shape.contents)
    return shape
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

  checksum({ sum }: Shape): number {
    const events = crc32(this.events.bytes, this.eventsAt, this.events.size, sum)
    return crc32(this.contents.bytes, this.#row.contents, this.contents.size, events)
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
    hints.clear(KEPT_BYTES)
    this.count = 0
    return run
  }

  /** No row of it comes any more. */
  end(): void {
    this.events.end()
    this.contents.end()
    this.#hints.end()
  }
}

const HEX = '0123456789abcdef'

function flush(sink: Sink, before: Hash | undefined): Hash {
  const made = before ?? createHash('sha256')
  made.update(sink.bytes.subarray(0, sink.size))
  sink.clear(KEPT_BYTES)
  return made
}

/** SHA-256 of what was added; small amounts cost one call. */
function finish(sink: Sink, before: Hash | undefined): string {
  const rest = sink.bytes.subarray(0, sink.size)
  const digest = before?.update(rest).digest('hex') ?? hash('sha256', rest, 'hex')
  sink.clear(KEPT_BYTES)
  return digest
}
