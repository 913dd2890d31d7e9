/**
 * Pure. Recorded text on a terminal: aligned columns, and nothing that a terminal would obey.
 */
import { printable } from '../base/printable.ts'

export { printable }

const CELL_CHARACTERS_MAX = 120

/** Any value of a JSON answer as one line. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return printable(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return printable(value.join(','))
  return printable(JSON.stringify(value))
}

/** One line a row under a heading; columns as named. `''` where there are no rows. */
export function table(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[],
): string {
  if (rows.length === 0) return ''
  const heading = columns.map((name) => printable(name).toUpperCase())
  const lines = [heading, ...rows.map((row) => columns.map((name) => cut(cell(row[name]))))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at]!))))
  const padded = lines.map((line) =>
    line.map((text, at) => text + ' '.repeat(widths[at]! - width(text))).join('  '),
  )
  return `${padded.map((line) => line.trimEnd()).join('\n')}\n`
}

/** A record as `name  value` lines. */
export function sheet(record: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(record)
  const widest = Math.max(0, ...names.map((name) => width(printable(name))))
  const lines = names.map((name) => `${printable(name).padEnd(widest)}  ${cell(record[name])}`)
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function cut(text: string): string {
  const characters = [...text]
  if (characters.length <= CELL_CHARACTERS_MAX) return text
  return `${characters.filter((_, at) => at < CELL_CHARACTERS_MAX - 1).join('')}…`
}

/** Columns of a terminal, near enough: East Asian wide characters take two. */
function width(text: string): number {
  let columns = 0
  for (const character of text)
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
        character,
      )
        ? 2
        : 1
  return columns
}
