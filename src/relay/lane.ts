/**
 * Pure. One direction of a session: cuts a stream into frames by header and does with each what its course says.
 *
 * Does not decode bodies and never throws. Bytes given to `push` may be reused by the caller afterwards: what must
 * outlive the call is copied. Spans that pass unread are handed on as one span, however many frames they hold.
 */
import { ByteSink } from '../base/bytes.ts'

/** What a framer answers instead of a size. */
export const SHORT = -1
export const MALFORMED = -2

export interface Framer {
  /** Bytes that the header needs, the kind included. */
  readonly headBytes: number
  /** Bytes of the whole frame at `at`, or SHORT when [at, end) is less than a header, or MALFORMED. */
  size(bytes: Uint8Array, at: number, end: number): number
  /** 0–255; only called where `size` gave a size. */
  kind(bytes: Uint8Array, at: number): number
}

/** Courses. Unknown kinds are END in every table. */
export const END = 0
/** Bytes go by unread. */
export const PASS = 1
/** Bytes go by unchanged, and the handler sees them. */
export const NOTE = 2
/** Waits for the whole frame, then the handler says what becomes of it. */
export const HOLD = 3
/** As HOLD, for as many whole frames of this kind as stand one behind the other. */
export const RUN = 4
/** Bytes are not forwarded. */
export const DROP = 5

/** What a handler answers for a held frame. */
export type Held = typeof FORWARD | typeof TAKEN | typeof WAIT | typeof STOP
export const FORWARD = 0
/** The handler dealt with it: nothing of it is forwarded. */
export const TAKEN = 1
/** Keep it and what follows; `resume` offers it again. */
export const WAIT = 2
/** The session is over; nothing more is looked at. */
export const STOP = 3

export interface LaneHandler {
  /** Bytes that go on as they are; valid during the call. */
  pass(bytes: Buffer, start: number, end: number): void
  /** A part of a NOTE frame that also goes on; `first` at its head. Not yet passed on when called. */
  note(bytes: Buffer, start: number, end: number, first: boolean): void
  /** One whole frame (HOLD), or a run of them (RUN); valid during the call. */
  held(kind: number, bytes: Buffer, start: number, end: number): Held
  /** Most bytes a held frame of this kind may have; asked before anything of a long one is kept. */
  heldBytesMax(kind: number): number
  /** A held frame larger than that: true drops it, false ends the lane as broken, WAIT asks again at `resume`. */
  oversize(kind: number, size: number): boolean | typeof WAIT
  broken(problem: 'malformed' | 'unknown' | 'too-large', kind: number): void
}

/** No limit on held frames is smaller than this. */
const SMALL_BYTES = 16 << 10

const OPEN = 0
const WAITING = 1
const STOPPED = 2

export class Lane {
  /** Course by kind; shared with other lanes until one is changed here. */
  #courses: Uint8Array
  #ownsCourses = false
  readonly #framer: Framer
  readonly #handler: LaneHandler
  #state = OPEN
  /** What is left of a PASS, NOTE or DROP frame, and its course. */
  #left = 0
  #course = PASS
  /** Cut frames wait here until they are whole; what follows a WAIT too. */
  readonly #rest = new ByteSink(0)
  #need = 0
  // The span [sent, mark) of `bytes` passes on but was not handed over yet.
  #bytes: Buffer | undefined
  #sent = 0
  #mark = 0

  constructor(options: { framer: Framer; courses: Uint8Array; handler: LaneHandler }) {
    this.#framer = options.framer
    this.#courses = options.courses
    this.#handler = options.handler
  }

  /** What becomes of this kind from now on. May be said between frames, also by the handler. */
  setCourse(kind: number, course: number): void {
    if (this.#courses[kind] === course) return
    // Most sessions wait most of the time: a table is theirs only when it differs.
    if (!this.#ownsCourses) this.#courses = Uint8Array.from(this.#courses)
    this.#ownsCourses = true
    this.#courses[kind] = course
  }

  get isWaiting(): boolean {
    return this.#state === WAITING
  }

  /** A part of a frame has gone on: what is said now would be read as the rest of it. */
  get isWithinFrame(): boolean {
    return this.#left > 0 && this.#course !== DROP
  }

  /** Bytes kept because a frame is cut or waits. */
  get keptBytes(): number {
    return this.#rest.size
  }

  /** Memory that they take. */
  get heldBytes(): number {
    return this.#rest.bytes.length
  }

  push(bytes: Buffer, start: number, end: number): void {
    if (this.#state === STOPPED) return
    if (this.#state === WAITING) {
      this.#rest.append(bytes, start, end)
      return
    }
    const at = this.#rest.size > 0 ? this.#complete(bytes, start, end) : start
    if (at < 0) return
    const done = this.#work(bytes, at, end)
    if (done < end && this.#state !== STOPPED) this.#keep(bytes, done, end)
  }

  /** Offers the frame again that answered WAIT. */
  resume(): void {
    if (this.#state !== WAITING) return
    this.#state = OPEN
    this.#drainRest()
  }

  /** Nothing more is looked at. */
  stop(): void {
    this.#state = STOPPED
    this.#rest.clear()
  }

  /**
   * Hands over what passes before the frame that is being looked at. A handler calls this before it sends bytes of
   * its own in the same direction, so that order is kept.
   */
  settle(): void {
    if (this.#bytes !== undefined && this.#mark > this.#sent) {
      const from = this.#sent
      this.#sent = this.#mark
      this.#handler.pass(this.#bytes, from, this.#mark)
    }
  }

  /** Fills up the kept frame; the position in `bytes` to go on from, or -1 when there is nothing to go on with. */
  #complete(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (this.#rest.size < this.#need) {
      const taken = Math.min(this.#need - this.#rest.size, end - at)
      this.#rest.append(bytes, at, at + taken)
      at += taken
      if (this.#rest.size < this.#need) return -1
      this.#need = this.#needed(this.#rest.bytes, 0, this.#rest.size)
    }
    this.#drainRest()
    if (this.#state === STOPPED) return -1
    if (this.#rest.size > 0) {
      this.#rest.append(bytes, at, end)
      return -1
    }
    return at
  }

  #drainRest(): void {
    const size = this.#rest.size
    const done = this.#work(this.#rest.bytes, 0, size)
    if (this.#state === STOPPED) return
    // The handler may have pushed nothing onto #rest meanwhile: only push and this write it.
    this.#rest.bytes.copyWithin(0, done, size)
    this.#rest.size = size - done
    if (this.#rest.size > 0) {
      this.#need = this.#needed(this.#rest.bytes, 0, this.#rest.size)
    } else if (this.#rest.bytes.length > 65_536) {
      // A frame that was large once must not cost its memory for ever.
      this.#rest.bytes = Buffer.allocUnsafeSlow(0)
    }
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#rest.append(bytes, start, end)
    this.#need = this.#needed(this.#rest.bytes, 0, this.#rest.size)
  }

  /** Bytes from `at` that must be there before the frame can be worked on. */
  #needed(bytes: Buffer, at: number, end: number): number {
    const size = this.#framer.size(bytes, at, end)
    if (size === SHORT) return this.#framer.headBytes
    if (size === MALFORMED) return 0
    const kind = this.#framer.kind(bytes, at)
    const course = this.#courses[kind]
    return (course === HOLD || course === RUN) && !this.#isOversize(kind, size) ? size : 0
  }

  /** Works off whole frames; answers the position before which everything is dealt with. */
  #work(bytes: Buffer, start: number, end: number): number {
    this.#bytes = bytes
    this.#sent = start
    let at = start
    while (at < end && this.#state === OPEN) {
      const next = this.#left > 0 ? this.#through(bytes, at, end) : this.#frame(bytes, at, end)
      if (next === at) break
      at = next
    }
    this.#mark = at
    this.settle()
    this.#bytes = undefined
    return at
  }

  /** Goes on through a frame whose body is not held. */
  #through(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.#left, end - at)
    this.#left -= taken
    if (this.#course === NOTE) {
      this.#handler.note(bytes, at, at + taken, false)
    } else if (this.#course === DROP) {
      this.#mark = at
      this.settle()
      this.#sent = at + taken
    }
    return at + taken
  }

  /** Begins a frame; answers where the next one starts, or `at` when this one cannot be worked on yet. */
  #frame(bytes: Buffer, at: number, end: number): number {
    const size = this.#framer.size(bytes, at, end)
    if (size === SHORT) return at
    this.#mark = at
    if (size === MALFORMED) return this.#break('malformed', 0, at)
    const kind = this.#framer.kind(bytes, at)
    const course = this.#courses[kind]!
    switch (course) {
      case HOLD:
      case RUN: {
        if (this.#isOversize(kind, size)) return this.#oversize(kind, { size, bytes, at, end })
        if (at + size > end) return at
        const stop = course === RUN ? this.#runEnd(kind, bytes, at + size, end) : at + size
        return this.#held(kind, bytes, at, stop)
      }
      case PASS:
      case NOTE:
      case DROP: {
        this.#left = size
        this.#course = course
        if (course === NOTE) {
          const taken = Math.min(size, end - at)
          this.#left -= taken
          this.#handler.note(bytes, at, at + taken, true)
          return at + taken
        }
        return this.#through(bytes, at, end)
      }
      default:
        return this.#break('unknown', kind, at)
    }
  }

  /** Where the last whole frame of this kind ends that stands right behind `stop`. */
  #runEnd(kind: number, bytes: Buffer, stop: number, end: number): number {
    let at = stop
    while (at < end) {
      const size = this.#framer.size(bytes, at, end)
      if (size < 0 || at + size > end || this.#framer.kind(bytes, at) !== kind) break
      // As the first of a run it meets its limit.
      if (this.#isOversize(kind, size)) break
      at += size
    }
    return at
  }

  #held(kind: number, bytes: Buffer, at: number, stop: number): number {
    switch (this.#handler.held(kind, bytes, at, stop)) {
      case FORWARD:
        return stop
      case TAKEN:
        this.settle()
        this.#sent = stop
        return stop
      case WAIT:
        this.#state = WAITING
        return at
      default:
        this.settle()
        this.stop()
        this.#sent = stop
        return stop
    }
  }

  /** Short frames are within every limit, and they are nearly all. */
  #isOversize(kind: number, size: number): boolean {
    return size > SMALL_BYTES && size > this.#handler.heldBytesMax(kind)
  }

  #oversize(kind: number, span: { size: number; bytes: Buffer; at: number; end: number }): number {
    const isDropped = this.#handler.oversize(kind, span.size)
    if (isDropped === WAIT) {
      this.#state = WAITING
      return span.at
    }
    if (!isDropped) return this.#break('too-large', kind, span.at)
    this.#left = span.size
    this.#course = DROP
    return this.#through(span.bytes, span.at, span.end)
  }

  #break(problem: 'malformed' | 'unknown' | 'too-large', kind: number, at: number): number {
    this.settle()
    this.stop()
    this.#handler.broken(problem, kind)
    return at
  }
}
