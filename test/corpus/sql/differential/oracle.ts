/**
 * IO. Asks a real PostgreSQL what a statement does: runs it in a transaction, with all that could change looked at
 * before and after, and again in one that is READ ONLY. Both are rolled back.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

/** As oracle.state() answers. Tables by OID: name, rows. */
export interface State {
  readonly tables: Readonly<Record<string, readonly [string, readonly Row[] | null]>>
  readonly sequences: Readonly<Record<string, unknown>>
  readonly objects: unknown
  readonly owners: unknown
  readonly settings: Readonly<Record<string, string>>
  readonly locks: number
  readonly ddl: readonly Ddl[] | null
  readonly locked: readonly string[] | null
  readonly catalogue: string
}

export type Row = Readonly<Record<string, unknown>>

export interface Ddl {
  readonly tag: string
  readonly kind: string
  readonly schema: string | null
  /** NULL where what is meant has none, such as the grants of a GRANT. */
  readonly name: string | null
  readonly event: 'ddl_command_end' | 'sql_drop' | 'table_rewrite'
}

export interface Seen {
  /** The server ran it without an error. */
  readonly accepted: boolean
  readonly error: { readonly code: string; readonly message: string } | undefined
  /** First word of its command tag. */
  readonly command: string | undefined
  readonly hasFields: boolean
  readonly before: State
  readonly after: State
  /** In a READ ONLY transaction it is refused with 25006. */
  readonly refusedReadOnly: boolean
}

interface Outcome {
  readonly error: Seen['error']
  readonly command: string | undefined
  readonly hasFields: boolean
}

const HERE = import.meta.dirname

/** What a database is made of before statements are tried on it. */
export function schemaText(): string {
  const read = (name: string) => readFileSync(join(HERE, name), 'utf8')
  return `${read('schema.sql')}\n${read('oracle.sql')}`
}

export class Oracle {
  readonly #client: pg.Client
  /** As it is at the beginning of every program; read again where a program has moved a sequence. */
  #fresh: State | undefined

  constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(url: string): Promise<Oracle> {
    const settings = '-c statement_timeout=10s -c lock_timeout=5s'
    const client = new pg.Client({ connectionString: url, options: settings })
    client.on('error', () => {})
    await client.connect()
    return new Oracle(client)
  }

  end(): Promise<void> {
    return this.#client.end()
  }

  async ask(text: string): Promise<string> {
    const { rows } = await this.#client.query<[string]>({ text, rowMode: 'array' })
    return rows[0]![0]
  }

  /** Calls `look` after each step, in the transaction of all steps; the first step that fails is the last. */
  async play(
    steps: readonly string[],
    look: (text: string, seen: Seen) => void | Promise<void>,
  ): Promise<void> {
    const refused = await this.#readOnly(steps)
    const fresh = await this.#atRest()
    let before = fresh
    await this.#client.query('BEGIN')
    for (const [at, text] of steps.entries()) {
      const outcome = await this.#run(text)
      const accepted = outcome.error === undefined
      const after = accepted ? await this.#state(fresh) : before
      const refusedReadOnly = refused[at]!
      await look(text, { ...outcome, accepted, before, after, refusedReadOnly })
      before = after
      const moved = JSON.stringify(after.sequences) !== JSON.stringify(fresh.sequences)
      if (moved || !accepted) this.#fresh = undefined
      if (!accepted) break
    }
    await this.#rollback()
  }

  /** Whether each step is refused in a READ ONLY transaction, after those before it in the same. */
  async #readOnly(steps: readonly string[]): Promise<boolean[]> {
    const refused: boolean[] = []
    for (const [at, text] of steps.entries()) {
      await this.#begin(steps.slice(0, at))
      await this.#client.query('SET TRANSACTION READ ONLY').catch(() => {})
      refused.push((await this.#run(text)).error?.code === '25006')
      await this.#rollback()
      // Sequences stay where the steps before have moved them.
      if (at > 0) this.#fresh = undefined
    }
    return refused
  }

  async #begin(steps: readonly string[]): Promise<void> {
    await this.#client.query('BEGIN')
    for (const one of steps) await this.#run(one)
  }

  /** What no transaction takes back goes as well: locks, prepared statements, settings. */
  async #rollback(): Promise<void> {
    await this.#client.query('ROLLBACK')
    await this.#client.query('DISCARD ALL')
  }

  async #atRest(): Promise<State> {
    if (this.#fresh !== undefined) return this.#fresh
    const state = JSON.parse(await this.ask('SELECT oracle.state(true)::text')) as State
    this.#fresh = state
    return state
  }

  async #state(fresh: State): Promise<State> {
    const state = JSON.parse(await this.ask('SELECT oracle.state(false)::text')) as State
    const { tables, catalogue } = state
    return { ...state, tables: tables ?? fresh.tables, catalogue: catalogue ?? fresh.catalogue }
  }

  async #run(text: string): Promise<Outcome> {
    try {
      const result = await (/^COPY .* FROM STDIN/.test(text)
        ? this.#copyIn(text)
        : this.#client.query(text))
      const last = [result].flat().at(-1)
      return {
        error: undefined,
        command: last?.command ?? undefined,
        hasFields: (last?.fields ?? []).length > 0,
      }
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string }
      return { error: { code, message }, command: undefined, hasFields: false }
    }
  }

  #copyIn(text: string): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const query = new CopyIn(text, (error: Error | undefined, result: pg.QueryResult) => {
        if (error) reject(error)
        else resolve(result)
      })
      this.#client.query(query)
    })
  }
}

/** Lines that each COPY … FROM STDIN of the grammar takes. */
const LINES: readonly (readonly [RegExp, string])[] = [
  [/csv/, '31,x\n'],
  [/DELIMITER '\|'/, '31|2024-03-03\n'],
  [/audit/, 'x\t31\n'],
  [/knobs/, 'k31\tx\n'],
  [/pairs/, '31\t31\tx\n'],
  [/./, '31\tx\n'],
]

/** pg has the frames of COPY, and no stream for them without another package. */
class CopyIn extends pg.Query {
  readonly #line: string

  constructor(text: string, done: (error: Error | undefined, result: pg.QueryResult) => void) {
    super(text, done as never)
    this.#line = LINES.find(([pattern]) => pattern.test(text))![1]
  }

  handleCopyInResponse(connection: {
    sendCopyFromChunk(chunk: Buffer): void
    endCopyFrom(): void
  }): void {
    connection.sendCopyFromChunk(Buffer.from(this.#line))
    connection.endCopyFrom()
  }
}
