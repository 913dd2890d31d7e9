/** IO. The one door to time, so that tests can pass another clock. */

export interface Clock {
  /** Wall clock in microseconds since 1970, for records. */
  microseconds(): number
  /** Monotonic microseconds, for measuring. */
  elapsed(): number
}

const origin = performance.timeOrigin * 1000

/** One base for both: wall time is the start of the process plus the monotonic clock, so it never runs back. */
export const clock: Clock = {
  microseconds: () => Math.trunc(origin + performance.now() * 1000),
  elapsed: () => performance.now() * 1000,
}
