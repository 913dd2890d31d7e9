/**
 * IO. One socket of a session, client's or target's, with the two habits that make Node fast here (src/README.md):
 * every plain socket of a thread reads into one static buffer, and short writes go straight to the descriptor.
 *
 * Bytes handed to the sink are valid during the call only. TLS takes the ordinary way in and out.
 */
import { connect, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { copy } from '../base/bytes.ts'
import { isLoopback } from '../base/cidr.ts'
import { sendNow, setCongestionControl, unsentBytes } from '../base/libc.ts'
import type { TargetAddress } from '../config/shape.ts'
import { type Unread, watchUnread } from './unread.ts'

export interface WireSink {
  bytes(bytes: Buffer, start: number, end: number): void
  /** The peer will send no more. */
  end(): void
  /** The socket is gone, with the error that took it, if one did. Called once. */
  closed(error: Error | undefined): void
  /** What waited to be written is below the window again. */
  drained(): void
  /**
   * Each second in which it is paused: whether the peer has left, by either way. Nothing tells of that otherwise before
   * what it said is read. Whose sink has none is not looked at.
   */
  unread?(hasLeft: boolean): void
}

/** One socket, or what stands for one in tests that need no network. */
export interface Wire {
  readonly isSecure: boolean
  readonly isClosed: boolean
  /** More waits to be written than the window allows. */
  readonly isFull: boolean
  /** What was written and the peer has not taken, wherever it waits. Asks the kernel. */
  readonly unsentBytes: number
  /** The part of that which waits in memory of ours. */
  readonly heldBytes: number
  /** Who receives what comes in from now on; starts reading. */
  listen(sink: WireSink): void
  pause(): void
  resume(): void
  /** Takes [start, end) before it returns: the bytes may be reused. Never throws. */
  write(bytes: Buffer, start: number, end: number): void
  /** Lets what was written go out, then closes our half. */
  end(): void
  destroy(): void
  /** Swaps the plain socket for a TLS one made on top of it; the caller waits for its handshake. */
  secure(make: (plain: Socket) => TLSSocket): TLSSocket
}

/** One per thread: a read is worked off before the next one can begin. */
const shared = Buffer.allocUnsafeSlow(64 << 10)

/**
 * Most bytes that a session holds for a peer that does not read: what waits to be written, one read that comes behind it,
 * and as much again for the record.
 */
export const WINDOW_BYTES = 256 << 10
/** With more than this waiting, its counterpart is no longer read. */
const WAITING_BYTES_MAX = WINDOW_BYTES / 2
/** As long as it has taken nothing of what waited. At least Node's high-water mark, or nobody would say that it is drained. */
const FIRST_WAITING_BYTES_MAX = WINDOW_BYTES / 4

/** A peer that vanished without a word is found by the kernel after this long; as for clients (tcp.ts). */
const KEEP_ALIVE_MS = 60_000

const NOBODY: WireSink = { bytes() {}, end() {}, closed() {}, drained() {} }

export class SocketWire implements Wire, Unread {
  #socket: Socket
  #descriptor: number
  #sink: WireSink = NOBODY
  #error: Error | undefined
  #closed = false
  #isPaused = false
  #isWatched = false
  /** A peer that was dialled may end while what it said before waits to be read: that is worth more than its close. */
  #readsToTheEnd = false
  /** It takes nothing any more. */
  #isDeaf = false
  #waitingMax = FIRST_WAITING_BYTES_MAX

  private constructor(socket: Socket, descriptor: number) {
    this.#socket = socket
    this.#descriptor = descriptor
    // Between two ends on one machine nothing is congested, and what a pacing control (BBR) does there costs a timer
    // for each write. Always there, and open to everybody: reno.
    if (isLoopback(socket.remoteAddress ?? '')) setCongestionControl(descriptor, 'reno')
  }

  /** Takes over an accepted connection by its descriptor. Paused until `listen`. */
  static accepted(descriptor: number): SocketWire {
    // The option object must exist before the wire does: `onread` is read once, at construction.
    let wire: SocketWire | undefined
    const socket = new Socket({
      fd: descriptor,
      readable: true,
      writable: true,
      // A client may close its half when it has asked all, and read on.
      allowHalfOpen: true,
      onread: { buffer: shared, callback: (size: number) => wire!.#read(size) },
    } as ConstructorParameters<typeof Socket>[0])
    wire = new SocketWire(socket, descriptor)
    socket.setNoDelay(true)
    wire.pause()
    wire.#attach()
    return wire
  }

  /** Dials; rejects with the socket's own error, or with the reason why `left` is aborted. */
  static dial(address: TargetAddress, waitMsMax: number, left?: AbortSignal): Promise<SocketWire> {
    return new Promise((resolve, reject) => {
      let wire: SocketWire | undefined
      const socket = connect({
        ...address,
        noDelay: true,
        keepAlive: true,
        // Half-open otherwise for two hours, which is the system's default.
        keepAliveInitialDelay: KEEP_ALIVE_MS,
        onread: { buffer: shared, callback: (size: number) => wire!.#read(size) },
      })
      const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), waitMsMax)
      const giveUp = () => socket.destroy(left!.reason as Error)
      left?.addEventListener('abort', giveUp)
      const stop = () => {
        clearTimeout(timer)
        left?.removeEventListener('abort', giveUp)
      }
      socket.once('error', reject)
      socket.once('close', stop)
      socket.once('connect', () => {
        stop()
        // Or the timer would be kept for as long as the socket is.
        socket.removeListener('close', stop).removeListener('error', reject)
        const handle = (socket as unknown as { _handle: { fd: number } })._handle
        wire = new SocketWire(socket, handle.fd)
        wire.#readsToTheEnd = true
        wire.pause()
        wire.#attach()
        resolve(wire)
      })
    })
  }

  listen(sink: WireSink): void {
    this.#sink = sink
    if (this.#closed) sink.closed(this.#error)
    else this.resume()
  }

  get isSecure(): boolean {
    return this.#socket instanceof TLSSocket
  }

  get isClosed(): boolean {
    return this.#closed || this.#socket.destroyed
  }

  get isFull(): boolean {
    return this.#socket.writableLength > this.#waitingMax
  }

  get heldBytes(): number {
    return this.#socket.writableLength
  }

  get unsentBytes(): number {
    const descriptor = this.#openDescriptor
    return this.heldBytes + (descriptor < 0 ? 0 : unsentBytes(descriptor))
  }

  /** Under TLS too. A destroyed socket's number may already belong to somebody else. */
  get #openDescriptor(): number {
    const { _handle } = this.#socket as unknown as { _handle: { fd?: number } | null }
    return _handle?.fd ?? -1
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
    if (this.#isWatched || this.#sink.unread === undefined) return
    this.#isWatched = true
    watchUnread(this)
  }

  get unreadDescriptor(): number {
    const descriptor = this.#isPaused && !this.isClosed ? this.#openDescriptor : -1
    this.#isWatched = descriptor >= 0
    return descriptor
  }

  stillUnread(hasLeft: boolean): void {
    this.#sink.unread?.(hasLeft)
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  /** Writes now what the kernel takes, keeps a copy of the rest. Never throws. */
  write(bytes: Buffer, start: number, end: number): void {
    const socket = this.#socket
    // A destroyed socket's descriptor number may already belong to somebody else.
    if (socket.destroyed || socket.writableEnded || this.#isDeaf) return
    let sent = 0
    if (this.#descriptor >= 0 && socket.writableLength === 0) {
      try {
        sent = sendNow(this.#descriptor, bytes, start, end)
      } catch (error) {
        this.#isDeaf = this.#readsToTheEnd && hasLeft(error)
        if (!this.#isDeaf) socket.destroy(error as Error)
        return
      }
    }
    if (start + sent < end) socket.write(copy(bytes, start + sent, end))
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  secure(make: (plain: Socket) => TLSSocket): TLSSocket {
    const plain = this.#socket
    plain.removeAllListeners()
    const secured = make(plain)
    this.#socket = secured
    this.#descriptor = -1
    plain.on('error', (error) => secured.destroy(error))
    secured.on('data', (chunk: Buffer) => this.#sink.bytes(chunk, 0, chunk.length))
    secured.pause()
    this.#attach()
    return secured
  }

  #read(size: number): boolean {
    this.#sink.bytes(shared, 0, size)
    // Node starts reading again in the tick after `resume`, even where `pause` came behind it.
    if (this.#isPaused) return false
    // A buffer that was not filled was the last of this turn.
    return size < shared.length ? true : this.#yield()
  }

  /**
   * Lets the other sockets of the thread have their turn after one full buffer. libuv would read 32 of them, 2 MiB, before
   * it looks at another socket, and small statements beside a transfer would wait for that.
   */
  #yield(): false {
    setImmediate(() => {
      if (!this.#isPaused && !this.#socket.destroyed) this.#socket.resume()
    })
    return false
  }

  /**
   * What waits in Node's queue is written by Node, which destroys the socket when that fails, with all that the peer said before and
   * nobody has read yet. Reading tells of the end soon enough, unless it has told of it.
   */
  #outliveWrites(socket: Socket): void {
    const destroy = socket.destroy.bind(socket)
    socket.destroy = (error) => {
      if (socket.readableEnded || !isOfWriting(error)) return destroy(error)
      this.#isDeaf = true
      // Or its end would not be told.
      const { _readableState: reading } = socket as unknown as {
        _readableState: { errored: unknown }
      }
      reading.errored = null
      // Nothing waits any more, and Node does not say so.
      this.#sink.drained()
      return socket
    }
  }

  #attach(): void {
    const socket = this.#socket
    if (this.#readsToTheEnd) this.#outliveWrites(socket)
    socket.on('end', () => {
      this.#sink.end()
      // Node would wait for its own half, which cannot be closed in order any more.
      if (this.#isDeaf) socket.destroy()
    })
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => {
      if (socket !== this.#socket || this.#closed) return
      this.#closed = true
      this.#sink.closed(this.#error)
    })
    socket.on('drain', () => {
      this.#waitingMax = WAITING_BYTES_MAX
      this.#sink.drained()
    })
  }
}

function hasLeft(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ECONNRESET'
}

function isOfWriting(error: NodeJS.ErrnoException | undefined): boolean {
  return error?.syscall === 'write' && hasLeft(error)
}
