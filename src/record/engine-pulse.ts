/**
 * Pure. Whether the embedded engine's main thread hangs: it is asked every few seconds, and given up when it has not answered
 * although it had the time to.
 *
 * What counts is time in which it ran, slept or was stopped. Time in which it waited for a core or for the disk does not: on a full
 * machine it gets what others leave, and a slow one must not be taken for one that hangs. Looked at once a second.
 */

/** What the kernel says of its main thread; times since it began, in milliseconds. */
export interface ThreadSample {
  /** As in `/proc/<pid>/stat`: R runs or waits for a core, D waits for the disk, T is stopped. */
  readonly state: string
  readonly ranMs: number
  /** Undefined where the kernel does not count it. */
  readonly queuedMs: number | undefined
}

/** `doubt`: it is given its share of the machine until it answers. */
export type PulseStep = 'wait' | 'ask' | 'doubt' | 'end'

const LOOK_MS = 1000
const ASK_MS = 3000
const DOUBT_MS = 2000
const PATIENCE_MS = 10_000
/** Opening a store that has grown takes a while, and it answers nothing meanwhile. */
const START_PATIENCE_MS = 120_000
/** Where nobody says whether it waits for a core. */
const UNKNOWN_FACTOR = 6

export class Pulse {
  #last: ThreadSample | undefined
  #isReady = false
  /** An answer is owed. */
  #isAsked = true
  /** Since it was asked, or since the last answer; only time that it had. */
  #hadMs = 0

  /** It has answered, or said that it is ready. */
  answered(): void {
    this.#isReady = true
    this.#isAsked = false
    this.#hadMs = 0
  }

  look(sample: ThreadSample): PulseStep {
    const had = this.#last === undefined ? 0 : hadMs(this.#last, sample)
    this.#last = sample
    if (!this.#isAsked) {
      // How often it is asked has nothing to do with what it gets of the machine.
      this.#hadMs += LOOK_MS
      if (this.#hadMs < ASK_MS) return 'wait'
      this.#isAsked = true
      this.#hadMs = 0
      return 'ask'
    }
    this.#hadMs += had
    const patience = this.#isReady ? PATIENCE_MS : START_PATIENCE_MS
    if (this.#hadMs >= patience * (sample.queuedMs === undefined ? UNKNOWN_FACTOR : 1)) return 'end'
    return this.#isReady && this.#hadMs >= DOUBT_MS ? 'doubt' : 'wait'
  }
}

/** Of the second before this look. A look that is late is ours: it counts as one second. */
function hadMs(last: ThreadSample, now: ThreadSample): number {
  const ran = within(now.ranMs - last.ranMs)
  // Its wait is counted by the kernel when it is over: until then it is R and does not run.
  if (now.state === 'R' || now.state === 'D') return ran
  return LOOK_MS - within((now.queuedMs ?? 0) - (last.queuedMs ?? 0))
}

function within(ms: number): number {
  return Math.min(Math.max(ms, 0), LOOK_MS)
}

/** Undefined where it is not what Linux writes. `stat` and `schedstat` of the thread. */
export function threadSample(
  stat: string,
  schedstat: string | undefined,
): ThreadSample | undefined {
  // The name before it may have any byte in it, brackets as well.
  const state = /^\d+ \([\s\S]*\) (\S) /.exec(stat)?.[1]
  if (state === undefined) return undefined
  const counted = /^(\d+) (\d+) \d+\s*$/.exec(schedstat ?? '')
  if (counted !== null)
    return { state, ranMs: Number(counted[1]) / 1e6, queuedMs: Number(counted[2]) / 1e6 }
  return { state, ranMs: ticksOf(stat) * TICK_MS, queuedMs: undefined }
}

/** Of a clock with 100 Hz, which user space is told whatever the kernel's own is. */
const TICK_MS = 10

/** User and system time: the twelfth and thirteenth field behind the name. */
function ticksOf(stat: string): number {
  const fields = stat.substring(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
