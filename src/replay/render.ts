/**
 * Pure. A timeline as lines for a terminal. Nothing that was recorded is obeyed by it: every text goes through
 * `printable`, and what is long is cut with a mark.
 */
import { printable, printableLines } from '../base/printable.ts'
import type { Item, Value } from './timeline.ts'

/** Rows that decide how wide columns are. */
const ROWS_HELD = 30
const CELL_CHARACTERS_MAX = 80
const STATEMENT_CHARACTERS_MAX = 4000
const MARGIN = ' '.repeat(12)

export interface RenderOptions {
  /** Rows of one result that are shown. */
  readonly rowsMax: number
}

export class Renderer {
  readonly #options: RenderOptions
  #names: readonly string[] = []
  #held: string[][] = []
  #widths: number[] | undefined
  #rows = 0
  #data = 0

  constructor(options: RenderOptions) {
    this.#options = options
  }

  /** Whole lines, or nothing: rows are held until it is known how wide they are. */
  item(item: Item): string {
    switch (item.type) {
      case 'row':
        return this.#row(item.values)
      case 'data':
        return this.#copied(item.data)
      default:
        return this.#settle() + this.#other(item)
    }
  }

  /** Rows that are held are shown now; the result goes on. */
  flush(): string {
    return this.#held.length > 0 ? this.#table() : ''
  }

  /** Nothing follows. */
  end(): string {
    return this.#settle()
  }

  #other(item: Exclude<Item, { type: 'row' | 'data' }>): string {
    switch (item.type) {
      case 'action':
        return this.#action(item)
      case 'columns':
        this.#names = item.columns.map(({ name }) => cell(name))
        return ''
      case 'copy':
        return line(`COPY ${item.direction}`)
      case 'complete':
        return item.tag === '' ? '' : line(printable(item.tag))
      case 'notice':
      case 'error':
        return this.#said(item.fields)
      case 'notification':
        return line(`notification on "${printable(item.channel)}": ${cell(item.text)}`)
      case 'outcome':
        return this.#outcome(item)
      case 'moment':
        return stamped(item, [item.kind, item.status, item.text].map(printable).join(' ').trimEnd())
      case 'torn':
        return line(`… ${item.bytes} bytes of the record are no whole message`)
      case 'unknown':
        return stamped(item, `#${item.action}  unknown: no outcome was recorded`)
      case 'missing':
        return stamped(item, `events ${item.from} to ${item.to} are not in the record`)
      case 'end':
        return stamped(item, `end of the record, session ${printable(item.status)}`)
      case 'ready':
      case 'parameter':
        return ''
      default:
        return ((never: never) => String(never))(item)
    }
  }

  #action(item: Item & { type: 'action' }): string {
    this.#names = []
    const { statement, params, verdict, rule } = item
    const cut = statement.length - STATEMENT_CHARACTERS_MAX
    const shown = cut > 0 ? statement.substring(0, STATEMENT_CHARACTERS_MAX) : statement
    const decided = verdict === 'allow' ? '' : `  ${printable([verdict, rule].join(' ').trim())}`
    const text = [
      ...printableLines(shown).split('\n'),
      ...(cut > 0 ? [`… ${cut} characters more`] : []),
      ...params.map((one, at) => `$${at + 1} = ${cell(one)}`),
    ]
    return stamped(item, `#${item.action}  ${printable(item.verb)}${decided}`) + lines(text)
  }

  #outcome(item: Item & { type: 'outcome' }): string {
    const masked = Object.entries(item.masked)
    const parts = [
      `${item.status}${item.error === '' ? '' : ` ${item.error}`}`,
      `${item.rows} rows`,
      `${item.bytes_down} bytes`,
      `${(item.upstream_us / 1000).toFixed(1)} ms at the target`,
      ...masked.map(([what, count]) => `masked ${what} ${count}`),
      ...(item.payload_cut ? ['the record of the result is cut here'] : []),
    ]
    return stamped(item, `#${item.action}  ${parts.map(printable).join(' · ')}`)
  }

  #said(fields: Readonly<Record<string, string>>): string {
    const { S = '', V = S, C = '', M = '', D, H } = fields
    return lines([
      `${printable(V)} ${printable(C)}: ${cell(M, 400)}`,
      ...(D === undefined ? [] : [`  detail: ${cell(D, 400)}`]),
      ...(H === undefined ? [] : [`  hint: ${cell(H, 400)}`]),
    ])
  }

  #row(values: readonly Value[]): string {
    this.#rows += 1
    if (this.#rows > this.#options.rowsMax) return ''
    this.#held.push(values.map((value) => shown(value)))
    if (this.#widths !== undefined || this.#held.length >= ROWS_HELD) return this.#table()
    return ''
  }

  #copied(data: Value): string {
    this.#data += 1
    if (this.#data > this.#options.rowsMax) return ''
    const text = shown(typeof data === 'string' ? data.replace(/\n$/, '') : data)
    return line(text)
  }

  /** A result is over, or something else comes between. */
  #settle(): string {
    const table = this.#held.length > 0 ? this.#table() : ''
    const more = Math.max(this.#rows, this.#data) - this.#options.rowsMax
    this.#widths = undefined
    this.#rows = 0
    this.#data = 0
    return table + (more > 0 ? line(`… ${more} more rows are not shown (--rows)`) : '')
  }

  #table(): string {
    const isFirst = this.#widths === undefined
    const rows = this.#held
    this.#held = []
    const heading = isFirst && this.#names.length > 0 ? [[...this.#names]] : []
    const columns = Math.max(...[...heading, ...rows].map((row) => row.length))
    this.#widths ??= Array.from({ length: columns }, (_, i) =>
      Math.max(...[...heading, ...rows].map((row) => [...(row[i] ?? '')].length)),
    )
    const widths = this.#widths
    const rule = heading.map(() => widths.map((width) => '-'.repeat(width)).join('-+-'))
    const put = (row: readonly string[]) =>
      row
        .map((one, i) => one.padEnd(widths[i] ?? 0))
        .join(' | ')
        .trimEnd()
    return lines([...heading.map(put), ...rule, ...rows.map(put)])
  }
}

function shown(value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return cell(value)
  if ('hex' in value) return cell(`\\x${value.hex}`)
  return `${cell(value.text)} (${value.cut} bytes more)`
}

function cell(text: string, most = CELL_CHARACTERS_MAX): string {
  // Cut before it is made harmless: what is written out is longer.
  const cut = text.length - most
  const safe = printable(cut > 0 ? text.substring(0, most) : text)
  return cut > 0 ? `${safe}… (${cut} more)` : safe
}

function stamped({ offset }: Item, text: string): string {
  return `${clockOf(offset).padStart(10)}  ${text}\n`
}

/** `+1:02:03.456` */
export function clockOf(us: number): string {
  const ms = Math.max(0, Math.floor(us / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const seconds = Math.floor(ms / 1000)
  const fraction = String(ms % 1000).padStart(3, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `+${hours}:${two(minutes)}:${two(seconds % 60)}.${fraction}`
  if (minutes > 0) return `+${minutes}:${two(seconds % 60)}.${fraction}`
  return `+${seconds}.${fraction}`
}

function line(text: string): string {
  return `${MARGIN}${text}\n`
}

function lines(texts: readonly string[]): string {
  return texts.map(line).join('')
}
