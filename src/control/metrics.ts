/**
 * IO. The numbers of the gateway in the words of Prometheus. The only door to prom-client.
 *
 * Workers count by themselves; at a scrape each is asked by the broadcast `metrics`, and who does not answer in time is
 * counted with what it said last. No label holds anything that a client chose.
 */
import type { BroadcastChannel } from 'node:worker_threads'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ShipMetrics } from '../record/ship-messages.ts'
import {
  type Broadcast,
  LAG_BUCKETS_US,
  LATENCY_BUCKETS_US,
  UPSTREAM_BUCKETS_US,
  type WorkerMetrics,
} from '../threads/messages.ts'
import { Totals } from './totals.ts'

const ANSWER_MS_MAX = 500

/** Of this process; observers cost something, so they are set up once. */
const own = new Registry()
collectDefaultMetrics({ register: own })

export const METRICS_TYPE = own.contentType

export interface HouseNumbers {
  readonly policyVersion: number
  readonly reloadRefused: boolean
  /** undefined: ship does not answer. */
  readonly store: ShipMetrics | undefined
}

export class WorkerNumbers {
  readonly #channel: BroadcastChannel
  readonly #totals = new Totals()
  readonly #asked = new Map<number, Question>()
  #lastId = 0

  /** `channel`: the broadcast `sluice`, whose messages its owner passes to `onBroadcast`. */
  constructor(channel: BroadcastChannel) {
    this.#channel = channel
  }

  onBroadcast(message: Broadcast): void {
    if (message.type !== 'metrics-answer') return
    this.#totals.heard(message.thread, message.metrics)
    const question = this.#asked.get(message.id)
    question?.missing.delete(message.thread)
    if (question?.missing.size === 0) question.done()
  }

  gone(thread: number): void {
    this.#totals.gone(thread)
  }

  /** Resolves when all `threads` have answered, or half a second has passed. */
  async ask(threads: readonly number[]): Promise<WorkerMetrics> {
    const id = ++this.#lastId
    if (threads.length > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ANSWER_MS_MAX)
        const done = (): void => {
          clearTimeout(timer)
          resolve()
        }
        this.#asked.set(id, { missing: new Set(threads), done })
        const question: Broadcast = { type: 'metrics', id }
        this.#channel.postMessage(question)
      })
    this.#asked.delete(id)
    return this.#totals.all()
  }
}

interface Question {
  readonly missing: Set<number>
  readonly done: () => void
}

/** The exposition format, own process included. */
export async function exposition(workers: WorkerMetrics, house: HouseNumbers): Promise<string> {
  const registry = new Registry()
  const registers = [registry]
  const sessions = new Gauge({
    name: 'sluice_sessions_open',
    help: 'Sessions that are open.',
    labelNames: ['protocol'],
    registers,
  })
  for (const [protocol, value] of Object.entries(workers.sessionsOpen))
    sessions.set({ protocol }, value)
  number(
    registers,
    'sluice_held_bytes',
    'Memory for what sessions were sent and their other side has not taken.',
    workers.heldBytes,
  )
  const actions = new Counter({
    name: 'sluice_actions_total',
    help: 'Actions by what was decided.',
    labelNames: ['protocol', 'connection', 'verdict'],
    registers,
  })
  for (const [key, value] of Object.entries(workers.actions)) {
    const [protocol = '', connection = '', verdict = ''] = key.split('|')
    actions.inc({ protocol, connection, verdict }, value)
  }
  const masked = new Counter({
    name: 'sluice_masked_values_total',
    help: 'Values that were masked.',
    labelNames: ['detector', 'connection'],
    registers,
  })
  for (const [key, value] of Object.entries(workers.maskedValues)) {
    const [detector = '', connection = ''] = key.split('|')
    masked.inc({ detector, connection }, value)
  }
  const signals = new Counter({
    name: 'sluice_signals_total',
    help: 'What somebody should look at, by name.',
    labelNames: ['signal'],
    registers,
  })
  for (const [signal, value] of Object.entries(workers.signals)) signals.inc({ signal }, value)
  for (const histogram of histograms(workers)) registry.registerMetric(histogram)
  number(
    registers,
    'sluice_policy_version',
    'Version of the policies in force.',
    house.policyVersion,
  )
  number(
    registers,
    'sluice_reload_refused',
    '1 while the last reload was refused.',
    house.reloadRefused ? 1 : 0,
  )
  const lost = workers.eventsLost + (house.store?.eventsLost ?? 0)
  count(registers, 'sluice_events_lost_total', 'Events that were not recorded; must stay 0.', lost)
  if (house.store !== undefined) recordStore(registers, house.store)
  return `${await registry.metrics()}\n${await own.metrics()}`
}

function recordStore(registers: Registry[], store: ShipMetrics): void {
  const { spoolBytes, spoolLagSeconds, eventsShipped } = store
  number(registers, 'sluice_spool_bytes', 'Bytes in the spool.', spoolBytes)
  number(
    registers,
    'sluice_spool_lag_seconds',
    'Age of the oldest segment that is not shipped.',
    spoolLagSeconds,
  )
  count(
    registers,
    'sluice_events_shipped_total',
    'Events acknowledged by ClickHouse.',
    eventsShipped,
  )
  count(
    registers,
    'sluice_segments_bad_total',
    'Spool segments that were set aside as .bad; each wants a person.',
    store.segmentsBad,
  )
  number(
    registers,
    'sluice_store_ok',
    '1 while ClickHouse took what it was given last.',
    store.storeOk ? 1 : 0,
  )
  number(
    registers,
    'sluice_chain_head_seconds',
    'Age of the newest signed head; over 60 nothing is signed any more.',
    store.chainHeadSeconds,
  )
  number(
    registers,
    'sluice_anchors_behind',
    'Signed heads that an anchor has not taken yet.',
    store.anchorsBehind,
  )
}

function histograms(workers: WorkerMetrics): readonly Merged[] {
  const phases = Object.entries(workers.addedLatency).map(([key, numbers]) => {
    const [protocol = '', phase = ''] = key.split('|')
    return { labels: { protocol, phase }, numbers }
  })
  return [
    new Merged(
      {
        name: 'sluice_added_latency_seconds',
        help: 'Time that the gateway added to an action, by phase.',
        labelNames: ['protocol', 'phase'],
      },
      { boundsUs: LATENCY_BUCKETS_US, series: phases },
    ),
    new Merged(
      { name: 'sluice_upstream_seconds', help: 'Time that targets took for an action.' },
      { boundsUs: UPSTREAM_BUCKETS_US, series: [{ labels: {}, numbers: workers.upstream }] },
    ),
    new Merged(
      {
        name: 'sluice_worker_loop_lag_seconds',
        help: 'How late the event loops of the session workers were, sampled.',
      },
      { boundsUs: LAG_BUCKETS_US, series: [{ labels: {}, numbers: workers.loopLag }] },
    ),
  ]
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly numbers: readonly number[]
}

interface Counted {
  readonly boundsUs: readonly number[]
  readonly series: readonly Series[]
}

/** prom-client's histogram observes single values; the workers have counted theirs already. */
class Merged extends Histogram<string> {
  readonly #name: string
  readonly #counted: Counted
  /** Never observes anything: gives the frame that the workers' counts are put into. */
  readonly #frame: Histogram<string>

  constructor(about: { name: string; help: string; labelNames?: string[] }, counted: Counted) {
    super({ ...about, registers: [] })
    this.#frame = new Histogram({ ...about, registers: [] })
    this.#name = about.name
    this.#counted = counted
  }

  /** What the registry asks, before `get`; the package's types do not name it. */
  getForPromString(): ReturnType<Histogram<string>['get']> {
    return this.get()
  }

  override async get(): ReturnType<Histogram<string>['get']> {
    const { boundsUs, series } = this.#counted
    const values = series.flatMap(({ labels, numbers }) => {
      let sum = 0
      const buckets = [...boundsUs.map((us) => us / 1_000_000), '+Inf' as const].map((le, at) => {
        sum += numbers[at] ?? 0
        return this.#value('bucket', { le, ...labels }, sum)
      })
      const seconds = (numbers[boundsUs.length + 1] ?? 0) / 1_000_000
      return [...buckets, this.#value('sum', labels, seconds), this.#value('count', labels, sum)]
    })
    return { ...(await this.#frame.get()), values }
  }

  #value<Labels>(part: string, labels: Labels, amount: number) {
    return { metricName: `${this.#name}_${part}`, exemplar: null, labels, value: amount }
  }
}

function number(registers: Registry[], name: string, help: string, value: number): void {
  new Gauge({ name, help, registers }).set(value)
}

function count(registers: Registry[], name: string, help: string, value: number): void {
  new Counter({ name, help, registers }).inc(value)
}
