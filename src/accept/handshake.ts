/**
 * IO. Reads a wire by promises, for the part of a session before the relay: there messages are few and each must be
 * seen before the next step is known. Keeps at most `bytesMax` that nobody has asked for yet.
 */
import { copy } from '../base/bytes.ts'
import { GatewayError } from '../base/errors.ts'
import type { Wire, WireSink } from './wire.ts'

const NOTHING = Buffer.alloc(0)

const CLOSED = 'the peer closed during the handshake'

/** The peer went away before the handshake was over: nobody is left to tell. */
export class PeerGone extends Error {}

export class Handshake implements WireSink {
  readonly wire: Wire
  readonly #bytesMax: number
  #kept: Buffer = NOTHING
  #gone: Error | undefined
  #hasEnded = false
  /** While somebody works for the peer. */
  #left: AbortController | undefined
  #wake: (() => void) | undefined
  #stop: ((error: Error) => void) | undefined

  constructor(wire: Wire, bytesMax: number) {
    this.wire = wire
    this.#bytesMax = bytesMax
    wire.listen(this)
  }

  /** Bytes that came and were not asked for yet. */
  get keptBytes(): number {
    return this.#kept.length
  }

  /** The peer will say no more. It may still listen. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Waits for `count` bytes and takes them. Rejects with PeerGone, or GW_FRAME_TOO_LARGE past the limit. */
  async take(count: number): Promise<Buffer> {
    if (count > this.#bytesMax) throw new GatewayError('GW_FRAME_TOO_LARGE', `${count} bytes`)
    await this.#until(count)
    const taken = this.#kept.subarray(0, count)
    this.#kept = this.#kept.subarray(count)
    return taken
  }

  /** Waits for the next byte and leaves it where it is. Rejects as `take` does. */
  async peek(): Promise<number> {
    await this.#until(1)
    return this.#kept[0]!
  }

  async #until(count: number): Promise<void> {
    while (this.#kept.length < count) {
      this.#expect(false)
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    }
  }

  /** Throws what `take` would reject with, where the peer is gone or the time is over. */
  expectPeer(): void {
    this.#expect(this.#kept.length > 0)
  }

  /** Who has closed one half is there for as long as there is something to be answered. */
  #expect(isAnswerDue: boolean): void {
    if (this.#gone !== undefined) throw this.#gone
    if (this.#hasEnded && !isAnswerDue) throw new PeerGone(CLOSED)
  }

  /**
   * Settles as `work` does, or rejects as `expectPeer` throws as soon as the peer is gone: then `left` is aborted, and what
   * comes of the work is the work's own affair.
   */
  async whilePresent<T>(work: (left: AbortSignal) => Promise<T>): Promise<T> {
    this.expectPeer()
    const left = new AbortController()
    this.#left = left
    const gone = new Promise<never>((_, reject) => {
      left.signal.addEventListener('abort', () => reject(left.signal.reason as Error))
    })
    try {
      return await Promise.race([work(left.signal), gone])
    } finally {
      this.#left = undefined
    }
  }

  /**
   * Waits for who reads the wire in our place, TLS. An abort rejects at once and destroys the wire: in the middle of
   * somebody else's handshake nothing can be said.
   */
  meanwhile<T>(other: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stop = (error) => {
        reject(error)
        this.wire.destroy()
      }
      other.then(resolve, reject).finally(() => {
        this.#stop = undefined
      })
      if (this.#gone !== undefined) this.#stop(this.#gone)
    })
  }

  /** Whoever waits, or will, gets this error. */
  abort(error: Error): void {
    this.#gone ??= error
    this.#stop?.(error)
    this.#awake()
  }

  /** Sends at once: no action is in these bytes, so nothing is to be recorded before them. */
  send(bytes: Buffer): void {
    this.wire.write(bytes, 0, bytes.length)
  }

  /** What was not taken, for the relay to begin with. */
  rest(): Buffer {
    // What is left of a pooled buffer, be it nothing, would keep all of it for as long as the session lasts.
    const rest = this.#kept.length === 0 ? NOTHING : copy(this.#kept)
    this.#kept = NOTHING
    return rest
  }

  bytes(bytes: Buffer, start: number, end: number): void {
    if (this.#kept.length + end - start > this.#bytesMax) {
      this.#gone = new GatewayError('GW_FRAME_TOO_LARGE', 'too much before the handshake is over')
      this.wire.pause()
    } else this.#kept = Buffer.concat([this.#kept, bytes.subarray(start, end)])
    this.#awake()
  }

  end(): void {
    this.#hasEnded = true
    this.#awake()
  }

  closed(error: Error | undefined): void {
    this.#gone ??= new PeerGone(error?.message ?? CLOSED)
    this.#awake()
  }

  drained(): void {}

  #awake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
    if (this.#left === undefined) return
    try {
      this.expectPeer()
    } catch (error) {
      this.#left.abort(error)
    }
  }
}
