/**
 * IO. One TCP listener: accepts, asks whether the connection may be, and lets go of it as a descriptor.
 *
 * Reads nothing from an accepted connection and parses nothing. Owns the descriptor until `gate.take`.
 * A refused connection gets its protocol's words, then a graceful end: closing with unread bytes in the
 * kernel would send a reset, and the client would lose the reason (libpq sends its start-up first).
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { ErrorCode } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { hostPort, normalAddress } from './address.ts'
import { duplicate } from './descriptor.ts'

/** An accepted connection; who holds this closes the descriptor. */
export interface Arrival {
  readonly fd: number
  /** Index into `config.listeners`. */
  readonly listener: number
  readonly address: string
  readonly port: number
}

export interface Gate {
  /** Asked before anything is spent. A code refuses; otherwise the connection counts, and `take` or `release` follows. */
  admit(address: string): ErrorCode | undefined
  /** Owns the descriptor and the count from here on. Must not throw. */
  take(arrival: Arrival): void
  /** An admitted connection came to nothing before `take`. */
  release(address: string): void
  /** The protocol's words for a refusal before its handshake. */
  refusal(code: ErrorCode): Uint8Array
}

export interface ListenOptions {
  readonly listener: number
  readonly host: string
  readonly port: number
  /** Moves to a free port when `port` is taken. */
  readonly freePort: boolean
  readonly gate: Gate
  readonly log: Logger
}

export interface Listener {
  readonly host: string
  /** The port that was really picked. */
  readonly port: number
  /** Accepts no more; connections that were handed over stay open. */
  close(): Promise<void>
}

const BACKLOG = 4096
const REFUSED_MAX = 128
const REFUSED_MS_MAX = 1000
/** A client that vanished without a word is found by the kernel after this long. */
const KEEP_ALIVE_MS = 60_000
const COMPLAINT_MS = 1000

/** Rejects with the system's error when the address cannot be listened on. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer({
    pauseOnConnect: true,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  })
  const refused = new Set<Socket>()
  const complain = complaints(options)
  server.on('connection', (socket) => {
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy() // It has left already.
    const address = normalAddress(remoteAddress)
    const code = options.gate.admit(address)
    if (code !== undefined) return refuse(socket, options.gate.refusal(code), refused)
    const fd = duplicate(socket)
    if (fd === undefined) {
      options.gate.release(address)
      complain('a connection was refused: no descriptor for it')
      return refuse(socket, options.gate.refusal('GW_TOO_MANY'), refused)
    }
    socket.destroy() // Closes its own descriptor only.
    options.gate.take({ fd, listener: options.listener, address, port: remotePort })
  })
  await bind(server, options)
  // Out of descriptors, say: the kernel's queue is worked on as soon as there are some again.
  server.on('error', (error) => complain(`accept failed: ${error.message}`))
  return { host: options.host, port: portOf(server), close: () => close(server, refused) }
}

async function bind(server: Server, options: ListenOptions): Promise<void> {
  try {
    await listening(server, options.host, options.port)
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!isTaken || !options.freePort || options.port === 0) throw error
    await listening(server, options.host, 0)
    const moved = hostPort(options.host, portOf(server))
    options.log.warn({ wanted: hostPort(options.host, options.port), moved }, 'port taken, moved')
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Says why, waits for the client to close, and reads what it sends meanwhile into nothing. */
function refuse(socket: Socket, words: Uint8Array, refused: Set<Socket>): void {
  if (refused.size >= REFUSED_MAX) return void socket.destroy()
  refused.add(socket)
  const timer = setTimeout(() => socket.destroy(), REFUSED_MS_MAX)
  socket.on('error', () => socket.destroy())
  socket.once('close', () => {
    clearTimeout(timer)
    refused.delete(socket)
  })
  socket.end(words)
  socket.resume()
}

/** At most one line per second, however many connections it concerns. */
function complaints({ log, listener }: ListenOptions): (say: string) => void {
  let last = 0
  let unsaid = 0
  return (say) => {
    unsaid++
    if (Date.now() - last < COMPLAINT_MS) return
    log.error({ listener, times: unsaid }, say)
    last = Date.now()
    unsaid = 0
  }
}

function close(server: Server, refused: Set<Socket>): Promise<void> {
  for (const socket of refused) socket.destroy()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
