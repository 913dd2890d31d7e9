/**
 * Pure. One request of ClickHouse's HTTP interface, as the statements that an engine without that
 * interface must run: first `SET` for parameters and settings, then the query
 * (https://clickhouse.com/docs/interfaces/http).
 *
 * Covers what @clickhouse/client sends. Does not split statements: whoever passes on a text that is
 * not ours must make sure that it is one statement (replay/audit.ts).
 */

import { join } from 'node:path'

/** Header of a request whose body is in the inbox, under this name. */
export const BODY_HEADER = 'x-sluice-body'

/** Of an engine in this folder: where it takes bodies from. Emptied when it starts, so that what a request left behind is gone. */
export function inboxOf(folder: string): string {
  return join(folder, 'inbox')
}

export interface EngineRequest {
  /** To be run before the query, on a connection of its own. */
  readonly before: readonly string[]
  readonly sql: string
  /**
   * Set where the body is data of this format: the query is an INSERT without its `FORMAT` clause.
   */
  readonly bodyFormat: string | undefined
  readonly format: string
  readonly readonly: boolean
  /** What the engine is told to give it; undefined: no limit. */
  readonly timeMsMax: number | undefined
}

/** Parameters of the interface that are no settings. */
const RESERVED = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'role',
  'compress',
  'decompress',
  'quota_key',
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'close_session',
])

/** A setting's name; anything else is refused. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A string is what is wrong with the request. */
export function engineRequest(url: URLSearchParams, body: string): EngineRequest | string {
  const before: string[] = []
  let readonly = false
  const database = url.get('database')
  if (database !== null && database !== '' && database !== 'default') {
    before.push(`USE \`${database.replace(/[\\`]/g, '\\$&')}\``)
  }
  for (const [name, value] of url) {
    if (RESERVED.has(name)) continue
    if (!NAME.test(name)) return `not the name of a setting: ${JSON.stringify(name)}`
    if (name !== 'readonly') before.push(`SET ${name} = ${literal(value)}`)
    else readonly = value !== '0'
  }
  // Last: no setting can be changed after it.
  if (readonly) before.push('SET readonly = 1')
  const format = url.get('default_format') ?? 'TabSeparated'
  const seconds = Number(url.get('max_execution_time'))
  const timeMsMax = seconds > 0 ? seconds * 1000 : undefined
  const about = { before, format, readonly, timeMsMax }
  const query = url.get('query')
  if (query === null || query === '') {
    if (body.trim() === '') return 'empty query'
    return { ...about, sql: body, bodyFormat: undefined }
  }
  const insert = /^(\s*INSERT\s[\s\S]*?)\s+FORMAT\s+(\w+)\s*;?\s*$/i.exec(query)
  if (insert === null) return { ...about, sql: `${query}\n${body}`, bodyFormat: undefined }
  return { ...about, sql: insert[1]!, bodyFormat: insert[2]! }
}

/** True where the body is data and must not be read as text. */
export function bodyIsData(url: URLSearchParams): boolean {
  return /^\s*INSERT\s[\s\S]*\sFORMAT\s+\w+\s*;?\s*$/i.test(url.get('query') ?? '')
}

/** An INSERT of the data in `file`, a literal; what it selects `FROM input('structure')` is read from there. */
export function insertFrom({ sql, bodyFormat }: EngineRequest, file: string): string {
  const input = /\sFROM input\(('(?:[^'\\]|\\.)*')\)$/.exec(sql)
  if (input === null) return `${sql} FROM INFILE ${file} FORMAT ${bodyFormat}`
  return `${sql.substring(0, input.index)} FROM file(${file}, '${bodyFormat}', ${input[1]})`
}

/** Whether the engine takes a path for more than the file that has it. */
export function isPattern(path: string): boolean {
  return /[{}*?]|::/.test(path)
}

/** A string literal of ClickHouse. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`
}

export interface EngineFailure {
  readonly status: number
  readonly code: number
  readonly text: string
}

/** The answer for an exception of the engine: code and body as a server words them. */
export function engineFailure(message: string, code: number | undefined): EngineFailure {
  const found = code ?? Number(/Code: (\d+)/.exec(message)?.[1] ?? 0)
  const text = message.replace(/^Query failed: /, '')
  const worded = /^Code: \d+\. /.test(text)
    ? text
    : `Code: ${found}. DB::Exception: ${text} (UNKNOWN)`
  // As servers do: what is unknown is 404, what is refused 400, everything else 500.
  const status = UNKNOWN.has(found) ? 404 : WRONG.has(found) ? 400 : 500
  return { status, code: found, text: worded }
}

/** Whether the engine has failed inside (a thread of it ran into a fault), and not somebody's query that says so. */
export function isDying({ code, text }: EngineFailure): boolean {
  return code === ABORTED && text.startsWith(`Code: ${ABORTED}. DB::Exception: ${FATAL}`)
}

const ABORTED = 236
const FATAL = 'The server is shutting down due to a fatal error'
const UNKNOWN = new Set([46, 47, 60, 81])
const WRONG = new Set([27, 36, 44, 53, 62, 115, 164, 456])
