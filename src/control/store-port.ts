/**
 * IO. The records, read over the port of the ship thread. Our own statements are fixed texts with parameters; SQL of
 * auditors goes through replay/audit.ts first and never here as it came.
 */
import type { MessagePort } from 'node:worker_threads'
import { GatewayError } from '../base/errors.ts'
import type { Query, Row } from '../record/clickhouse.ts'
import type { ShipAnswer, ShipMetrics, ShipRequest } from '../record/ship-messages.ts'

/** The embedded engine may have to be started first. */
const WAIT_MS_MAX = 60_000

/** What the store answered with an exception of its own; `message` may be read by whoever wrote the query. */
export class QueryFailed extends Error {
  override readonly name = 'QueryFailed'
}

interface Waiting {
  readonly resolve: (answer: ShipAnswer) => void
  readonly reject: (error: GatewayError) => void
  readonly timer: NodeJS.Timeout
}

export class StorePort {
  readonly #port: MessagePort
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #isOpen = true

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (answer: ShipAnswer) => this.#take(answer.id)?.resolve(answer))
    port.on('close', () => {
      this.#isOpen = false
      for (const id of [...this.#waiting.keys()])
        this.#take(id)?.reject(new GatewayError('GW_UNAVAILABLE', 'the ship thread is gone'))
    })
  }

  /** Rejects with `QueryFailed` where the store refuses the query, with GW_UNAVAILABLE where it does not answer. */
  async query(query: Query): Promise<readonly Row[]> {
    const answer = await this.#ask((id) => ({
      type: 'query',
      id,
      sql: query.sql,
      params: query.params ?? {},
      settings: query.settings ?? {},
    }))
    if (answer.type === 'rows') return answer.rows
    throw failure(answer)
  }

  async numbers(): Promise<ShipMetrics> {
    const answer = await this.#ask((id) => ({ type: 'metrics', id }))
    if (answer.type === 'metrics') return answer.metrics
    throw failure(answer)
  }

  close(): void {
    this.#port.close()
  }

  #ask(make: (id: number) => ShipRequest): Promise<ShipAnswer> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new GatewayError('GW_UNAVAILABLE', 'the ship thread is gone'))
        return
      }
      const id = ++this.#lastId
      const late = new GatewayError('GW_UNAVAILABLE', 'the ship thread does not answer')
      const timer = setTimeout(() => this.#take(id)?.reject(late), WAIT_MS_MAX)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#port.postMessage(make(id))
    })
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    clearTimeout(waiting?.timer)
    return waiting
  }
}

function failure(answer: ShipAnswer): Error {
  if (answer.type === 'failed' && answer.exception !== undefined)
    return new QueryFailed(answer.message)
  const message = answer.type === 'failed' ? answer.message : `answer ${answer.type}`
  return new GatewayError('GW_UNAVAILABLE', `the record store: ${message}`)
}
