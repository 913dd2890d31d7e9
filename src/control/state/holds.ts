/**
 * IO. Legal holds in the state database, which is where they are kept. The record store has a copy of each, for other gateways
 * (record/holds.ts).
 */
import { SCOPES, type Scope } from '../../record/retention.ts'
import type { Row, State } from './state.ts'

export interface Hold extends Scope {
  readonly id: string
  readonly reason: string
  readonly addedBy: string
  /** Microseconds. */
  readonly addedAt: number
  readonly removedBy: string | undefined
  readonly removedAt: number | undefined
}

const COLUMNS = 'id, kind, name, reason, added_by, added_at, removed_by, removed_at'

export class Holds {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  /** Those that hold, oldest first. */
  async list(): Promise<readonly Hold[]> {
    return this.#select('where removed_at is null order by id')
  }

  async insert({ id, kind, name, reason, addedBy, addedAt }: Hold): Promise<void> {
    await this.#state.query(
      'insert into holds (id, kind, name, reason, added_by, added_at) values ($1, $2, $3, $4, $5, $6)',
      [id, kind, name, reason, addedBy, addedAt],
    )
  }

  async find(id: string): Promise<Hold | undefined> {
    return (await this.#select('where id = $1 and removed_at is null', [id]))[0]
  }

  async remove(id: string, { by, at }: { by: string; at: number }): Promise<void> {
    await this.#state.query(
      'update holds set removed_by = $2, removed_at = $3, is_stored = false where id = $1 and removed_at is null',
      [id, by, at],
    )
  }

  /** Whose last change the record store may not have. */
  async notStored(): Promise<readonly Hold[]> {
    return this.#select('where not is_stored order by id')
  }

  async stored(id: string): Promise<void> {
    await this.#state.query('update holds set is_stored = true where id = $1', [id])
  }

  async #select(where: string, values: readonly unknown[] = []): Promise<readonly Hold[]> {
    return (await this.#state.query(`select ${COLUMNS} from holds ${where}`, values)).map(read)
  }
}

function read(row: Row): Hold {
  const kind = SCOPES.find((one) => one === row.kind)
  // Whoever reads less than there is would let go of what is held.
  if (kind === undefined) throw new Error('the state database has a hold of an unknown kind')
  return {
    id: String(row.id),
    kind,
    name: String(row.name),
    reason: String(row.reason),
    addedBy: String(row.added_by),
    addedAt: Number(row.added_at),
    removedBy: row.removed_by === null ? undefined : String(row.removed_by),
    removedAt: row.removed_at === null ? undefined : Number(row.removed_at),
  }
}
