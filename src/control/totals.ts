/**
 * Pure. Adds up the numbers of session workers. What a worker that has ended counted stays in the totals, so that a
 * counter never falls; its open sessions are gone with it.
 */
import type { WorkerMetrics } from '../threads/messages.ts'

export const NO_METRICS: WorkerMetrics = {
  sessionsOpen: {},
  actions: {},
  addedLatency: {},
  upstream: [],
  loopLag: [],
  maskedValues: {},
  signals: {},
  eventsLost: 0,
  heldBytes: 0,
}

export class Totals {
  #ended: WorkerMetrics = NO_METRICS
  readonly #latest = new Map<number, WorkerMetrics>()

  heard(thread: number, metrics: WorkerMetrics): void {
    this.#latest.set(thread, metrics)
  }

  gone(thread: number): void {
    const last = this.#latest.get(thread)
    if (last === undefined) return
    this.#latest.delete(thread)
    this.#ended = add(this.#ended, { ...last, sessionsOpen: {}, heldBytes: 0 })
  }

  all(): WorkerMetrics {
    return [...this.#latest.values()].reduce(add, this.#ended)
  }
}

export function add(one: WorkerMetrics, other: WorkerMetrics): WorkerMetrics {
  return {
    sessionsOpen: addNumbers(one.sessionsOpen, other.sessionsOpen),
    actions: addNumbers(one.actions, other.actions),
    addedLatency: addLists(one.addedLatency, other.addedLatency),
    upstream: addList(one.upstream, other.upstream),
    loopLag: addList(one.loopLag, other.loopLag),
    maskedValues: addNumbers(one.maskedValues, other.maskedValues),
    signals: addNumbers(one.signals, other.signals),
    eventsLost: one.eventsLost + other.eventsLost,
    heldBytes: one.heldBytes + other.heldBytes,
  }
}

type Numbers = Readonly<Record<string, number>>
type Lists = Readonly<Record<string, readonly number[]>>

// Keys are names of connections, so `__proto__` may come: maps on the way, and entries at the end.
function addNumbers(one: Numbers, other: Numbers): Numbers {
  const sums = new Map(Object.entries(one))
  for (const [key, value] of Object.entries(other)) sums.set(key, (sums.get(key) ?? 0) + value)
  return Object.fromEntries(sums)
}

function addLists(one: Lists, other: Lists): Lists {
  const sums = new Map(Object.entries(one))
  for (const [key, values] of Object.entries(other)) {
    sums.set(key, addList(sums.get(key) ?? [], values))
  }
  return Object.fromEntries(sums)
}

function addList(one: readonly number[], other: readonly number[]): readonly number[] {
  const length = Math.max(one.length, other.length)
  return Array.from({ length }, (_, at) => (one[at] ?? 0) + (other[at] ?? 0))
}
