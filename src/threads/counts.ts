/** Pure. Metrics of one worker: plain numbers that cost an addition, worded for Prometheus by the control thread. */
import type { Counters } from '../protocols/protocol.ts'
import { LATENCY_BUCKETS_US, type WorkerMetrics } from './messages.ts'

type Phase = Parameters<Counters['latency']>[0]

export class Counts implements Counters {
  readonly #sessions = new Map<string, number>()
  readonly #actions = new Map<string, Map<string, number>>()
  readonly #latency = new Map<Phase, number[]>()
  readonly #masked = new Map<string, number>()

  opened(protocol: string): void {
    this.#sessions.set(protocol, (this.#sessions.get(protocol) ?? 0) + 1)
  }

  closed(protocol: string): void {
    this.#sessions.set(protocol, (this.#sessions.get(protocol) ?? 1) - 1)
  }

  action(connection: string, verdict: string): void {
    const verdicts = this.#actions.get(connection) ?? new Map<string, number>()
    if (verdicts.size === 0) this.#actions.set(connection, verdicts)
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  }

  latency(phase: Phase, us: number): void {
    let counts = this.#latency.get(phase)
    if (counts === undefined) {
      counts = new Array<number>(LATENCY_BUCKETS_US.length + 2).fill(0)
      this.#latency.set(phase, counts)
    }
    let bucket = 0
    while (bucket < LATENCY_BUCKETS_US.length && us > LATENCY_BUCKETS_US[bucket]!) bucket += 1
    counts[bucket] = counts[bucket]! + 1
    counts[LATENCY_BUCKETS_US.length + 1] = counts[LATENCY_BUCKETS_US.length + 1]! + us
  }

  masked(name: string, connection: string, count: number): void {
    const key = `${name}|${connection}`
    this.#masked.set(key, (this.#masked.get(key) ?? 0) + count)
  }

  metrics(): WorkerMetrics {
    const actions: Record<string, number> = {}
    for (const [connection, verdicts] of this.#actions) {
      for (const [verdict, count] of verdicts) actions[`postgres|${connection}|${verdict}`] = count
    }
    const addedLatency: Record<string, readonly number[]> = {}
    for (const [phase, counts] of this.#latency) addedLatency[`postgres|${phase}`] = [...counts]
    return {
      sessionsOpen: Object.fromEntries(this.#sessions),
      actions,
      addedLatency,
      maskedValues: Object.fromEntries(this.#masked),
      eventsLost: 0,
    }
  }
}
