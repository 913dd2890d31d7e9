/**
 * Pure. Rows of ClickHouse's RowBinary in the canonical order (canonical.ts), told apart: whose they are, and the two parts of
 * them that are hashed. Does not hash.
 */
import { CANONICAL_COLUMNS } from './canonical.ts'
import { CONTENT_COLUMNS } from './row-binary.ts'

export interface StoredRow {
  readonly session: string
  readonly seq: number
  /** These share memory with what was read. */
  readonly events: Buffer
  readonly contents: Buffer
}

const SESSION = CANONICAL_COLUMNS.findIndex(([name]) => name === 'session_id')
const SEQ = CANONICAL_COLUMNS.findIndex(([name]) => name === 'seq')
const SPLIT = CANONICAL_COLUMNS.length - CONTENT_COLUMNS.length

/** Throws where the bytes end in the middle of a row. */
export function splitRows(bytes: Buffer): StoredRow[] {
  const rows: StoredRow[] = []
  const reader = new Reader(bytes)
  while (reader.at < bytes.length) {
    const start = reader.at
    let [session, seq, split] = ['', 0, start]
    for (const [index, [, type]] of CANONICAL_COLUMNS.entries()) {
      if (index === SPLIT) split = reader.at
      const from = reader.at
      reader.skip(type)
      if (index === SEQ) seq = Number(bytes.readBigUInt64LE(from))
      else if (index === SESSION) session = reader.text(from)
    }
    const [events, contents] = [bytes.subarray(start, split), bytes.subarray(split, reader.at)]
    rows.push({ session, seq, events, contents })
  }
  return rows
}

class Reader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(type: string): void {
    if (type === 'String') this.#pass(this.#length())
    else if (type === 'Bool') this.#pass(1)
    else if (type.startsWith('Array') || type.startsWith('Map')) {
      for (let left = this.#length(); left > 0; left--) {
        this.#pass(this.#length())
        if (type.startsWith('Map')) this.#pass(8)
      }
    } else this.#pass(8)
  }

  /** The text that begins at `from` and ends here. */
  text(from: number): string {
    const end = this.at
    this.at = from
    const size = this.#length()
    this.at = end
    return this.#bytes.toString('utf8', end - size, end)
  }

  #length(): number {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) throw new Error('the rows are cut off')
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  #pass(count: number): void {
    this.at += count
    if (this.at > this.#bytes.length) throw new Error('the rows are cut off')
  }
}
