/**
 * IO (timers). How long the target takes for what it does now, by our own clock: what a client may set at the target
 * (`SET statement_timeout = 0`) counts for nothing here.
 *
 * Looks ten times per limit whether the same thing still runs, and costs a statement nothing. So a statement that began
 * between two looks may run a tenth longer than the limit, and none is stopped early. Where one piece of work ends and
 * the next begins is what the target tells: PostgreSQL sends the answers to one simple message, or to a pipeline up to
 * its Sync, together where they are short, so that their statements count together. A target that is told to stop
 * and does not within `graceMs` is reported as well.
 */

/** What stands first in a ledger: the same object, with the same count of parts done, is the same work. */
export interface Work {
  readonly done: number
}

export interface StatementClockParts<Entry extends Work> {
  readonly limitMs: number
  readonly graceMs: number
  readonly first: () => Entry | undefined
  /** The limit is over; called once for the same work. */
  readonly onLate: (entry: Entry) => void
  /** It still runs, `graceMs` later. */
  readonly onDeaf: () => void
}

const LOOK_MS_MIN = 10
const LOOK_MS_MAX = 1000

export class StatementClock<Entry extends Work> {
  readonly #parts: StatementClockParts<Entry>
  readonly #lookMs: number
  #timer: NodeJS.Timeout | undefined
  #entry: Entry | undefined
  #done = 0
  #since = 0
  #isLate = false

  constructor(parts: StatementClockParts<Entry>) {
    this.#parts = parts
    this.#lookMs = Math.max(LOOK_MS_MIN, Math.min(parts.limitMs / 10, LOOK_MS_MAX))
  }

  /** Something was sent to the target. */
  touch(): void {
    if (this.#timer !== undefined || this.#parts.first() === undefined) return
    this.#begin()
    this.#wait()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #begin(): void {
    this.#entry = this.#parts.first()
    this.#done = this.#entry?.done ?? 0
    this.#since = performance.now()
    this.#isLate = false
  }

  #wait(): void {
    const { limitMs, graceMs } = this.#parts
    const end = this.#since + limitMs + (this.#isLate ? graceMs : 0)
    const leftMs = Math.max(0, end - performance.now())
    // Node rounds down; a look before the end would be one too many.
    this.#timer = setTimeout(() => this.#look(), Math.ceil(Math.min(leftMs, this.#lookMs)))
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    const { limitMs, graceMs, first, onLate, onDeaf } = this.#parts
    const entry = first()
    if (entry === undefined) {
      this.#entry = undefined
      return
    }
    if (entry !== this.#entry || entry.done !== this.#done) this.#begin()
    const ms = performance.now() - this.#since
    if (this.#isLate && ms >= limitMs + graceMs) {
      onDeaf()
      return
    }
    if (!this.#isLate && ms >= limitMs) {
      this.#isLate = true
      onLate(entry)
    }
    this.#wait()
  }
}
