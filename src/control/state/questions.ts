/** IO. Saved questions in the state database. */
import type { Row, State } from './state.ts'

export interface SavedQuestion {
  readonly name: string
  readonly asks: string
  readonly sql: string
  readonly savedBy: string
  readonly savedAt: Date
}

/** More would be no list that a person reads. */
const COUNT_MAX = 1000
const COLUMNS = 'name, asks, sql, saved_by, saved_at'

export class Questions {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  /** By name. */
  async list(): Promise<readonly SavedQuestion[]> {
    return (await this.#state.query(`select ${COLUMNS} from questions order by name`, [])).map(read)
  }

  async find(name: string): Promise<SavedQuestion | undefined> {
    const rows = await this.#state.query(`select ${COLUMNS} from questions where name = $1`, [name])
    return rows[0] === undefined ? undefined : read(rows[0])
  }

  /** In place of one of that name. False: there are too many. */
  async save({ name, asks, sql, savedBy, savedAt }: SavedQuestion): Promise<boolean> {
    const [row] = await this.#state.query(
      'select count(*) as others from questions where name <> $1',
      [name],
    )
    if (Number(row?.others ?? 0) >= COUNT_MAX) return false
    await this.#state.query(
      `insert into questions (${COLUMNS}) values ($1, $2, $3, $4, $5)
       on conflict (name) do update set asks = $2, sql = $3, saved_by = $4, saved_at = $5`,
      [name, asks, sql, savedBy, savedAt],
    )
    return true
  }

  /** False: there was none. */
  async remove(name: string): Promise<boolean> {
    const rows = await this.#state.query('delete from questions where name = $1 returning name', [
      name,
    ])
    return rows.length > 0
  }
}

function read(row: Row): SavedQuestion {
  const { name, asks, sql, saved_by, saved_at } = row
  return {
    name: String(name),
    asks: String(asks),
    sql: String(sql),
    savedBy: String(saved_by),
    savedAt: new Date(String(saved_at)),
  }
}
