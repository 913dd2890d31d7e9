/**
 * Pure. A timeline as CSV (RFC 4180), safe to open in a spreadsheet: no cell begins a formula, and no control character
 * is left but line breaks and tabs inside of quotes.
 *
 * One line an action, outcome, moment, message and row. Values of a row stand in `values` as one JSON array.
 */
import { printableLines } from '../base/printable.ts'
import type { Item } from './timeline.ts'

const COLUMNS = [
  ...['seq', 'time', 'offset_s', 'type', 'action', 'verb', 'class', 'objects', 'statement'],
  ...['params', 'verdict', 'rule', 'status', 'error', 'rows', 'bytes_up', 'bytes_down'],
  ...['upstream_us', 'gateway_us', 'masked', 'payload_cut', 'values', 'text'],
] as const

type Cells = Partial<Record<(typeof COLUMNS)[number], string | number | boolean>>

export function csvHead(): string {
  return record(COLUMNS)
}

/** '' for what is bookkeeping of the protocol. */
export function csvItem(item: Item): string {
  const cells = cellsOf(item)
  if (cells === undefined) return ''
  const all: Cells = {
    seq: item.seq,
    time: new Date(Math.floor(item.at / 1000)).toISOString(),
    offset_s: Math.max(0, item.offset) / 1e6,
    type: item.type,
    action: item.action,
    ...cells,
  }
  return record(COLUMNS.map((name) => all[name] ?? ''))
}

function cellsOf(item: Item): Cells | undefined {
  switch (item.type) {
    case 'action': {
      const { verb, statement, verdict, rule, bytes_up } = item
      const [objects, params] = [item.objects.join(' '), JSON.stringify(item.params)]
      return { class: item.class, verb, objects, statement, params, verdict, rule, bytes_up }
    }
    case 'outcome': {
      const { status, error, rows, bytes_down, upstream_us, gateway_us, payload_cut } = item
      const masked = JSON.stringify(item.masked)
      return { status, error, rows, bytes_down, upstream_us, gateway_us, payload_cut, masked }
    }
    case 'columns':
      return { values: JSON.stringify(item.columns.map(({ name }) => name)) }
    case 'row':
      return { values: JSON.stringify(item.values) }
    case 'data':
      return { values: JSON.stringify([item.data]) }
    case 'complete':
      return { text: item.tag }
    case 'notice':
    case 'error':
      return { error: item.fields.C ?? '', text: item.fields.M ?? '' }
    case 'notification':
      return { text: `${item.channel}: ${item.text}` }
    case 'moment':
      return { type: item.kind, status: item.status, text: item.text }
    case 'missing':
      return { text: `events ${item.from} to ${item.to}` }
    case 'unknown':
      return { status: 'unknown' }
    case 'torn':
      return { text: `${item.bytes} bytes` }
    case 'end':
      return { status: item.status }
    default:
      return undefined
  }
}

function record(cells: readonly (string | number | boolean)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

/** Numbers are ours and never negative; everything else is quoted. */
function cell(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  return value === '' ? '' : `"${harmless(value).replaceAll('"', '""')}"`
}

/**
 * What spreadsheets take for a formula gets an apostrophe. They skip blanks before it, know full-width signs, and some
 * look at each line of a cell.
 */
function harmless(text: string): string {
  return printableLines(text)
    .split('\n')
    .map((line) =>
      /^[\s"']*[=+\-@|%\uff1d\uff0b\uff0d\uff20\u2212]|^\t/.test(line) ? `'${line}` : line,
    )
    .join('\n')
}
