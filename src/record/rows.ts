/**
 * Pure. Rows of ClickHouse's RowBinary in the canonical order (canonical.ts), told apart: whose they are, and the two parts of
 * them that are hashed. Does not hash.
 */
import { CANONICAL_COLUMNS } from './canonical.ts'
import { CONTENT_COLUMNS } from './row-binary.ts'
import { RowBinaryReader } from './row-binary-reader.ts'

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
  const reader = new RowBinaryReader(bytes)
  while (!reader.isAtEnd) {
    const start = reader.at
    let [session, seq, split] = ['', 0, start]
    for (const [index, [, type]] of CANONICAL_COLUMNS.entries()) {
      if (index === SPLIT) split = reader.at
      if (index === SEQ) seq = Number(reader.uint64())
      else if (index === SESSION) session = reader.text()
      else reader.skip(type)
    }
    const [events, contents] = [bytes.subarray(start, split), bytes.subarray(split, reader.at)]
    rows.push({ session, seq, events, contents })
  }
  return rows
}
