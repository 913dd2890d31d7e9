/**
 * IO (timers). How many sessions each connection has over all workers, where the configuration limits it, and who waits
 * for one to end: first come, first served, and not for ever. Workers are known by their threads: one that dies leaves
 * its places, and after a restart of the control thread each tells what it holds.
 */

export interface PlacesParts {
  /** Sessions that the connection may have; undefined: any number. Asked each time, as a reload may change it. */
  readonly max: (connection: string) => number | undefined
  readonly waitMs: number
}

/** More that wait are refused at once: their time would be over long before their turn. */
const WAITING_MAX = 10_000

interface Waiting {
  readonly thread: number
  readonly settle: (has: boolean) => void
  readonly timer: NodeJS.Timeout
}

export class Places {
  readonly #parts: PlacesParts
  /** Connection → thread → sessions. */
  readonly #held = new Map<string, Map<number, number>>()
  readonly #waiting = new Map<string, Set<Waiting>>()

  constructor(parts: PlacesParts) {
    this.#parts = parts
  }

  /** False: none was free in time. True is to be answered with `leave`, once. */
  take(thread: number, connection: string): Promise<boolean> {
    const waiting = this.#waiting.get(connection) ?? new Set()
    // Whoever has waited longer goes first, also where there is room since a reload.
    this.#serve(connection)
    if (waiting.size === 0 && this.#isFree(connection)) {
      this.#add(thread, connection, 1)
      return Promise.resolve(true)
    }
    if (waiting.size >= WAITING_MAX) return Promise.resolve(false)
    this.#waiting.set(connection, waiting)
    return new Promise((resolve) => {
      const late = () => {
        waiting.delete(one)
        resolve(false)
      }
      const timer = setTimeout(late, this.#parts.waitMs)
      const one: Waiting = { thread, settle: resolve, timer }
      waiting.add(one)
    })
  }

  leave(thread: number, connection: string): void {
    this.#add(thread, connection, -1)
    this.#serve(connection)
  }

  /** What a worker holds, in place of what was known of it. */
  tell(thread: number, held: Readonly<Record<string, number>>): void {
    for (const by of this.#held.values()) by.delete(thread)
    for (const [connection, count] of Object.entries(held)) this.#add(thread, connection, count)
  }

  gone(thread: number): void {
    for (const waiting of this.#waiting.values())
      for (const one of waiting) if (one.thread === thread) this.#settle(waiting, one, false)
    for (const [connection, by] of this.#held) {
      by.delete(thread)
      this.#serve(connection)
    }
  }

  #serve(connection: string): void {
    const waiting = this.#waiting.get(connection)
    if (waiting === undefined) return
    for (const one of waiting) {
      if (!this.#isFree(connection)) return
      this.#add(one.thread, connection, 1)
      this.#settle(waiting, one, true)
    }
    if (waiting.size === 0) this.#waiting.delete(connection)
  }

  #settle(waiting: Set<Waiting>, one: Waiting, has: boolean): void {
    waiting.delete(one)
    clearTimeout(one.timer)
    one.settle(has)
  }

  #isFree(connection: string): boolean {
    const max = this.#parts.max(connection)
    if (max === undefined) return true
    let sum = 0
    for (const count of this.#held.get(connection)?.values() ?? []) sum += count
    return sum < max
  }

  #add(thread: number, connection: string, change: number): void {
    const by = this.#held.get(connection) ?? new Map<number, number>()
    this.#held.set(connection, by)
    const count = (by.get(thread) ?? 0) + change
    if (count > 0) by.set(thread, count)
    else by.delete(thread)
  }
}
