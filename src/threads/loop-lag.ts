/**
 * IO (a timer). How late this thread's event loop is: every `SAMPLE_MS` a timer says by how much it missed its time,
 * which is what a byte that arrived in between had to wait. Timers count whole milliseconds, so less is noise.
 */

/** Twenty samples a second tell of a pause of 5 ms once in ten times, and cost an idle thread next to nothing. */
const SAMPLE_MS = 50

/** Until the thread ends; does not keep it alive. */
export function watchLoop(observe: (lateUs: number) => void): void {
  let last = performance.now()
  const sample = (): void => {
    const now = performance.now()
    const lateMs = now - last - SAMPLE_MS
    last = now
    observe(lateMs > 0 ? lateMs * 1000 : 0)
  }
  setInterval(sample, SAMPLE_MS).unref()
}
