/**
 * PostgreSQL's own regression and isolation suites, run straight and through the gateway with a role that allows
 * every class and no masks: what their clients saw must be the same to the last byte.
 *
 * Whether the server passes its own suite here is not the question, and a few tests of it depend on the machine; but
 * each must have run, and been recorded. The first run gets the suites by apt (sources.ts).
 *
 * The isolation tester prints a notice when it comes, and asks over another session whether the statement is blocked
 * meanwhile: where 20 others want two cores, a notice that came through the gateway a few milliseconds later stands behind
 * `<waiting ...>` in `eval-plan-qual-trigger`. There it may stand. Where a permutation differs otherwise, its test is run
 * again without the gateway, through a relay that reads nothing and is late at times: what is seen there too is the
 * tester's, anything else is ours.
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
import { startLateRelay } from './late.ts'
import { Shown } from './permutations.ts'
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
/** How late a server's bytes come at most, in the runs that show what the tester makes of it. */
const LATE_MS = [0, 20, 80, 160, 40, 80]

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

/** All tests of the suite, or those that are `named`. */
async function play(
  suite: Suite,
  at: { readonly port: number; readonly password: string },
  named: readonly string[] = [],
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
    ...(named.length > 0 ? {} : { schedule: join(place, 'in', schedule) }),
  }
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const { stdout, stderr } = await run(program, ['--use-existing', ...args, ...named], {
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

async function playLate(server: Postgres, ms: number, names: readonly string[]): Promise<Played> {
  const relay = await startLateRelay(server.port, ms)
  try {
    return await play('isolation', { port: relay.port, password: server.password }, names)
  } finally {
    await relay.stop()
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
    const recorded = async () => Number((await gateway?.audit(count))?.[0]?.n)
    // The engine gives way to everybody, and may be late to answer on a machine that is busy.
    await expect.poll(recorded, { timeout: 120_000, interval: 1000 }).toBeGreaterThan(tests * 5)
    return played
  } finally {
    await gateway?.stop()
  }
}

/** What of `texts`, results of the isolation suite by file name, no run without the gateway shows. */
async function unseenDirectly(
  texts: ReadonlyMap<string, string>,
  direct: ReadonlyMap<string, string>,
): Promise<string[]> {
  const shown = new Map<string, Shown>()
  const take = (results: ReadonlyMap<string, string>) => {
    for (const [name, text] of results) {
      const one = shown.get(name) ?? new Shown()
      one.add(text)
      shown.set(name, one)
    }
  }
  take(direct)
  const unseen = (name: string) => shown.get(name)?.unseen(texts.get(name)!) ?? [texts.get(name)!]
  const left = () => [...texts.keys()].filter((name) => unseen(name).length > 0)
  for (const ms of LATE_MS) {
    const names = left().map((name) => name.replace(/\.out$/, ''))
    if (names.length === 0) break
    process.stderr.write(`isolation: ${names.join(', ')} again, directly, up to ${ms} ms late\n`)
    take((await withServer('isolation', (server) => playLate(server, ms, names))).results)
  }
  return left().flatMap((name) =>
    unseen(name).map((one) => `${name}: never seen directly:\n${one}`),
  )
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
  { timeout: 3 * RUN_MS_MAX },
  async (suite) => {
    const timed = async (act: (server: Postgres) => Promise<Played>) => {
      const began = performance.now()
      const played = await withServer(suite, act)
      return { ...played, seconds: Math.round((performance.now() - began) / 1000) }
    }
    const direct = await timed((server) => play(suite, server))
    expect(direct.results.size, direct.said).toBeGreaterThan(SUITES[suite].tests)
    const other = await timed((server) => through(suite, server))
    process.stderr.write(`${suite}: ${direct.seconds} s direct, ${other.seconds} s through\n`)
    expect([...other.results.keys()]).toEqual([...direct.results.keys()])
    const differing = [...direct.results].filter(([name, text]) => other.results.get(name) !== text)
    const said = differing.map(
      ([name, text]) => `${name}: ${difference(text, other.results.get(name))}`,
    )
    if (suite === 'regress' || said.length === 0) return expect(said).toEqual([])
    process.stderr.write(`${said.join('\n')}\n`)
    const texts = new Map(differing.map(([name]) => [name, other.results.get(name)!]))
    expect(await unseenDirectly(texts, direct.results)).toEqual([])
  },
)
