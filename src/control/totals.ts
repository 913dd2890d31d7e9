/**
 * Pure. Adds up the numbers of session workers. What a worker that has ended counted stays in the totals, so that a
 * counter never falls; its open sessions are gone with it.
 */
import type { WorkerMetrics } from '../threads/messages.ts'

export const NO_METRICS: WorkerMetrics = {
  sessionsOpen: {},
  actions: {},
  addedLatency: {},
  maskedValues: {},
  eventsLost: 0,
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
    this.#ended = add(this.#ended, { ...last, sessionsOpen: {} })
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
    maskedValues: addNumbers(one.maskedValues, other.maskedValues),
    eventsLost: one.eventsLost + other.eventsLost,
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
    const known = sums.get(key) ?? []
    const length = Math.max(known.length, values.length)
    sums.set(
      key,
      Array.from({ length }, (_, at) => (known[at] ?? 0) + (values[at] ?? 0)),
    )
  }
  return Object.fromEntries(sums)
}
