/**
 * Pure. Values of rows in ClickHouse's RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary), of the types that
 * recorded events have. What is made of them is shown to people: the digests are taken of the bytes (verifier.mjs).
 */
import { RowBinaryReader } from '../record/row-binary-reader.ts'

export type RowValue =
  | string
  | number
  | boolean
  | readonly string[]
  | Readonly<Record<string, number>>

export type RowValues = Readonly<Record<string, RowValue>>

/** Throws where the bytes are not rows of these columns. */
export function rowValues(
  bytes: Buffer,
  columns: readonly (readonly [name: string, type: string])[],
): RowValues[] {
  const rows: RowValues[] = []
  const reader = new RowBinaryReader(bytes)
  while (!reader.isAtEnd)
    rows.push(Object.fromEntries(columns.map(([name, type]) => [name, valueIn(reader, type)])))
  return rows
}

function valueIn(reader: RowBinaryReader, type: string): RowValue {
  if (type === 'String') return reader.text()
  if (type === 'Bool') return reader.bool()
  if (type.startsWith('Array')) return Array.from({ length: reader.length() }, () => reader.text())
  if (!type.startsWith('Map')) return Number(reader.uint64())
  const pairs = Array.from({ length: reader.length() }, () => [
    reader.text(),
    Number(reader.uint64()),
  ])
  return Object.fromEntries(pairs)
}
