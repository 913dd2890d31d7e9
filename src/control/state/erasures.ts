/** IO. Erasures in the state database: what was asked, by whom, and whether it is done. */
import { SCOPES, type Scope } from '../../record/retention.ts'
import type { Row, State } from './state.ts'

export interface ErasureRecord extends Scope {
  readonly id: string
  readonly reason: string
  readonly askedBy: string
  /** Microseconds. */
  readonly askedAt: number
  readonly chains: Readonly<Record<string, number>>
  readonly sessions: number
  readonly doneAt: number | undefined
}

const COLUMNS = 'id, kind, name, reason, asked_by, asked_at, chains, sessions, done_at'
const LISTED_MAX = 1000

export class Erasures {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  async insert(one: ErasureRecord): Promise<void> {
    const { id, kind, name, reason, askedBy, askedAt, chains, sessions } = one
    await this.#state.query(
      `insert into erasures (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, null)`,
      [id, kind, name, reason, askedBy, askedAt, JSON.stringify(chains), sessions],
    )
  }

  async done(id: string, at: number): Promise<void> {
    await this.#state.query('update erasures set done_at = $2 where id = $1', [id, at])
  }

  /** Newest first. */
  async list(): Promise<readonly ErasureRecord[]> {
    return this.#select(`order by id desc limit ${LISTED_MAX}`)
  }

  async open(): Promise<readonly ErasureRecord[]> {
    return this.#select('where done_at is null order by id')
  }

  async #select(where: string): Promise<readonly ErasureRecord[]> {
    return (await this.#state.query(`select ${COLUMNS} from erasures ${where}`, [])).map(read)
  }
}

function read(row: Row): ErasureRecord {
  return {
    id: String(row.id),
    kind: SCOPES.find((one) => one === row.kind) ?? 'session',
    name: String(row.name),
    reason: String(row.reason),
    askedBy: String(row.asked_by),
    askedAt: Number(row.asked_at),
    chains: JSON.parse(String(row.chains)),
    sessions: Number(row.sessions),
    doneAt: row.done_at === null ? undefined : Number(row.done_at),
  }
}
