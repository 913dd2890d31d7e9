/** IO. What the API reads of the records: sessions, an auditor's query, and the numbers of shipping. */
import { GatewayError } from '../base/errors.ts'
import type { Query, Row } from '../record/clickhouse.ts'
import type { ShipMetrics } from '../record/ship-messages.ts'

/** Implemented by `StorePort`. */
export interface Asked {
  query(query: Query): Promise<readonly Row[]>
  numbers(): Promise<ShipMetrics>
}

export interface StorePage {
  readonly rows: readonly Row[]
  /** More rows were there than asked for. */
  readonly cut: boolean
}

/** The caller's own fault, so the caller may read it. */
export interface QueryProblem {
  readonly problem: string
}

/** Every method rejects with GW_UNAVAILABLE when records cannot be read now. */
export class Store {
  readonly #asked: Asked
  readonly #sessions: string

  constructor(asked: Asked, database: string) {
    this.#asked = asked
    // The name of the database comes from the configuration and is a name there already.
    this.#sessions = `\`${database.replaceAll('`', '')}\`.sessions`
  }

  /** Newest first; `before` is the id of the last session of an earlier page: ids sort by time. */
  async sessions(page: { before: string | undefined; limit: number }): Promise<StorePage> {
    const rows = await this.#asked.query({
      // An API call is recorded too, but is no session of a client.
      sql: `SELECT * FROM ${this.#sessions} WHERE protocol != 'control' AND ({before:String} = '' OR session_id < {before:String}) ORDER BY session_id DESC LIMIT {limit:UInt32}`,
      params: { before: page.before ?? '', limit: page.limit + 1 },
    })
    return { rows: rows.filter((_, at) => at < page.limit), cut: rows.length > page.limit }
  }

  async session(id: string): Promise<Row | undefined> {
    const rows = await this.#asked.query({
      sql: `SELECT * FROM ${this.#sessions} WHERE session_id = {id:String}`,
      params: { id },
    })
    return rows[0]
  }

  /** Hostile text: refused until something that sandboxes it is there. */
  async audit(_sql: string, _rowsMax: number): Promise<StorePage | QueryProblem> {
    throw new GatewayError('GW_UNAVAILABLE', 'audit queries are not served yet')
  }

  numbers(): Promise<ShipMetrics> {
    return this.#asked.numbers()
  }
}
