/**
 * IO (message ports). The record as the control thread reads it: questions go to the ship thread,
 * which owns the store.
 *
 * `query` is for texts of ours. A text that came from outside goes through `audit` and nowhere
 * else.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Parameters, Row, Settings } from '../record/clickhouse.ts'
import type { ErasureFound, ErasureRequest } from '../record/erasure.ts'
import type { EvidenceCursor, EvidencePage, EvidenceScope } from '../record/evidence-page.ts'
import type { HoldChange } from '../record/holds.ts'
import type { SignedHead } from '../record/proof.ts'
import type {
  SeenHead,
  ShipAnswer,
  ShipMetrics,
  ShipRequest,
  ShipShare,
} from '../record/ship-messages.ts'
import type { SweepRequest, Swept } from '../record/sweep.ts'
import {
  AUDIT_ROWS_MAX,
  AUDIT_SETTINGS,
  AUDIT_TEXT_MAX,
  type AuditStatement,
  auditStatement,
  judge,
  TABLES_QUESTION,
} from './audit.ts'
import {
  type EventRow,
  type EventsPage,
  type Question,
  type SessionRow,
  type SessionsFilter,
  sessionEvents,
  sessionShow,
  sessionsList,
} from './read.ts'
import { Reading } from './reading.ts'
import { type Position, seqAt } from './recorded.ts'
import {
  type FoundRow,
  type SearchCursor,
  type SearchFilter,
  searchOutcomes,
  searchPage,
  searchSpans,
} from './search.ts'

export type AuditResult =
  /** `cut`: there were more rows than may be returned. */
  | { readonly type: 'rows'; readonly rows: readonly Row[]; readonly cut: boolean }
  /** The query is at fault; `say` is for whoever asked. */
  | { readonly type: 'refused'; readonly say: string }

export interface SearchResult {
  readonly rows: readonly Row[]
  /** undefined on the last page. */
  readonly next: SearchCursor | undefined
}

/** The store answered, and refused. */
class StoreRefusal extends Error {
  readonly exception: number
  constructor(message: string, exception: number) {
    super(message)
    this.exception = exception
  }
}

type Waiting = { resolve(answer: ShipAnswer): void; reject(error: Error): void }

/** `Omit` that keeps a union a union. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

/** Most rows of one page. */
export const SEARCH_ROWS_MAX = 1000
/** Clocks of gateways with one store may be apart. */
const AHEAD_US = 300_000_000
/** Longest wait for an answer: the engine may have to be started first. */
const ANSWER_MS_MAX = 60_000
/** Rows of years may have to be written anew. */
const WORK_MS_MAX = 1_800_000
const READ_SETTINGS: Settings = {
  readonly: 1,
  max_execution_time: 30,
  optimize_aggregation_in_order: 1,
  asterisk_include_alias_columns: 1,
}

export class Store {
  readonly #port: MessagePort
  readonly #database: string
  readonly #waiting = new Map<number, Waiting>()
  #id = 0
  #closed = false

  /** `port`: the other end is attached to the ship thread. */
  constructor(port: MessagePort, database = 'sluice') {
    this.#port = port
    this.#database = database
    port.on('message', (answer: ShipAnswer) => {
      this.#waiting.get(answer.id)?.resolve(answer)
      this.#waiting.delete(answer.id)
    })
    port.on('close', () => {
      this.#closed = true
      for (const { reject } of this.#waiting.values()) reject(unavailable('the ship thread ended'))
      this.#waiting.clear()
    })
  }

  /** Rows of a query of ours, read-only. Rejects with GatewayError GW_UNAVAILABLE. */
  async query(sql: string, params: Parameters = {}): Promise<readonly Row[]> {
    try {
      return await this.#rows({ sql, params, settings: READ_SETTINGS })
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      throw new GatewayError('GW_UNAVAILABLE', 'the record store refused a query', { cause })
    }
  }

  /**
   * Runs a text that came from outside, sandboxed. Rejects only where the store does not answer.
   */
  async audit(sql: string, rowsMax = AUDIT_ROWS_MAX): Promise<AuditResult> {
    try {
      return await this.#audit(sql, Math.min(Math.max(1, rowsMax), AUDIT_ROWS_MAX))
    } catch (error) {
      if (error instanceof StoreRefusal) return { type: 'refused', say: error.message }
      throw error
    }
  }

  async sessions(filter: SessionsFilter = {}): Promise<readonly SessionRow[]> {
    return this.#ask<SessionRow>(sessionsList(filter, this.#database))
  }

  async session(id: string): Promise<SessionRow | undefined> {
    return (await this.#ask<SessionRow>(sessionShow(id, this.#database)))[0]
  }

  /** Of one session, row by row. `payloads: false`: what targets answered is not even read. */
  reading(
    session: string,
    { from, payloads }: { readonly from: Position; readonly payloads: boolean },
  ): Reading {
    const ask = (question: Question) => this.query(question.sql, question.params)
    return new Reading({ session, ask, from, payloads, database: this.#database })
  }

  /** The last event of a session before so many microseconds of it had passed; 0: there was none. */
  async seqAt(session: string, us: number): Promise<number> {
    const [found] = await this.#ask<{ readonly seq: number }>(seqAt(session, us, this.#database))
    return found?.seq ?? 0
  }

  async events(sessionId: string, page: EventsPage = {}): Promise<readonly EventRow[]> {
    return this.#ask<EventRow>(sessionEvents(sessionId, page, this.#database))
  }

  async metrics(): Promise<ShipMetrics> {
    const answer = await this.#send({ type: 'metrics' })
    if (answer.type !== 'metrics') throw unavailable('the ship thread gave no metrics')
    return answer.metrics
  }

  /** A page of evidence; lines of JSON for `verifier.mjs`. */
  async evidence(from: EvidenceScope | EvidenceCursor): Promise<EvidencePage> {
    const answer = await this.#send({ type: 'evidence', from })
    if (answer.type === 'evidence') return answer.page
    throw unavailable(
      answer.type === 'failed' ? answer.message : 'the ship thread gave no evidence',
    )
  }

  /** Heads of the gateway's chain that were signed after the one that was seen. */
  async heads(seen: SeenHead | undefined): Promise<readonly SignedHead[]> {
    const answer = await this.#send({ type: 'heads', seen })
    if (answer.type === 'heads') return answer.heads
    throw unavailable('the ship thread gave no heads')
  }

  /** A port of its own, for another thread that asks the same store. */
  share(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const share: ShipShare = { type: 'share', port: port2 }
    this.#port.postMessage(share, [port2])
    return port1
  }

  /** What is past retention: how much there is (`isLook`), or how much was deleted. */
  async sweep(request: SweepRequest, isLook: boolean): Promise<Swept> {
    const answer = await this.#send({ type: 'sweep', request, isLook }, WORK_MS_MAX)
    if (answer.type === 'swept') return answer.swept
    throw unavailable(answer.type === 'failed' ? answer.message : 'nothing was swept')
  }

  /** What an erasure would erase, once all that was recorded by now is in the store and signed. */
  async erasure(request: ErasureRequest): Promise<{ found: ErasureFound; aside: number }> {
    const answer = await this.#send({ type: 'erasure', request }, WORK_MS_MAX)
    if (answer.type === 'erasure') return answer
    throw unavailable(answer.type === 'failed' ? answer.message : 'nothing was looked at')
  }

  /** Returns the number of sessions. */
  async erase(request: ErasureRequest, chains: Readonly<Record<string, number>>): Promise<number> {
    const answer = await this.#send({ type: 'erase', request, chains }, WORK_MS_MAX)
    if (answer.type === 'erased') return answer.sessions
    throw unavailable(answer.type === 'failed' ? answer.message : 'nothing was erased')
  }

  /** Makes a hold known to all gateways on the store. */
  async hold(change: Omit<HoldChange, 'gateway'>): Promise<void> {
    const answer = await this.#send({ type: 'hold', change })
    if (answer.type !== 'held')
      throw unavailable(answer.type === 'failed' ? answer.message : 'the hold was not taken')
  }

  close(): void {
    this.#port.close()
  }

  /** One page, newest first. Rejects only where the store does not answer. */
  async search(
    filter: SearchFilter,
    page: { readonly after: SearchCursor | undefined; readonly limit: number },
  ): Promise<SearchResult> {
    const { after } = page
    const limit = Math.min(Math.max(1, Math.floor(page.limit)), SEARCH_ROWS_MAX)
    const now = clock.microseconds() + AHEAD_US
    const until = Math.min(filter.untilUs ?? now, (after?.us ?? now) + 1)
    const found: (Row & FoundRow)[] = []
    // One more than asked for says whether there is another page.
    for (const span of searchSpans(filter, until)) {
      const wanted = { span, after, limit: limit + 1 - found.length }
      found.push(...(await this.#ask<Row & FoundRow>(searchPage(filter, wanted, this.#database))))
      if (found.length > limit) break
    }
    const rows = found.filter((_, at) => at < limit)
    const last = found.length > limit ? rows.at(-1) : undefined
    return {
      rows: await this.#withOutcomes(rows),
      next:
        last === undefined ? undefined : { us: last.us, session: last.session_id, seq: last.seq },
    }
  }

  /** What would keep a text from being run by `audit`; undefined: nothing that can be seen before. */
  async check(sql: string): Promise<string | undefined> {
    try {
      const judged = await this.#judged(sql)
      return 'say' in judged ? judged.say : undefined
    } catch (error) {
      if (error instanceof StoreRefusal) return error.message
      throw error
    }
  }

  async #withOutcomes(rows: readonly (Row & FoundRow)[]): Promise<readonly Row[]> {
    if (rows.length === 0) return []
    const { sql, params } = searchOutcomes(rows, this.#database)
    const outcomes = new Map(
      (await this.query(sql, params)).map((row) => [`${row.session_id} ${row.seq}`, row]),
    )
    return rows.map(({ us: _us, ...row }) => {
      const outcome = outcomes.get(`${row.session_id} ${row.seq}`)
      return { ...row, ...(outcome ?? { status: 'unknown' }) }
    })
  }

  async #audit(text: string, rowsMax: number): Promise<AuditResult> {
    const judged = await this.#judged(text, rowsMax + 1)
    if ('say' in judged) return { type: 'refused', say: judged.say }
    const rows = await this.#rows({ sql: judged.sql, params: {}, settings: AUDIT_SETTINGS })
    const cut = rows.length > rowsMax
    return { type: 'rows', rows: cut ? rows.slice(0, rowsMax) : rows, cut }
  }

  /** What runs for the text, or why it may not. */
  async #judged(text: string, rowsMax = AUDIT_ROWS_MAX): Promise<AuditStatement> {
    if (text.length > AUDIT_TEXT_MAX) return { say: 'The query is too long.' }
    if (text.includes('\0')) return { say: 'The query holds a zero byte.' }
    const settings = AUDIT_SETTINGS
    const [first] = await this.#rows({
      sql: 'SELECT formatQuerySingleLine({text:String}) AS formatted',
      params: { text },
      settings,
    })
    const formatted = String(first?.formatted ?? '')
    const ast = await this.#explain(`EXPLAIN AST ${formatted}`)
    const judged = judge(ast, formatted, this.#database)
    if (typeof judged === 'string') return { say: judged }
    const { names } = judged
    const params = { database: this.#database, names }
    const tables =
      names.length === 0 ? [] : await this.#rows({ sql: TABLES_QUESTION, params, settings })
    return auditStatement(judged, new Set(tables.map(({ name }) => String(name))), rowsMax)
  }

  async #ask<T>({ sql, params }: Question): Promise<readonly T[]> {
    return (await this.query(sql, params)) as unknown as readonly T[]
  }

  async #rows(query: {
    sql: string
    params: Parameters
    settings: Settings
  }): Promise<readonly Row[]> {
    const answer = await this.#send({ type: 'query', ...query })
    switch (answer.type) {
      case 'rows':
        return answer.rows
      case 'failed':
        if (answer.exception === undefined) throw unavailable(answer.message)
        throw new StoreRefusal(answer.message, answer.exception)
      default:
        throw unavailable('the ship thread gave another answer')
    }
  }

  async #explain(sql: string): Promise<string> {
    const answer = await this.#send({ type: 'explain', sql, settings: AUDIT_SETTINGS })
    if (answer.type === 'text') return answer.text
    if (answer.type !== 'failed') throw unavailable('the ship thread gave another answer')
    if (answer.exception === undefined) throw unavailable(answer.message)
    throw new StoreRefusal(answer.message, answer.exception)
  }

  #send(request: WithoutId<ShipRequest>, msMax = ANSWER_MS_MAX): Promise<ShipAnswer> {
    if (this.#closed) return Promise.reject(unavailable('the ship thread ended'))
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(unavailable('the record store does not answer'))
      }, msMax)
      this.#waiting.set(id, {
        resolve(answer) {
          clearTimeout(timer)
          resolve(answer)
        },
        reject(error) {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#port.postMessage({ ...request, id })
    })
  }
}

function unavailable(message: string): GatewayError {
  return new GatewayError('GW_UNAVAILABLE', message, {
    say: /npm package/.test(message) ? message : 'The record store does not answer.',
  })
}
