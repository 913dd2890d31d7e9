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
  /** It failed inside, or its log did not reach the disk: it answers nothing more. Opened anew, it is what the disk says it is. */
  readonly isLost: boolean
}

interface Database {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
  exec(text: string): Promise<unknown>
  transaction<T>(
    work: (inside: Pick<Database, 'query' | 'exec'>) => Promise<T>,
  ): Promise<T | undefined>
}

/** A database to begin with, made by the build where it runs make-template.ts: a copy takes 0.2 s, initdb in WebAssembly 4 s. */
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
    else await makeFolder(folder, PGlite)
    const database = await PGlite.create(folder)
    let lost: string | undefined
    const trapped = () => {
      lost ??= 'it failed inside'
    }
    onTrap(database.Module, trapped)
    await migrate(database)
    if (lost !== undefined) throw new Error(lost)
    // What opening it has changed: from here on the log alone says what is new.
    await settle(folder)
    // The disk says once that it lost something; what is behind that in the log would be lost with it.
    const keep = async () => {
      try {
        await settle(join(folder, 'pg_wal'))
      } catch (error) {
        lost ??= 'its log did not reach the disk'
        throw error
      }
    }
    let last: Promise<unknown> = Promise.resolve()
    // One after the other: what waits behind one that fails inside must not run on what that left.
    const run = (text: string, values: readonly unknown[]) => {
      const next = last.then(() => {
        if (lost !== undefined) throw new Error(lost)
        return database.query<Row>(text, [...values]).catch((error: unknown) => {
          // On its way back to us, where PGlite swallows nothing.
          if (TRAPS.has(String((error as { name?: unknown } | null)?.name))) trapped()
          throw error
        })
      })
      // How it ended is told to whoever asked for it.
      last = next.catch(() => {})
      return next
    }
    return {
      get isLost() {
        return lost !== undefined
      },
      query: async (text, values) => {
        try {
          if (lost !== undefined) throw new Error(lost)
          const isChange = !/^\s*select\b/i.test(text)
          if (isChange) needRoom(folder)
          const { rows } = await run(text, values)
          if (isChange && lost === undefined) await keep()
          if (lost !== undefined) throw new Error(lost)
          return rows
        } catch (cause) {
          throw unavailable('the state database did not run a statement', cause)
        }
      },
      // Closing writes too.
      close: async () => {
        if (lost === undefined && diskProblem(folder, LOG_BYTES) === undefined)
          await database.close()
      },
    }
  } catch (cause) {
    // Nothing of this comes from a client, so the reason may be shown to whoever starts the gateway.
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    throw unavailable(`The state database in ${folder} does not open${reason}`, cause)
  }
}

async function makeFolder(
  folder: string,
  database: { create(folder: string): Promise<{ close(): Promise<void> }> },
): Promise<void> {
  // Made beside its place: what a crash leaves half-made is never opened.
  const draft = `${folder}.new`
  rmSync(draft, { recursive: true, force: true })
  if (existsSync(TEMPLATE)) cpSync(TEMPLATE, draft, { recursive: true })
  else await (await database.create(draft)).close()
  chmodSync(draft, 0o700)
  await settle(draft)
  renameSync(draft, folder)
}

/** Of WebAssembly, of a stack that ran over, and of an exit. */
const TRAPS: ReadonlySet<string> = new Set(['RuntimeError', 'RangeError', 'ExitStatus'])

/** How PostgreSQL's own errors leave WebAssembly: back to the main loop (PGlite's POSTGRES_MAIN_LONGJMP). */
const TO_MAIN_LOOP = 100

/**
 * Calls `lost` for whatever else leaves it: a trap, an abort (PANIC), a stack that ran over, an exit. PGlite swallows them all, goes
 * on, and answers such a statement with no rows and no error, as if it had run.
 */
function onTrap(inside: { _PostgresMainLoopOnce: () => void }, lost: () => void): void {
  const once = inside._PostgresMainLoopOnce
  // Another PGlite, of which nobody would hear that it failed.
  if (typeof once !== 'function') throw new Error('this version of PGlite is not known')
  inside._PostgresMainLoopOnce = () => {
    try {
      once()
    } catch (error) {
      if ((error as { status?: unknown } | null)?.status !== TO_MAIN_LOOP) lost()
      throw error
    }
  }
}

/** On a disk that does not take its log PGlite would try for ever, and its thread with it (state-thread.ts). */
function needRoom(folder: string): void {
  const code = diskProblem(folder, LOG_BYTES)
  if (code !== undefined) throw new Error(`its disk takes nothing (${code})`)
}

/** For the build: a database without rows, with every migration, to be copied at first starts. */
export async function makeTemplate(): Promise<void> {
  const { PGlite } = await import('@electric-sql/pglite')
  rmSync(TEMPLATE, { recursive: true, force: true })
  const draft = `${TEMPLATE}.new`
  rmSync(draft, { recursive: true, force: true })
  const database = await PGlite.create(draft)
  await migrate(database)
  await database.close()
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
