/** IO. Standard output and error of a command. Answers go to the one, words for the person to the other. */
import { writeSync } from 'node:fs'
import { sheet, table } from './table.ts'

type Row = Readonly<Record<string, unknown>>

/** To a descriptor, synchronous and whole: a pipe may be slower than we are, and `process.exit` would cut it. */
export function say(text: string, to = 1): void {
  put(text, to)
}

/** Like `say`. False: nobody reads on. */
export function put(text: string | Uint8Array, to = 1): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  let at = 0
  while (at < bytes.length) {
    try {
      at += writeSync(to, bytes, at)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : ''
      if (code === 'EAGAIN') continue
      if (code === 'EPIPE') return false // `| head`
      throw error
    }
  }
  return true
}

/** A list: one JSON array, or a table of `columns`. */
export function printList(rows: readonly Row[], columns: readonly string[], json: boolean): void {
  say(json ? `${JSON.stringify(rows)}\n` : table(rows, columns))
}

export function printRecord(record: Row, json: boolean): void {
  say(json ? `${JSON.stringify(record)}\n` : sheet(record))
}

/** JSON that came over the network: rows or nothing. */
export function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter(isRow) : []
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}
