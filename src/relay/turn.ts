/**
 * IO. Collects what sessions want to send, writes their events to the spool with one write, and only then lets the bytes
 * go. Nothing is forwarded that is not in the kernel's hands.
 *
 * A write is a copy into mapped memory (record/spool.ts), so what one read has brought goes on when that read is worked
 * off: the peer begins while this thread turns to its next socket. Where a write is dear (it waits for the disk, or
 * encrypts), all that one turn of the event loop has brought shares it.
 *
 * When the spool cannot be written the bytes wait: sessions stand still, the write is tried again, and after
 * `stallMsMax` those who wait are told `GW_RECORDING_LOST`. What was recorded stays with the recorder and is
 * written when there is room again.
 */
import type { Wire } from '../accept/wire.ts'
import { monotonicMs } from '../base/clock.ts'
import type { Recorder } from '../record/event.ts'
import { BusyPoll } from './busy-poll.ts'

export interface TurnOptions {
  readonly recorder: Pick<Recorder, 'pending' | 'flush'>
  /** A write is dear: one for a whole turn of the loop. */
  readonly gathers: boolean
  /** How long sessions stand still before they are ended. */
  readonly stallMsMax: number
  /** Microseconds that one write to the spool took. */
  readonly onRecorded: (us: number) => void
  /** The spool cannot be written; called once when it begins, and once when it is over. */
  readonly onStall: (stalled: boolean) => void
  /** The wait is over: end whoever waits. Their bytes are dropped. */
  readonly onLost: (error: unknown) => void
}

const RETRY_MS = 100
/** Spans this long are not worth a copy: they go out from where they stand. */
const DIRECT_BYTES = 16 << 10

export class Turn {
  readonly #options: TurnOptions
  #out = Buffer.allocUnsafeSlow(1 << 20)
  #size = 0
  // Spans of `#out` by wire. Counted by hand: cutting an array's length is slow, and this is every turn.
  readonly #wires: (Wire | undefined)[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #spans = 0
  readonly #closing: Wire[] = []
  #scheduled = false
  /** A read is being worked off, and `leave` will let go what it brings. */
  #isReading = false
  /** Something waits for `leave`. */
  #isDue = false
  #stalledSince = 0
  readonly #poll = new BusyPoll()
  readonly #flush = () => this.flush()

  constructor(options: TurnOptions) {
    this.#options = options
  }

  get isStalled(): boolean {
    return this.#stalledSince > 0
  }

  /** Bytes wait for the spool. */
  get isHolding(): boolean {
    return this.#size > 0
  }

  /** Queues bytes; they may be reused after the call. */
  send(wire: Wire, bytes: Buffer, start: number, end: number): void {
    const size = end - start
    if (size >= DIRECT_BYTES && !this.isStalled) {
      if (this.#size > 0 || this.#options.recorder.pending) this.flush()
      if (!this.isStalled) {
        wire.write(bytes, start, end)
        return
      }
    }
    if (this.#size + size > this.#out.length) this.#makeRoom(size)
    if (size < 48) {
      for (let from = start, to = this.#size; from < end; ) this.#out[to++] = bytes[from++]!
    } else bytes.copy(this.#out, this.#size, start, end)
    const last = this.#spans - 1
    if (last >= 0 && this.#wires[last] === wire) this.#ends[last] = this.#size + size
    else {
      this.#wires[this.#spans] = wire
      this.#starts[this.#spans] = this.#size
      this.#ends[this.#spans] = this.#size + size
      this.#spans += 1
    }
    this.#size += size
    this.schedule()
  }

  /** Closes our half of the wire after all that was sent to it. */
  end(wire: Wire): void {
    this.#closing.push(wire)
    this.schedule()
  }

  /** It was ended, and what was sent to it before still waits, or was lost. */
  isClosing(wire: Wire): boolean {
    return this.#closing.includes(wire)
  }

  /** What was read from one wire is being worked off until `leave`. Neither throws; nothing is awaited between them. */
  enter(): void {
    this.#isReading = !this.#options.gathers
  }

  /** `reader`: the session whose `size` bytes they were. */
  leave(reader: string, size: number): void {
    this.#isReading = false
    // While the spool cannot be written a timer tries it again.
    if (this.#isDue && !this.isStalled) this.flush()
    this.#isDue = false
    this.#poll.read(reader, size)
  }

  /** Makes sure that `flush` runs when the read is worked off, or else at the end of this turn of the loop. */
  schedule(): void {
    if (this.#isReading) {
      this.#isDue = true
      return
    }
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#flush)
  }

  flush(): void {
    this.#scheduled = false
    this.#isDue = false
    if (this.#options.recorder.pending) {
      const began = monotonicMs()
      try {
        this.#options.recorder.flush()
        this.#options.onRecorded((monotonicMs() - began) * 1000)
      } catch (error) {
        this.#stall(error)
        return
      }
    }
    this.#release()
    if (this.#stalledSince > 0) {
      this.#stalledSince = 0
      this.#options.onStall(false)
    }
  }

  #release(): void {
    const out = this.#out
    for (let i = 0; i < this.#spans; i++) {
      this.#wires[i]!.write(out, this.#starts[i]!, this.#ends[i]!)
    }
    this.#forget()
    if (this.#out.length > 8 << 20) this.#out = Buffer.allocUnsafeSlow(1 << 20)
    if (this.#closing.length > 0) for (const wire of this.#closing.splice(0)) wire.end()
  }

  #forget(): void {
    // A wire that is gone must not be kept by what was once sent to it.
    for (let i = 0; i < this.#spans; i++) this.#wires[i] = undefined
    this.#spans = 0
    this.#size = 0
  }

  #makeRoom(size: number): void {
    if (!this.isStalled && this.#size > 0) this.flush()
    if (this.#size + size <= this.#out.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#size + size))
    this.#out.copy(grown, 0, 0, this.#size)
    this.#out = grown
  }

  #stall(error: unknown): void {
    const now = monotonicMs()
    if (this.#stalledSince === 0) {
      this.#stalledSince = now
      this.#options.onStall(true)
    } else if (now - this.#stalledSince > this.#options.stallMsMax) {
      // Fail closed: what could not be recorded is not forwarded.
      this.#forget()
      this.#stalledSince = now
      this.#options.onLost(error)
      // Nothing is queued now but farewells, which tell of no action: they need not wait for the spool.
      this.#release()
    }
    if (!this.#scheduled) {
      this.#scheduled = true
      setTimeout(this.#flush, RETRY_MS)
    }
  }
}
