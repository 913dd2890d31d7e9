/**
 * IO (time). Busy polling: a thread whose one busy session has just been answered looks for the next bytes a little longer
 * before it sleeps. To fall asleep and to be woken costs more than a statement does, on our side and on that of the peer
 * who must wake us; and caches are cold afterwards.
 *
 * It is for a thread with time to spare: two sessions that take turns keep it awake by themselves, bulk data leaves gaps
 * that are too long, and whoever else wants the core gets it. Each costs at most POLL_MS after a read.
 */
import { monotonicMs } from '../base/clock.ts'

/** Longer than a peer on the same machine or rack takes for a small statement. */
const POLL_MS = 0.1
/** A read of more is bulk data. */
const SMALL_BYTES = 4 << 10
/** Sessions that are read within this time take turns. */
const TURNS_MS = 1
/** A look takes microseconds; after this long another process had the core. */
const PREEMPTED_MS = 0.5
/** How long nothing is polled after either. */
const REST_MS = 20

export class BusyPoll {
  #reader = ''
  #readAt = 0
  #lookedAt = 0
  #restsUntil = 0
  #isLooking = false
  readonly #now: () => number
  readonly #soon: (look: () => void) => void
  readonly #look = () => this.#again()

  /** `soon` calls what it is given in the next turn of the event loop, which does not sleep before that. */
  constructor(now: () => number = monotonicMs, soon: (look: () => void) => void = setImmediate) {
    this.#now = now
    this.#soon = soon
  }

  /** `size` bytes of the session with this id were worked off. */
  read(reader: string, size: number): void {
    const now = this.#now()
    if (reader !== this.#reader) {
      if (now - this.#readAt < TURNS_MS) this.#restsUntil = now + REST_MS
      this.#reader = reader
    }
    this.#readAt = now
    if (this.#isLooking || size > SMALL_BYTES || now < this.#restsUntil) return
    this.#isLooking = true
    this.#lookedAt = now
    this.#soon(this.#look)
  }

  #again(): void {
    const now = this.#now()
    if (now - this.#lookedAt > PREEMPTED_MS) this.#restsUntil = now + REST_MS
    this.#lookedAt = now
    this.#isLooking = now - this.#readAt < POLL_MS && now >= this.#restsUntil
    if (this.#isLooking) this.#soon(this.#look)
  }
}
