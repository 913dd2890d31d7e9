/**
 * IO. The gateway's own state in an embedded PostgreSQL (PGlite), and its numbered migrations. The only door to PGlite.
 *
 * One connection shared by all callers, statements run in the order in which they were asked. A change that was answered
 * is on the disk: its write-ahead log is (settle.ts). Does not lock the folder: main locks the whole data directory.
 *
 * What PGlite does it does at once, and its thread waits: the control thread has it in another one (state-thread.ts).
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diskProblem } from '../../base/disk.ts'
import { GatewayError } from '../../base/errors.ts'
import { settle } from './settle.ts'

export type Row = Readonly<Record<string, unknown>>

export interface State {
  /** Values are parameters, never text of the statement. Throws GW_UNAVAILABLE when the database does not answer. */
  query(text: string, values: readonly unknown[]): Promise<readonly Row[]>
  close(): Promise<void>
}

export interface OpenState extends State {
  /** Its log did not reach the disk: it answers nothing more. Opened anew, it is what the disk says it is. */
  readonly isLost: boolean
}

interface Database {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
  exec(text: string): Promise<unknown>
  transaction<T>(
    work: (inside: Pick<Database, 'query' | 'exec'>) => Promise<T>,
  ): Promise<T | undefined>
}

/** An empty database, made by the build where it runs make-template.ts: a copy takes 0.2 s, initdb in WebAssembly 4 s. */
const TEMPLATE = fileURLToPath(new URL('./template', import.meta.url))

/** The next file of its write-ahead log, and as much for the rest. */
const LOG_BYTES = 32 << 20

/**
 * Opens or makes the database in `folder` and brings it to the newest migration. Opening one takes some hundred
 * milliseconds, making one seconds where there is no template. Throws GW_UNAVAILABLE with a line for the operator.
 */
export async function openState(folder: string): Promise<OpenState> {
  try {
    // Loaded here and not at the top, so that nothing else waits for 20 MB of WebAssembly.
    const { PGlite } = await import('@electric-sql/pglite')
    if (existsSync(folder)) needRoom(folder)
    else {
      // Made beside its place: what a crash leaves half-made is never opened.
      const draft = `${folder}.new`
      rmSync(draft, { recursive: true, force: true })
      if (existsSync(TEMPLATE)) cpSync(TEMPLATE, draft, { recursive: true })
      else await (await PGlite.create(draft)).close()
      chmodSync(draft, 0o700)
      await settle(draft)
      renameSync(draft, folder)
    }
    const database = await PGlite.create(folder)
    await migrate(database)
    // What opening it has changed: from here on the log alone says what is new.
    await settle(folder)
    let isLost = false
    // The disk says once that it lost something; what is behind that in the log would be lost with it.
    const keep = async () => {
      try {
        await settle(join(folder, 'pg_wal'))
      } catch (error) {
        isLost = true
        throw error
      }
    }
    return {
      get isLost() {
        return isLost
      },
      query: async (text, values) => {
        try {
          if (isLost) throw new Error('its log did not reach the disk')
          const isChange = !/^\s*select\b/i.test(text)
          if (isChange) needRoom(folder)
          const { rows } = await database.query<Row>(text, [...values])
          if (isChange) await keep()
          if (isLost) throw new Error('its log did not reach the disk')
          return rows
        } catch (cause) {
          throw unavailable('the state database did not run a statement', cause)
        }
      },
      // Closing writes too.
      close: async () => {
        if (diskProblem(folder, LOG_BYTES) === undefined) await database.close()
      },
    }
  } catch (cause) {
    // Nothing of this comes from a client, so the reason may be shown to whoever starts the gateway.
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    throw unavailable(`The state database in ${folder} does not open${reason}`, cause)
  }
}

/** On a disk that does not take its log PGlite would try for ever, and its thread with it (state-thread.ts). */
function needRoom(folder: string): void {
  const code = diskProblem(folder, LOG_BYTES)
  if (code !== undefined) throw new Error(`its disk takes nothing (${code})`)
}

/** For the build: an empty database to be copied at first starts. */
export async function makeTemplate(): Promise<void> {
  const { PGlite } = await import('@electric-sql/pglite')
  rmSync(TEMPLATE, { recursive: true, force: true })
  const draft = `${TEMPLATE}.new`
  rmSync(draft, { recursive: true, force: true })
  await (await PGlite.create(draft)).close()
  renameSync(draft, TEMPLATE)
}

async function migrate(database: Database): Promise<void> {
  await database.exec(
    'create table if not exists migrations (number int primary key, name text not null, ran_at timestamptz not null default now())',
  )
  const ran = await database.query('select coalesce(max(number), 0) as last from migrations', [])
  const last = Number((ran.rows[0] as Row).last)
  const known = migrations()
  const newest = known.at(-1)?.number ?? 0
  // An older gateway must not write into tables that it does not know.
  if (last > newest) throw new Error(`its migration ${last} is newer than this gateway's ${newest}`)
  for (const one of known.filter((each) => each.number > last))
    await database.transaction(async (inside) => {
      await inside.exec(one.text)
      await inside.query('insert into migrations (number, name) values ($1, $2)', [
        one.number,
        one.name,
      ])
    })
}

function migrations(): { number: number; name: string; text: string }[] {
  const folder = new URL('./', import.meta.url)
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z-]+\.sql$/.test(name))
    .sort()
    .map((name) => ({
      number: Number(name.substring(0, 4)),
      name: basename(name, '.sql'),
      text: readFileSync(new URL(name, folder), 'utf8'),
    }))
}

function unavailable(message: string, cause: unknown): GatewayError {
  return new GatewayError('GW_UNAVAILABLE', message, { cause })
}
