/** Pure. Metrics of one worker: plain numbers that cost an addition, worded for Prometheus by the control thread. */
import type { Counters, LiveSession } from '../protocols/protocol.ts'
import { Histogram } from './histogram.ts'
import {
  LAG_BUCKETS_US,
  LATENCY_BUCKETS_US,
  UPSTREAM_BUCKETS_US,
  type WorkerMetrics,
} from './messages.ts'

type Phase = Parameters<Counters['latency']>[0]

export class Counts implements Counters {
  readonly #sessions = new Map<string, number>()
  /** By connection, then by verdict; a cell is raised in place, which is half as dear as setting it anew. */
  readonly #actions = new Map<string, Map<string, { count: number }>>()
  // All phases are there from the beginning: a rate begins at nought, not at the second observation.
  readonly #latency: Readonly<Record<Phase, Histogram>> = {
    parse: new Histogram(LATENCY_BUCKETS_US),
    decide: new Histogram(LATENCY_BUCKETS_US),
    mask: new Histogram(LATENCY_BUCKETS_US),
    record: new Histogram(LATENCY_BUCKETS_US),
    total: new Histogram(LATENCY_BUCKETS_US),
  }
  readonly #upstream = new Histogram(UPSTREAM_BUCKETS_US)
  readonly #loopLag = new Histogram(LAG_BUCKETS_US)
  readonly #masked = new Map<string, number>()
  readonly #signals = new Map<string, number>()

  opened(protocol: string): void {
    this.#sessions.set(protocol, (this.#sessions.get(protocol) ?? 0) + 1)
  }

  closed(protocol: string): void {
    this.#sessions.set(protocol, (this.#sessions.get(protocol) ?? 1) - 1)
  }

  action(connection: string, verdict: string): void {
    const cell = this.#actions.get(connection)?.get(verdict)
    if (cell === undefined) this.#firstOf(connection, verdict)
    else cell.count += 1
  }

  #firstOf(connection: string, verdict: string): void {
    const verdicts = this.#actions.get(connection) ?? new Map<string, { count: number }>()
    if (verdicts.size === 0) this.#actions.set(connection, verdicts)
    verdicts.set(verdict, { count: 1 })
  }

  latency(phase: Phase, us: number): void {
    this.#latency[phase].observe(us)
  }

  upstream(us: number): void {
    this.#upstream.observe(us)
  }

  /** By how much this thread's event loop was late. */
  late(us: number): void {
    this.#loopLag.observe(us)
  }

  masked(name: string, connection: string, count: number): void {
    const key = `${name}|${connection}`
    this.#masked.set(key, (this.#masked.get(key) ?? 0) + count)
  }

  signal(name: string): void {
    this.#signals.set(name, (this.#signals.get(name) ?? 0) + 1)
  }

  /** `open`: the sessions that are open now. */
  metrics(open: Iterable<Pick<LiveSession, 'heldBytes'>>): WorkerMetrics {
    let heldBytes = 0
    for (const live of open) heldBytes += live.heldBytes()
    const actions: Record<string, number> = {}
    for (const [connection, verdicts] of this.#actions) {
      for (const [verdict, { count }] of verdicts) {
        actions[`postgres|${connection}|${verdict}`] = count
      }
    }
    const addedLatency: Record<string, readonly number[]> = {}
    for (const [phase, histogram] of Object.entries(this.#latency)) {
      addedLatency[`postgres|${phase}`] = histogram.numbers()
    }
    return {
      sessionsOpen: Object.fromEntries(this.#sessions),
      actions,
      addedLatency,
      upstream: this.#upstream.numbers(),
      loopLag: this.#loopLag.numbers(),
      maskedValues: Object.fromEntries(this.#masked),
      signals: Object.fromEntries(this.#signals),
      eventsLost: 0,
      heldBytes,
    }
  }
}
