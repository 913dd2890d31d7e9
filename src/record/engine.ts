/**
 * IO (sockets, files, chdb). The embedded ClickHouse engine behind ClickHouse's HTTP interface on a
 * Unix socket.
 *
 * Runs only in the process of workers/engine.ts: any end of a thread that holds chdb kills its
 * process. Each request has a connection of its own (1 ms), so that settings and parameters of one
 * never meet another. A body of data is a file, because the engine reads data that is not text from
 * files only: whoever shares its folder puts it there himself (clickhouse.ts). The one door to chdb.
 */
import { randomUUID } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { removeEmptyDefinitions } from './empty-definitions.ts'
import {
  BODY_HEADER,
  bodyIsData,
  type EngineRequest,
  engineFailure,
  engineRequest,
  inboxOf,
  insertFrom,
  isDying,
  isPattern,
  literal,
} from './engine-request.ts'

export interface EngineOptions {
  /** Data directory of the engine. */
  readonly folder: string
  readonly socket: string
  /** The engine refuses to use more. */
  readonly memoryBytesMax: number
  /** A question does not come to its end, and nothing but the end of the process ends it. */
  readonly overdue: () => void
}

/** Longest text of a query; data is not limited. */
const QUERY_BYTES_MAX = 16 << 20
/** A query stands in the URL where the body is data; a server allows as much. */
const HEADER_BYTES_MAX = 1 << 20
/** How many read-only queries run at once, so that inserts always find a thread. */
const READERS_MAX = 3
/**
 * How many times the time that it has a question may take. The engine looks at its clock between two blocks; a function may spend
 * hours on one (`editDistance` of long texts).
 */
const OVERDUE_FACTOR = 3

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface ChdbResult {
  readonly elapsed: number
  readonly rowsRead: number
  readonly bytesRead: number
  bytes(): Uint8Array
}

interface ChdbSession {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbResult>
  close(): void
}

type ChdbModule = {
  Session: new (folder: string, options: { connectionArgs: string[] }) => ChdbSession
}

/** The package is optional; this is the error's `code` when it is not installed. */
export const CHDB_MISSING = 'CHDB_MISSING'

export interface ServedEngine {
  /** Runs a read-only request beside those of the socket, in turn with them. */
  ask(asked: EngineRequest): Promise<ChdbResult>
  stop(): Promise<void>
}

/**
 * Opens the data directory and listens. Throws where the package is missing or the directory is in
 * use.
 */
export async function serveEngine(options: EngineOptions): Promise<ServedEngine> {
  const chdb = await loadChdb()
  const [folder, socket] = [resolve(options.folder), resolve(options.socket)]
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const bodies = join(folder, 'bodies')
  rmSync(bodies, { recursive: true, force: true })
  mkdirSync(bodies, { mode: 0o700 })
  const inbox = inboxOf(folder)
  rmSync(inbox, { recursive: true, force: true })
  mkdirSync(inbox, { mode: 0o700 })
  const store = join(folder, 'store')
  const isRepaired = removeEmptyDefinitions(store) > 0
  const named = nameOf(bodies)
  const connect = () =>
    new chdb.Session(store, {
      connectionArgs: [`--max_server_memory_usage=${options.memoryBytesMax}`],
    })
  // Held for as long as the process lives: the engine shuts down when its last connection is
  // closed.
  const first = connect()
  // What it had noted as made is made again: every migration may be run twice.
  if (isRepaired)
    await first.queryAsync('DROP TABLE IF EXISTS sluice.migrations SYNC', { format: 'Null' })
  const readers = new Gate(READERS_MAX)
  const { overdue } = options
  const engine = { connect, bodies: named, inbox, readers, overdue }
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    answer({ request, response }, engine).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  await listen(server, socket)
  return {
    ask: (asked) => readers.through(() => runRequest(engine, asked, undefined)),
    async stop() {
      server.closeIdleConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      first.close()
    },
  }
}

/**
 * The engine takes what a file is called for a pattern: of one that matches nothing it says that all is stored, and of `::` that
 * there is an archive. So a folder of such a name is called by another one, that of the process's own.
 */
function nameOf(bodies: string): string {
  if (!isPattern(bodies)) return bodies
  if (!existsSync(HERE))
    throw new Error(
      `The embedded record store cannot be in ${bodies}: of its name no part may be { } * ? or ::`,
    )
  process.chdir(bodies)
  return HERE
}

const HERE = '/proc/self/cwd'

async function loadChdb(): Promise<ChdbModule> {
  // Not a literal, so that types and build do not need the package.
  const name: string = 'chdb'
  try {
    const loaded = await import(name)
    return loaded.default ?? loaded
  } catch (cause) {
    throw Object.assign(
      new Error(
        'The embedded record store needs the npm package "chdb", which is not installed: ' +
          'run `npm install chdb`, or set recorder.store to a ClickHouse server.',
        { cause },
      ),
      { code: CHDB_MISSING },
    )
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

interface Engine {
  readonly connect: () => ChdbSession
  readonly bodies: string
  readonly inbox: string
  readonly readers: Gate
  readonly overdue: () => void
}

async function answer({ request, response }: Exchange, engine: Engine): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine')
  if (url.pathname === '/ping') return send(response, 200, 'Ok.\n')
  const file = bodyIsData(url.searchParams) ? join(engine.bodies, randomUUID()) : undefined
  try {
    if (file !== undefined) await bodyInto(file, request, engine)
    const body = file === undefined ? await readText(request) : ''
    const asked = engineRequest(url.searchParams, body)
    if (typeof asked === 'string')
      return fail(response, new Error(`Code: 36. DB::Exception: ${asked} (BAD_ARGUMENTS)`))
    const run = () => {
      // Whoever asked gave up while others were served: what nobody waits for would only keep the next one waiting.
      if (asked.readonly && response.destroyed)
        throw new Error('Code: 394. DB::Exception: nobody waits (QUERY_WAS_CANCELLED)')
      return runRequest(engine, asked, file)
    }
    const result = asked.readonly ? await engine.readers.through(run) : await run()
    send(response, 200, Buffer.from(result.bytes()), {
      'X-ClickHouse-Format': asked.format,
      'X-ClickHouse-Summary': JSON.stringify({
        read_rows: String(result.rowsRead),
        read_bytes: String(result.bytesRead),
        elapsed_ns: String(Math.round(result.elapsed * 1e9)),
      }),
    })
  } catch (error) {
    fail(response, error)
  } finally {
    if (file !== undefined) rmSync(file, { force: true })
  }
}

/** Throws where there is none under the name: the engine must not be asked for a file that is not there. */
async function bodyInto(file: string, request: IncomingMessage, engine: Engine): Promise<void> {
  const name = request.headers[BODY_HEADER]
  // Somebody may have taken the folder away: no later insert would ever be stored.
  mkdirSync(engine.bodies, { recursive: true, mode: 0o700 })
  if (name === undefined)
    return pipeline(request, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
  if (typeof name !== 'string' || !UUID.test(name)) throw new Error('not the name of a body')
  renameSync(join(engine.inbox, name), file)
  request.resume()
}

async function runRequest(
  engine: Engine,
  asked: EngineRequest,
  file: string | undefined,
): Promise<ChdbResult> {
  const session = engine.connect()
  const { timeMsMax } = asked
  const late =
    asked.readonly && timeMsMax !== undefined
      ? setTimeout(engine.overdue, timeMsMax * OVERDUE_FACTOR)
      : undefined
  try {
    for (const statement of asked.before) await session.queryAsync(statement, { format: 'Null' })
    const sql = file === undefined ? asked.sql : insertFrom(asked, literal(file))
    return await session.queryAsync(sql, { format: asked.format })
  } finally {
    clearTimeout(late)
    session.close()
  }
}

function fail(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as { clickhouseCode?: number } | undefined)?.clickhouseCode
  const failure = engineFailure(message, code)
  // It would refuse everything for minutes before it ends; another one is started when it has.
  if (isDying(failure)) process.kill(process.pid, 'SIGKILL')
  send(response, failure.status, failure.text, { 'X-ClickHouse-Exception-Code': failure.code })
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent) return
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', ...headers })
  response.end(body)
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > QUERY_BYTES_MAX)
      throw new Error('Code: 62. DB::Exception: query too large (SYNTAX_ERROR)')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function listen(server: Server, socket: string): Promise<void> {
  rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
}

/** Lets a bounded number of tasks run at once; the others wait in order. */
class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async through<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
