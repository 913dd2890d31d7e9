/**
 * IO. Gateway tokens in the state database: make, find, list, revoke.
 *
 * Found rows are kept in memory (hashes, never secrets), so that a login costs one SHA-256 and no query. This process is
 * the only writer of an embedded state, and every change goes through here and drops the row.
 */
import type { TokenRecord } from '../../identify/token.ts'
import type { Row, State } from './state.ts'

const KEPT_MAX = 10_000
const COLUMNS =
  'id, secret_hash, subject, kind, groups, roles, connections, owner, job, run, agent, from_block, expires_at, issued_by, created_at, revoked_at'

export interface TokenPage {
  readonly tokens: readonly TokenRecord[]
  /** The id to continue after; undefined on the last page. */
  readonly next: string | undefined
}

export class Tokens {
  readonly #state: State
  readonly #kept = new Map<string, TokenRecord>()
  #changes = 0

  constructor(state: State) {
    this.#state = state
  }

  async insert(token: TokenRecord): Promise<void> {
    const marks = COLUMNS.split(', ').map((_, at) => `$${at + 1}`)
    await this.#state.query(`insert into tokens (${COLUMNS}) values (${marks.join(', ')})`, [
      token.id,
      token.secretHash,
      token.subject,
      token.kind,
      token.groups,
      token.roles ?? null,
      token.connections ?? null,
      token.owner,
      token.job,
      token.run,
      token.agent,
      token.from ?? null,
      new Date(token.expiresAt),
      token.issuedBy,
      new Date(token.createdAt),
      token.revokedAt === undefined ? null : new Date(token.revokedAt),
    ])
  }

  /** Revoked and expired ones are found too: the caller judges. */
  async find(id: string): Promise<TokenRecord | undefined> {
    const kept = this.#kept.get(id)
    if (kept !== undefined) return kept
    const before = this.#changes
    const rows = await this.#state.query(`select ${COLUMNS} from tokens where id = $1`, [id])
    const token = rows[0] === undefined ? undefined : toRecord(rows[0])
    // A row read while another call revoked it must not be kept.
    if (token !== undefined && before === this.#changes) this.#keep(token)
    return token
  }

  /** Newest first. Ids sort by time of making. */
  async list(page: { after: string | undefined; limit: number }): Promise<TokenPage> {
    const rows = await this.#state.query(
      `select ${COLUMNS} from tokens where ($1::text is null or id < $1) order by id desc limit $2`,
      [page.after ?? null, page.limit + 1],
    )
    const tokens = rows.filter((_, at) => at < page.limit).map(toRecord)
    return { tokens, next: rows.length > page.limit ? tokens.at(-1)?.id : undefined }
  }

  /** False: there is no such token. Revoking twice keeps the first moment. */
  async revoke(id: string, nowMs: number): Promise<boolean> {
    this.#changes += 1
    try {
      const rows = await this.#state.query(
        'update tokens set revoked_at = coalesce(revoked_at, $2) where id = $1 returning id',
        [id, new Date(nowMs)],
      )
      return rows.length > 0
    } finally {
      // Also where it failed: it may have been done all the same.
      this.#changes += 1
      this.#kept.delete(id)
    }
  }

  #keep(token: TokenRecord): void {
    if (this.#kept.size >= KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(token.id, token)
  }
}

function toRecord(row: Row): TokenRecord {
  return {
    id: text(row.id),
    secretHash: row.secret_hash instanceof Uint8Array ? row.secret_hash : new Uint8Array(32),
    subject: text(row.subject),
    kind: row.kind === 'human' ? 'human' : 'workload',
    groups: texts(row.groups) ?? [],
    roles: texts(row.roles),
    connections: texts(row.connections),
    owner: text(row.owner),
    job: text(row.job),
    run: text(row.run),
    agent: text(row.agent),
    from: row.from_block === null ? undefined : text(row.from_block),
    expiresAt: moment(row.expires_at) ?? 0,
    issuedBy: text(row.issued_by),
    createdAt: moment(row.created_at) ?? 0,
    revokedAt: moment(row.revoked_at),
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined
}

function moment(value: unknown): number | undefined {
  return value instanceof Date ? value.getTime() : undefined
}
