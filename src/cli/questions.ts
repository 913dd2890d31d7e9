/** IO. `sluice audit search | questions | save | forget`. */

import type { SearchFilter } from '../replay/search.ts'
import { CliError } from './exit.ts'
import { ask, type Json, type Where } from './gateway.ts'
import { printList, rowsOf, say } from './output.ts'
import { printable } from './table.ts'

export interface SearchFlags extends Where, Pick<SearchFilter, (typeof FILTERS)[number]> {
  readonly json?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit?: string
  readonly cursor?: string
}

const FILTERS = ['object', 'subject', 'job', 'connection', 'rule', 'verdict', 'detector'] as const
const COLUMNS = [
  ...['ts', 'subject', 'job', 'connection', 'verb', 'verdict', 'rule', 'rows', 'status'],
  ...['action_id', 'statement'],
]

/** With `--json` one object a line. The cursor of the next page goes to standard error, where it is in nobody's way. */
export async function searchAudit(text: string | undefined, flags: SearchFlags): Promise<void> {
  const body: Record<string, string | number> = {}
  if (text !== undefined && text !== '') body.text = text
  for (const name of [...FILTERS, 'since', 'until', 'cursor'] as const) {
    const value = flags[name]
    if (value !== undefined) body[name] = value
  }
  if (flags.limit !== undefined) {
    if (!/^\d{1,4}$/.test(flags.limit))
      throw new CliError(2, '--limit: expected a number from 1 to 1000.')
    body.limit = Number(flags.limit)
  }
  const answer = await ask(flags, { method: 'POST', path: '/api/v1/audit/search', body })
  show(answer, COLUMNS, flags.json === true)
  if (typeof answer.next === 'string') say(`There is more: --cursor ${printable(answer.next)}\n`, 2)
}

export interface QuestionFlags extends Where {
  readonly json?: boolean
  readonly with?: readonly string[]
}

/** Without an id: which there are. */
export async function askQuestion(id: string | undefined, flags: QuestionFlags): Promise<void> {
  if (id === undefined) return listQuestions(flags)
  const values: Record<string, string> = {}
  for (const one of flags.with ?? []) {
    const at = one.indexOf('=')
    if (at < 1) throw new CliError(2, `--with: expected name=value, not ${printable(one)}.`)
    values[one.substring(0, at)] = one.substring(at + 1)
  }
  const path = pathOf(id)
  const answer = await ask(flags, { method: 'POST', path, body: { values } })
  const [row] = rowsOf(answer.rows)
  show(answer, Object.keys(row ?? {}), flags.json === true)
  if (answer.cut === true) say('Only the first rows are shown.\n', 2)
}

export async function saveQuestion(
  name: string,
  sql: string,
  flags: Where & { readonly asks?: string },
): Promise<void> {
  const body = { name, sql, ...(flags.asks === undefined ? {} : { asks: flags.asks }) }
  await ask(flags, { method: 'POST', path: '/api/v1/audit/questions', body })
}

export async function forgetQuestion(name: string, flags: Where): Promise<void> {
  await ask(flags, { method: 'DELETE', path: pathOf(name) })
}

async function listQuestions(flags: QuestionFlags): Promise<void> {
  const answer = await ask(flags, { method: 'GET', path: '/api/v1/audit/questions' })
  const questions = rowsOf(answer.questions)
  if (flags.json === true) return say(`${JSON.stringify(questions)}\n`)
  const rows = questions.map((one) => ({
    id: one.number === 0 ? one.name : one.number,
    name: one.name,
    asks: one.asks,
    'fill in': rowsOf(one.fields)
      .map((field) =>
        field.default === undefined ? `${field.name}` : `${field.name}=${field.default}`,
      )
      .join(' '),
  }))
  printList(rows, ['id', 'name', 'fill in', 'asks'], false)
}

function pathOf(id: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id))
    throw new CliError(
      2,
      'A question is named by its number or its name; see: sluice audit questions',
    )
  return `/api/v1/audit/questions/${id}`
}

function show(answer: Json, columns: readonly string[], json: boolean): void {
  const rows = rowsOf(answer.rows)
  if (json) say(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  else printList(rows, columns, false)
}
