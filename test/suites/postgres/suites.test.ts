/**
 * PostgreSQL's own regression and isolation suites, run straight and through the gateway with a role that allows
 * every class and no masks: what their clients saw must be the same to the last byte.
 *
 * Whether the server passes its own suite here is not the question, and a few tests of it depend on the machine; but
 * each must have run, and been recorded. The first run gets the suites by apt (sources.ts).
 *
 * To be run on a machine that does nothing else: the isolation tester prints a notice when it comes, and asks over another
 * session whether the statement is blocked meanwhile. Where 20 others wait for two cores, `eval-plan-qual-trigger` shows
 * notices behind `<waiting ...>` in four of five runs (the same lines); on a quiet machine in none.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../lib/child.ts'
import { type Gateway, startGateway } from '../../lib/gateway.ts'
import { type Postgres, startPostgres } from '../../lib/postgres.ts'
import { give, serverIds } from '../../lib/server-user.ts'
import { SERVER, type Sources, suiteSources } from './sources.ts'

const SUITES = {
  regress: {
    program: `${SERVER}/lib/pgxs/src/test/regress/pg_regress`,
    database: 'regression',
    schedule: 'parallel_schedule',
    tests: 200,
  },
  isolation: {
    program: `${SERVER}/lib/pgxs/src/test/isolation/pg_isolation_regress`,
    database: 'isolation_regression',
    schedule: 'isolation_schedule',
    tests: 100,
  },
} as const
type Suite = keyof typeof SUITES

const ALLOW = ['read', 'write', 'schema', 'transfer', 'execute', 'admin', 'opaque']
const RUN_MS_MAX = 1_800_000

const folder = mkdtempSync(join(tmpdir(), 'sluice-suites-'))
let sources: Sources

beforeAll(() => {
  sources = suiteSources()
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** In the same places both times, because some answers name them. */
function workplace(suite: Suite): string {
  const place = join(folder, 'work')
  rmSync(place, { recursive: true, force: true })
  for (const name of ['out', 'lib', 'home']) mkdirSync(join(place, name), { recursive: true })
  cpSync(sources.input(suite), join(place, 'in'), { recursive: true })
  for (const path of sources.libraries) cpSync(path, join(place, 'lib', path.split('/').at(-1)!))
  return place
}

/** As pg_regress makes it, were it not told to use what there is. */
function makeDatabase(server: Postgres, name: string): void {
  server.sql(`CREATE DATABASE ${name} TEMPLATE template0`)
  const settings = ['messages', 'monetary', 'numeric', 'time'].map((one) => `lc_${one} TO 'C'`)
  settings.push("bytea_output TO 'hex'", "timezone_abbreviations TO 'Default'")
  server.sql(settings.map((one) => `ALTER DATABASE ${name} SET ${one};`).join('\n'))
}

interface Played {
  /** File name → what the suite's clients saw. */
  readonly results: ReadonlyMap<string, string>
  /** What the suite's program said of it. */
  readonly said: string
}

async function play(
  suite: Suite,
  at: { readonly port: number; readonly password: string },
): Promise<Played> {
  const { program, database, schedule } = SUITES[suite]
  const place = workplace(suite)
  // pg_regress unsets PGPASSWORD.
  const line = `127.0.0.1:*:*:*:${at.password}\n`
  writeFileSync(join(place, 'home/.pgpass'), line, { mode: 0o600 })
  give(folder)
  const flags = {
    inputdir: join(place, 'in'),
    outputdir: join(place, 'out'),
    dlpath: join(place, 'lib'),
    bindir: `${SERVER}/bin`,
    host: '127.0.0.1',
    port: at.port,
    user: 'postgres',
    dbname: database,
    schedule: join(place, 'in', schedule),
  }
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const { stdout, stderr } = await run(program, ['--use-existing', ...args], {
    ...serverIds(),
    cwd: join(place, 'out'),
    env: { PATH: '/usr/bin:/bin', HOME: join(place, 'home'), LC_ALL: 'C.UTF-8' },
    timeoutMs: RUN_MS_MAX,
  })
  const seen = join(place, 'out/results')
  const files = readdirSync(seen).sort()
  return {
    results: new Map(files.map((name) => [name, readFileSync(join(seen, name), 'latin1')])),
    said: stdout + stderr,
  }
}

async function withServer<T>(suite: Suite, act: (server: Postgres) => Promise<T>): Promise<T> {
  const config = ['max_connections = 100', 'max_prepared_transactions = 10', 'fsync = off']
  const server = await startPostgres({ config })
  try {
    makeDatabase(server, SUITES[suite].database)
    return await act(server)
  } finally {
    await server.stop()
  }
}

async function through(suite: Suite, server: Postgres): Promise<Played> {
  const { database, tests } = SUITES[suite]
  const { user, password } = server
  let gateway: Gateway | undefined
  try {
    gateway = await startGateway({
      connections: { [database]: { server, database, user, password } },
      roles: { all: { members: ['subject:*'], connections: ['*'], allow: ALLOW } },
    })
    const token = await gateway.token({ subject: 'suite', ttl: '2h' })
    const played = await play(suite, { port: gateway.port, password: token })
    const count = "SELECT count() AS n FROM events WHERE kind = 'action'"
    const [row] = await gateway.audit(count)
    expect(Number(row?.n)).toBeGreaterThan(tests * 5)
    return played
  } finally {
    await gateway?.stop()
  }
}

/** The first lines in which two texts differ. */
function difference(direct: string, other: string | undefined): string {
  if (other === undefined) return 'is missing'
  const [one, two] = [direct.split('\n'), other.split('\n')]
  const at = one.findIndex((line, i) => line !== two[i])
  const around = (lines: readonly string[]) => lines.filter((_, i) => i >= at - 3 && i < at + 6)
  return [`line ${at + 1}`, ...around(one), '--- through the gateway:', ...around(two)].join('\n')
}

test.each<Suite>(['regress', 'isolation'])(
  'the %s suite sees through the gateway what it sees without it',
  { timeout: 2 * RUN_MS_MAX },
  async (suite) => {
    const timed = async (act: (server: Postgres) => Promise<Played>) => {
      const began = performance.now()
      const played = await withServer(suite, act)
      return { ...played, seconds: Math.round((performance.now() - began) / 1000) }
    }
    const direct = await timed((server) =>
      play(suite, { port: server.port, password: server.password }),
    )
    expect(direct.results.size, direct.said).toBeGreaterThan(SUITES[suite].tests)
    const other = await timed((server) => through(suite, server))
    process.stderr.write(`${suite}: ${direct.seconds} s direct, ${other.seconds} s through\n`)
    const differing = [...direct.results]
      .filter(([name, text]) => other.results.get(name) !== text)
      .map(([name, text]) => `${name}: ${difference(text, other.results.get(name))}`)
    expect(differing).toEqual([])
    expect([...other.results.keys()]).toEqual([...direct.results.keys()])
  },
)
