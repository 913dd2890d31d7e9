/** IO. The one door to time, so that tests can pass another clock. */

import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Wall clock in microseconds since 1970, for records. */
  microseconds(): number
  /** Monotonic microseconds, for measuring. */
  elapsed(): number
}

/** Monotonic milliseconds. The global `performance` is looked up by a getter each time; this one is not. */
export function monotonicMs(): number {
  return performance.now()
}

const origin = performance.timeOrigin * 1000

/** One base for both: wall time is the start of the process plus the monotonic clock, so it never runs back. */
export const clock: Clock = {
  microseconds: () => Math.trunc(origin + performance.now() * 1000),
  elapsed: () => performance.now() * 1000,
}
