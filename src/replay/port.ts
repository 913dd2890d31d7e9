/**
 * IO (sockets). The embedded record for auditors' own tools: ClickHouse's HTTP interface on a port of loopback, for one user, read-only.
 *
 * A text that comes here is judged like one of `audit query` (audit.ts) and runs with the same limits; settings that a client
 * sends are not taken over. Runs in the engine's process, which knows no secret but this password. Not here: compression, data,
 * sessions, statements other than SELECT.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { ChdbResult } from '../record/engine.ts'
import type { EnginePort } from '../record/engine-child.ts'
import { type EngineRequest, engineFailure, engineRequest } from '../record/engine-request.ts'
import { AUDIT_SETTINGS, AUDIT_TEXT_MAX, auditStatement, judge, TABLES_QUESTION } from './audit.ts'
import { readPortQuery } from './port-query.ts'

export interface PortOptions extends EnginePort {
  readonly database: string
  ask(asked: EngineRequest): Promise<ChdbResult>
}

const ROWS_MAX = 100_000
const CONNECTIONS_MAX = 64
/** A wrong password is answered after this, and only so many wait. */
const WRONG_MS = 300
const AUTHENTICATION_FAILED = 516
const ACCESS_DENIED = 497
const BAD_ARGUMENTS = 36

/** Rejects where the port cannot be had. */
export async function servePort(options: PortOptions): Promise<() => void> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      const { status, code, text } = engineFailure(
        error instanceof Error ? error.message : String(error),
        (error as { clickhouseCode?: number } | undefined)?.clickhouseCode,
      )
      fail(response, { status, code, text })
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return () => server.close()
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: PortOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://record')
  if (url.pathname === '/ping') return send(response, Buffer.from('Ok.\n'), 'TabSeparated')
  if (!isUser(request, url.searchParams, options)) {
    await wait(WRONG_MS)
    return refuse(response, AUTHENTICATION_FAILED, 'Authentication failed')
  }
  const body = await readBody(request)
  if (body === undefined) return refuse(response, BAD_ARGUMENTS, 'The query is too long.')
  const query = readPortQuery(url.searchParams, request.headers, body)
  if ('problem' in query) return refuse(response, BAD_ARGUMENTS, query.problem)
  const { text, format } = query
  const formatted = await asText(options, 'SELECT formatQuerySingleLine({text:String})', { text })
  const ast = await asText(options, `EXPLAIN AST ${formatted}`, {})
  const judged = judge(ast, formatted, options.database)
  if (typeof judged === 'string') return refuse(response, ACCESS_DENIED, judged)
  const tables = await tablesAmong(options, judged.names)
  const statement = auditStatement(judged, tables, ROWS_MAX + 1)
  if ('say' in statement) return refuse(response, ACCESS_DENIED, statement.say)
  const result = await options.ask(asked(options, { sql: statement.sql, format, params: {} }))
  send(response, Buffer.from(result.bytes()), format)
}

/** Names are without quotes, backslashes and control signs: nothing of them has to be escaped. */
async function tablesAmong(
  options: PortOptions,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set()
  const { database } = options
  const list = `[${names.map((name) => `'${name}'`).join(', ')}]`
  const found = await asText(options, TABLES_QUESTION, { database, names: list })
  return new Set(found.split('\n'))
}

async function asText(
  options: PortOptions,
  sql: string,
  params: Readonly<Record<string, string>>,
): Promise<string> {
  const result = await options.ask(asked(options, { sql, format: 'TSVRaw', params }))
  return Buffer.from(result.bytes()).toString('utf8').replace(/\n$/, '')
}

/** More rows than may be are an error here: a tool would take a part for the whole. */
function asked(
  { database }: PortOptions,
  {
    sql,
    format,
    params,
  }: { sql: string; format: string; params: Readonly<Record<string, string>> },
): EngineRequest {
  const limits = Object.entries(AUDIT_SETTINGS).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const url = new URLSearchParams([
    ['database', database],
    ['default_format', format],
    ...Object.entries(params).map(([name, value]): [string, string] => [`param_${name}`, value]),
    ['max_result_rows', String(ROWS_MAX)],
    ...limits,
  ])
  const request = engineRequest(url, sql)
  if (typeof request === 'string') throw new Error(request)
  return request
}

/** By Basic authentication, by ClickHouse's headers, or in the address. */
function isUser(
  { headers }: IncomingMessage,
  url: URLSearchParams,
  { user, password }: PortOptions,
): boolean {
  const basic = /^basic ([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? '')?.[1]
  const [name = '', ...rest] = Buffer.from(basic ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const header = (of: string) => [headers[of]].flat()[0]
  const [sentUser, sentKey] =
    basic === undefined
      ? [
          header('x-clickhouse-user') ?? url.get('user') ?? '',
          header('x-clickhouse-key') ?? url.get('password') ?? '',
        ]
      : [name, rest.join(':')]
  // Both are looked at, whatever the first says.
  const [isName, isKey] = [isSame(sentUser, user), isSame(sentKey, password)]
  return isName && isKey
}

function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}

/** undefined: longer than a query may be. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > AUDIT_TEXT_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, body: Buffer, format: string): void {
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Timezone': 'UTC',
  })
  response.end(body)
}

function refuse(response: ServerResponse, code: number, reason: string): void {
  const status = code === AUTHENTICATION_FAILED ? 401 : code === ACCESS_DENIED ? 403 : 400
  fail(response, { status, code, text: `Code: ${code}. DB::Exception: ${reason}` })
}

function fail(
  response: ServerResponse,
  { status, code, text }: { status: number; code: number; text: string },
): void {
  if (response.headersSent) return
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': code,
    // What was not read of a body is not to be taken for the next request.
    Connection: 'close',
  })
  response.end(`${text}\n`)
}
