/**
 * Pure apart from what it is handed. Reads a session's recording row by row, in order, with bounded memory: never more
 * than one page, and of a payload that is longer than a page one piece after the other.
 */
import type { Question } from './read.ts'
import {
  nextOf,
  PAGE_BYTES,
  PIECE_BYTES,
  type Position,
  Progress,
  pieceOf,
  type RecordedRow,
  rowsOf,
  type Span,
  START,
  sizesOf,
  WINDOW_ROWS,
} from './recorded.ts'

export type Ask = (question: Question) => Promise<readonly Readonly<Record<string, unknown>>[]>

export interface ReadingOptions {
  readonly session: string
  readonly ask: Ask
  readonly from?: Position
  /** False: rows come without. */
  readonly payloads?: boolean
  readonly database?: string
}

/** One reading of one session. Call `rows` again for what comes behind. */
export class Reading {
  readonly #options: ReadingOptions
  readonly #progress: Progress
  /** Sizes of the rows behind the page that was read last, which ended at `#pageEnd`. */
  #ahead: readonly Size[] = []
  #pageEnd = 0

  constructor(options: ReadingOptions) {
    this.#options = options
    this.#progress = new Progress(options.from ?? START)
  }

  get position(): Position {
    return this.#progress.position
  }

  /** The last `rows` ended before rows that are missing. */
  isGapped = false

  /**
   * The rows that come next, none where there are none now. Pieces of long payloads are rows of their own.
   * `contiguous`: nothing behind what is missing.
   */
  async *rows({ contiguous = false } = {}): AsyncGenerator<RecordedRow> {
    const { session, ask, database, payloads = true } = this.#options
    const { oldest } = this.#progress
    const { after } = this.position
    const window = await this.#window(after, oldest)
    this.isGapped = false
    if (window === undefined) return
    let expected = after + 1
    const isLong = ({ payload }: Size) => payloads && payload > PIECE_BYTES
    const long = new Map(window.sizes.filter(isLong).map(bySeq))
    const span = { session, oldest, after: window.after, to: window.to }
    for (const found of await ask(rowsOf(span, payloads ? PIECE_BYTES : 0, database))) {
      const row = found as unknown as RecordedRow
      if (contiguous && row.seq !== expected) {
        this.isGapped = true
        return
      }
      expected = row.seq + 1
      const bytes = long.get(row.seq)
      // Who stops at a row begins with the next one.
      this.#progress.see(row)
      if (bytes === undefined) yield row
      else yield* this.#pieces(row, bytes, oldest)
    }
  }

  /** As many rows as make a page, at least one. */
  async #window(after: number, oldest: number) {
    const { session, ask, database } = this.#options
    if (this.#ahead.length > 0 && this.#pageEnd === after) return this.#page(after, this.#ahead)
    let from = after
    for (;;) {
      const span = { session, oldest, after: from, to: from + WINDOW_ROWS }
      const sizes = (await ask(sizesOf(span, database))) as unknown as readonly Size[]
      if (sizes.length > 0) return this.#page(from, sizes)
      // Rows may be missing, and so many that a window shows none.
      const [next] = await ask(nextOf(session, from + WINDOW_ROWS, database))
      const seq = Number(next?.seq ?? 0)
      if (seq === 0) return undefined
      from = seq - 1
    }
  }

  #page(after: number, sizes: readonly Size[]) {
    const to = lastOf(sizes)
    this.#ahead = sizes.filter(({ seq }) => seq > to)
    this.#pageEnd = to
    return { after, to, sizes: sizes.filter(({ seq }) => seq <= to) }
  }

  async *#pieces(row: RecordedRow, bytes: number, oldest: number): AsyncGenerator<RecordedRow> {
    const { session, ask, database } = this.#options
    const span: Span = { session, oldest, after: row.seq - 1, to: row.seq }
    let from = 0
    for (; from + PIECE_BYTES < bytes; from += PIECE_BYTES)
      yield partOf(row, await this.#piece(ask, pieceOf(span, from, database)))
    yield { ...row, payload: await this.#piece(ask, pieceOf(span, from, database)) }
  }

  async #piece(ask: Ask, question: Question): Promise<string> {
    const [found] = await ask(question)
    return String(found?.payload ?? '')
  }
}

interface Size {
  readonly seq: number
  readonly payload: number
  readonly others: number
}

function bySeq({ seq, payload }: Size): readonly [number, number] {
  return [seq, payload]
}

/** Base64 is longer by a third; what is read in pieces takes no room in a page. */
function lastOf(sizes: readonly Size[]): number {
  let bytes = 0
  let last = 0
  for (const { seq, payload, others } of sizes) {
    bytes += others + (payload > PIECE_BYTES ? 0 : payload)
    if (last > 0 && bytes > PAGE_BYTES) break
    last = seq
  }
  return last
}

function partOf(row: RecordedRow, payload: string): RecordedRow {
  return {
    ...row,
    ...{ kind: 'response', statement: '', params: [], objects: [], masked: {}, text: '' },
    ...{ rows: 0, bytes_up: 0, bytes_down: 0, status: '', error: '', payload_cut: false },
    payload,
  }
}
