/**
 * Pure. Rows of a segment for the embedded engine, in RowBinary, where each says the number of its session and of its shape
 * instead of their 27 columns: most of what an insert costs is the reading of columns that are the same a thousand times.
 *
 *   spool   session │ shape │ event   session │ shape │ event   …     MsgPack
 *   body    1 │ 1 │ event   1 │ 2 │ event   …     RowBinary, and the columns of both once, in the text of the INSERT
 *
 * What canonical.ts has made for the digests is sent once more, so that nothing is read twice. Where shapes differ row by
 * row (texts that differ in their literals) only sessions are numbered. A session's rows stand together, in the order of the
 * table: the engine sorts only what is not sorted, and moves all columns for it.
 */
import type { SpareMemory } from '../base/spare-memory.ts'
import type { Settings } from './clickhouse.ts'
import { COLUMN_NAMES, EVENT_COLUMNS, SESSION_COLUMNS, SHAPE_COLUMNS } from './columns.ts'
import { CONTENT_COLUMNS, Sink } from './row-binary.ts'
import { RowBinaryReader } from './row-binary-reader.ts'

export interface EngineInsert {
  /** What stands behind the table in an INSERT. */
  readonly as: string
  readonly settings: Settings
  /** One behind the other. */
  readonly body: readonly Buffer[]
}

/** A row as it ends both sinks, and from where on: its own columns, without those of session and shape. */
export interface EngineRow {
  /** Of its session. */
  readonly number: number
  readonly events: Sink
  readonly contents: Sink
  readonly eventsAt: number
  readonly contentsAt: number
}

export interface EngineShape {
  readonly number: number
  readonly columns: Buffer
}

/** For less than this a longer text of a query is not worth while. */
export const ENGINE_ROWS_MIN = 1000
/** So many rows must share a session, or a shape, in the mean. */
const SHARED_MIN = 8
/** Of columns that stand in the query, for sessions and for shapes; twice as long there, in hexadecimal. */
const NUMBERED_BYTES_MAX = 32 << 10
const BODY_BYTES_MAX = 256 << 20
/** What a session's begins with. */
const BODY_BYTES = 4096
/** A query is refused beyond 256 KiB, and empty texts are twice as long in it as here. */
const QUERY_MAX = 200_000
/** Where shapes are not numbered, this much of them is known again. */
const KNOWN_BYTES_MAX = 256 << 10

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

/** As canonical.ts writes them: what may be erased comes last. */
const SHAPE_ORDER = contentsLast(SHAPE_COLUMNS)
const EVENT_ORDER = contentsLast(EVENT_COLUMNS)

function contentsLast(columns: Columns): Columns {
  const isContent = ([name]: readonly [string, string]) => CONTENT_COLUMNS.includes(name)
  return [...columns.filter((one) => !isContent(one)), ...columns.filter(isContent)]
}

/** Those of one segment, from its first row on. */
export class EngineRows {
  /** The columns of shapes stand in every row. */
  readonly isInline: boolean
  count = 0
  readonly #sessions = new Numbers()
  readonly #shapes: Numbers
  readonly #spare: SpareMemory | undefined
  /** By the number of a session. */
  readonly #bodies: Sink[] = []
  /** What they take in memory, and what of it is used. */
  bytes = 0
  #size = 0

  constructor(isInline = false, spare?: SpareMemory) {
    this.isInline = isInline
    this.#spare = spare
    this.#shapes = new Numbers(isInline ? KNOWN_BYTES_MAX : undefined)
  }

  /** There are too many sessions or shapes, or it is too long: this will be none. */
  get isFull(): boolean {
    if (this.#size > BODY_BYTES_MAX) return true
    return this.#sessions.isFull || (!this.isInline && this.#shapes.isFull)
  }

  /** As many shapes as rows, nearly: they had better not be numbered. */
  get hasManyShapes(): boolean {
    return this.#shapes.isFull || this.#shapes.columns.length > this.count / SHARED_MIN
  }

  /** Number of a session with these columns. */
  session(columns: Buffer): number {
    return this.#sessions.of(columns)
  }

  shape(columns: Buffer): number {
    return this.#shapes.of(columns)
  }

  add(row: EngineRow, shape: EngineShape): void {
    this.count++
    if (this.isFull) return
    let body = this.#bodies[row.number]
    if (body === undefined) this.#bodies[row.number] = body = this.#begin()
    const [bytes, size] = [body.bytes.length, body.size]
    body.uint32(row.number)
    if (this.isInline) body.put(shape.columns)
    else body.uint32(shape.number)
    body.take(row.events, row.eventsAt)
    body.take(row.contents, row.contentsAt)
    this.#size += body.size - size
    this.bytes += body.bytes.length - bytes
  }

  /** The body of its insert is not looked at any more. */
  end(): void {
    for (const body of this.#bodies) body?.end()
    this.bytes = 0
  }

  /** undefined: they are not all `rows` of a segment, or it is not worth while. */
  insert(rows: number, rowsMin: number = ENGINE_ROWS_MIN): EngineInsert | undefined {
    if (this.count !== rows || rows < rowsMin || this.isFull) return undefined
    if (this.#sessions.columns.length > rows / SHARED_MIN) return undefined
    if (!this.isInline && this.hasManyShapes) return undefined
    const as = this.#as()
    if (as.length > QUERY_MAX) return undefined
    return { as, settings: SETTINGS, body: this.#sorted() }
  }

  #begin(): Sink {
    const made = new Sink(BODY_BYTES, this.#spare)
    this.bytes += made.bytes.length
    return made
  }

  /** As in the table, where sessions come by their ids, which is what their columns begin with. */
  #sorted(): Buffer[] {
    return this.#sessions.columns
      .map((columns, at) => ({ columns, body: this.#bodies[at + 1] }))
      .sort((a, b) => a.columns.compare(b.columns))
      .flatMap(({ body }) => (body === undefined ? [] : [body.bytes.subarray(0, body.size)]))
  }

  #as(): string {
    const given: Columns = this.isInline ? [...SHAPE_ORDER, ...EVENT_ORDER] : EVENT_ORDER
    const numbers = ['session_number UInt32', ...(this.isInline ? [] : ['shape_number UInt32'])]
    const structure = [...numbers, ...given.map(([name, type]) => `${name} ${type}`)].join(', ')
    const chosen = new Map(given.map(([name]) => [name, name]))
    numbered(chosen, SESSION_COLUMNS, { of: this.#sessions, number: 'session_number' })
    if (!this.isInline) numbered(chosen, SHAPE_ORDER, { of: this.#shapes, number: 'shape_number' })
    const from = `input('${structure.replaceAll("'", "\\'")}')`
    const names = COLUMN_NAMES.map((name) => chosen.get(name))
    return `(${COLUMN_NAMES.join(', ')}) SELECT ${names.join(', ')} FROM ${from} FORMAT RowBinary`
  }
}

/** Different columns, numbered from 1 on, as ClickHouse counts. */
class Numbers {
  readonly columns: Buffer[] = []
  isFull = false
  readonly #bytesMax: number
  readonly #byText = new Map<string, number>()
  #bytes = 0

  constructor(bytesMax = NUMBERED_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  of(columns: Buffer): number {
    if (this.isFull) return 0
    const text = columns.toString('latin1')
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    this.#bytes += columns.length
    if (this.#bytes > this.#bytesMax) {
      this.isFull = true
      return 0
    }
    this.columns.push(columns)
    this.#byText.set(text, this.columns.length)
    return this.columns.length
  }
}

/** What each column is of the entry that a row names. One that is the same in all of them is not looked up for each row. */
function numbered(
  chosen: Map<string, string>,
  columns: Columns,
  { of, number }: { of: Numbers; number: string },
): void {
  const rows = of.columns.map((bytes) => literals(bytes, columns))
  for (const [column, [name, type]] of columns.entries()) {
    const values = rows.map((row) => row[column]!)
    const isSame = values.every((value) => value === values[0])
    const found = isSame
      ? `CAST(${values[0]}, '${type}')`
      : `arrayElement(CAST([${values.join(',')}], 'Array(${type})'), ${number})`
    chosen.set(name, `${found} AS ${name}`)
  }
}

/** Of RowBinary that canonical.ts wrote. Texts in hexadecimal: nothing of them can be taken for anything else. */
function literals(bytes: Buffer, columns: Columns): string[] {
  const reader = new RowBinaryReader(bytes)
  const text = () => `x'${reader.take(reader.length()).toString('hex')}'`
  return columns.map(([, type]) => {
    if (type === 'String') return text()
    if (type === 'Bool') return String(reader.bool())
    if (type !== 'Array(String)') return reader.uint64().toString()
    return `[${Array.from({ length: reader.length() }, text).join(',')}]`
  })
}
