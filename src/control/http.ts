/**
 * IO. HTTP for the control listener: requests read whole and bounded, answers written once, or as they come and no faster
 * than they are read. The only door to uWebSockets.js.
 *
 * Every handler sees a request that is its own (uWebSockets' objects are gone after the callback) and returns an answer;
 * it never touches a socket. Listen sockets must be closed before the thread ends, or Node aborts.
 */
import {
  App,
  type HttpRequest,
  type HttpResponse,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js'
import { hostPort } from '../accept/address.ts'
import { ERRORS } from '../base/errors.ts'
import { type Answer, problem, TITLES } from './answer.ts'

/** µSockets' LIBUS_LISTEN_EXCLUSIVE_PORT, which the package exports and its types do not. */
const EXCLUSIVE_PORT = 1
/** Idle and slow ones end after ten seconds, by µSockets; so many of them leave sessions their descriptors. */
const CONNECTIONS_MAX = 4096

export interface Request {
  /** Upper case. */
  readonly method: string
  /** As sent, not decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** By lower-case name. A name that came twice is not here but in `repeated`. */
  readonly headers: ReadonlyMap<string, string>
  readonly repeated: ReadonlySet<string>
  readonly address: string
  readonly body: Buffer
  /** Aborted when the client has gone before its answer. */
  readonly gone?: AbortSignal
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  bodyBytesMax(path: string): number
  /** Those beyond are closed as they come. */
  readonly connectionsMax?: number
  /** Never rejects. */
  readonly handle: (request: Request) => Promise<Answer>
}

export interface Listener {
  readonly port: number
  readonly url: string
  /** Ends open connections too. */
  close(): void
}

/** undefined: the port is taken, or the address is not this host's. */
export function listen(options: ListenOptions): Promise<Listener | undefined> {
  return new Promise((resolve) => {
    const app = App()
    let connections = 0
    const counted = (response: HttpResponse, change: number): void => {
      connections += change
      if (change > 0 && connections > (options.connectionsMax ?? CONNECTIONS_MAX)) response.close()
    }
    app.filter(counted)
    app.any('/*', (response, request) => serve(options, response, request))
    const listening = (socket: us_listen_socket | false): void => {
      // uWebSockets hands out a falsy value on failure, and this callback runs during `listen`.
      if (!socket) {
        resolve(undefined)
        return
      }
      const port = us_socket_local_port(socket)
      resolve({
        port,
        url: `http://${hostPort(options.host, port)}`,
        close: () => {
          us_listen_socket_close(socket)
          app.close()
        },
      })
    }
    // Exclusive: without it two gateways would share the port, and each answer half of the calls.
    listenAt(app)(options.host, options.port, EXCLUSIVE_PORT, listening)
  })
}

type ListenAt = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => unknown

/** The form with host and options exists, and the package's types do not name it. */
function listenAt(app: object): ListenAt {
  const listen: unknown = Reflect.get(app, 'listen')
  return (...args) => (typeof listen === 'function' ? Reflect.apply(listen, app, args) : undefined)
}

function serve(options: ListenOptions, response: HttpResponse, request: HttpRequest): void {
  const { headers, repeated } = readHeaders(request)
  const head = {
    method: request.getCaseSensitiveMethod().toUpperCase(),
    path: request.getUrl(),
    query: new URLSearchParams(request.getQuery()),
    headers,
    repeated,
    address: Buffer.from(response.getRemoteAddressAsText()).toString('latin1'),
  }
  const bytesMax = options.bodyBytesMax(head.path)
  const left = new AbortController()
  let gone = false
  let chunks: Buffer[] = []
  let size = 0
  response.onAborted(() => {
    gone = true
    left.abort()
  })
  const send = (answer: Answer, close: boolean): void => {
    if (gone) return
    if (answer.stream !== undefined) {
      response.cork(() => writeHead(response, answer))
      pour(response, answer.stream, left.signal).catch(() => {
        // Cut off, so that nobody takes it for whole.
        if (!left.signal.aborted) response.close()
      })
      return
    }
    gone = true
    response.cork(() => {
      writeHead(response, answer)
      response.end(answer.body, close)
    })
  }
  // Not answered: behind an answer uWebSockets would read on.
  if (!isFramed(headers, repeated)) {
    response.close()
    return
  }
  response.onData((chunk, isLast) => {
    if (gone) return
    size += chunk.byteLength
    // Checked before it is kept, and the connection ends: what else is coming is of no interest.
    if (size > bytesMax) {
      chunks = []
      send(problem(413, `A body may have ${bytesMax} bytes.`), true)
      return
    }
    // The memory is uWebSockets' own and only lent.
    chunks.push(Buffer.concat([Buffer.from(chunk)]))
    if (!isLast) return
    options.handle({ ...head, body: Buffer.concat(chunks), gone: left.signal }).then(
      (answer) => send(answer, false),
      () => send(problem(500, ERRORS.GW_INTERNAL.say), true),
    )
  })
}

/**
 * Where the body ends has one reading (RFC 9112 §6.3): a proxy before us that reads it otherwise would take the rest of one
 * caller's request for another's. uWebSockets refuses both headers together, and numbers that are none.
 */
function isFramed(headers: ReadonlyMap<string, string>, repeated: ReadonlySet<string>): boolean {
  if (repeated.has('content-length') || repeated.has('transfer-encoding')) return false
  return (headers.get('transfer-encoding') ?? 'chunked').toLowerCase() === 'chunked'
}

/** Never holds more than one piece. */
async function pour(
  response: HttpResponse,
  body: AsyncIterable<string>,
  left: AbortSignal,
): Promise<void> {
  for await (const piece of body) {
    if (left.aborted) return
    let isTaken = true
    response.cork(() => {
      isTaken = response.write(piece)
    })
    if (!isTaken) await writable(response, left)
    if (left.aborted) return
  }
  if (!left.aborted) response.cork(() => response.end())
}

function writable(response: HttpResponse, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      left.removeEventListener('abort', done)
      resolve()
    }
    left.addEventListener('abort', done)
    response.onWritable(() => {
      done()
      return true
    })
  })
}

function writeHead(response: HttpResponse, answer: Answer): void {
  response.writeStatus(`${answer.status} ${TITLES[answer.status] ?? ''}`)
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value)
  // Nothing that is answered here belongs into a cache, a frame or a script.
  response.writeHeader('cache-control', 'no-store')
  response.writeHeader('x-content-type-options', 'nosniff')
  response.writeHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
}

function readHeaders(request: HttpRequest): {
  headers: Map<string, string>
  repeated: Set<string>
} {
  const headers = new Map<string, string>()
  const repeated = new Set<string>()
  request.forEach((name, value) => {
    if (headers.has(name) || repeated.has(name)) {
      repeated.add(name)
      headers.delete(name)
    } else headers.set(name, value)
  })
  return { headers, repeated }
}
