import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import { type Stage, startStage } from '../lib/stage.ts'

const ROWS = "SELECT md5(string_agg(md5(t::text), '' ORDER BY t::text)) FROM"
const folder = mkdtempSync(join(tmpdir(), 'sluice-dump-'))
const sample = readFileSync(join(import.meta.dirname, '../../src/demo/sample.sql'), 'utf8')

let stage: Stage

beforeAll(async () => {
  stage = await startStage({ databases: ['demo', 'restored'] })
  stage.server.sql('ALTER SCHEMA public OWNER TO app', 'restored')
  stage.server.sql('ALTER SCHEMA public OWNER TO app', 'demo')
  stage.server.sql(`SET SESSION AUTHORIZATION app; BEGIN; ${sample}; COMMIT`, 'demo')
}, 180_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function digests(database: string): string {
  const tables = stage.server.sql(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm') ORDER BY 1",
    database,
  )
  return tables
    .split('\n')
    .map((table) => `${table} ${stage.server.sql(`${ROWS} public.${table} t`, database)}`)
    .join('\n')
}

function call(program: string, ...args: string[]) {
  return run(program, args, { timeoutMs: 90_000, env: { ...process.env, LC_ALL: 'C.UTF-8' } })
}

/** An empty database of the same server, to load a dump into without the gateway. */
function fresh(name: string): string {
  stage.server.sql(`CREATE DATABASE ${name} OWNER app`)
  stage.server.sql('ALTER SCHEMA public OWNER TO app', name)
  return stage.direct.replace(/shop$/, name)
}

test.each(['demo', 'shop'])(
  'a plain dump of %s by a role that may only read holds all of it',
  async (database) => {
    const path = join(folder, `${database}.sql`)
    const dumped = await call('pg_dump', '-f', path, '-d', stage.url('read', `shop/${database}`))
    expect([dumped.code, dumped.stderr]).toEqual([0, ''])
    const url = fresh(`full_${database}`)
    const loaded = await call('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', path, url)
    expect([loaded.code, loaded.stderr]).toEqual([0, ''])
    expect(digests(`full_${database}`)).toBe(digests(database))
    const direct = await call('pg_dump', '-d', stage.direct.replace(/shop$/, database))
    // Each dump has a random word of its own against commands smuggled into it.
    const digest = (text: string) =>
      createHash('sha256')
        .update(text.replaceAll(/^\\(un)?restrict \w+$/gm, ''))
        .digest('hex')
    expect(digest(readFileSync(path, 'utf8'))).toBe(digest(direct.stdout))
  },
)

test.each([
  ['rows as COPY', []],
  ['rows as INSERT', ['--inserts', '--rows-per-insert=100', '--table=customers']],
])('a dump of the data alone, %s, loads into tables that exist', async (name, flags) => {
  const database = `data_${name.split(' ').at(-1)?.toLowerCase()}`
  const path = join(folder, `${database}.sql`)
  const url = stage.url('read', 'shop/demo')
  const dumped = await call('pg_dump', '--data-only', ...flags, '-f', path, '-d', url)
  expect([dumped.code, dumped.stderr]).toEqual([0, ''])
  const target = fresh(database)
  const schema = await call('pg_dump', '--schema-only', '-d', url)
  stage.server.sql(`SET SESSION AUTHORIZATION app; ${schema.stdout}`, database)
  const loaded = await call('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', path, target)
  expect([loaded.code, loaded.stderr]).toEqual([0, ''])
  const customers = `${ROWS} public.customers t`
  expect(stage.server.sql(customers, database)).toBe(stage.server.sql(customers, 'demo'))
  if (flags.length === 0) expect(digests(database)).toBe(digests('demo'))
})

test('a dump in pieces by two jobs is restored through the gateway by one that may make tables', async () => {
  const path = join(folder, 'directory')
  const from = stage.url('read', 'shop/shop')
  const dumped = await call('pg_dump', '-Fd', '-j', '2', '-f', path, '-d', from)
  expect([dumped.code, dumped.stderr]).toEqual([0, ''])
  const to = stage.url('all', 'shop/restored')
  const restored = await call('pg_restore', '-j', '2', '--no-owner', '-d', to, path)
  expect([restored.code, restored.stderr]).toEqual([0, ''])
  expect(digests('restored')).toBe(digests('shop'))
})

test('a dump of what is masked is refused, or holds no value of it', async () => {
  const { stdout, code, stderr } = await call('pg_dump', '-d', stage.url('read', 'masked'))
  expect(stdout).not.toMatch(/c\d+@example\.com/)
  expect([code === 0, stderr === '']).toEqual([stderr === '', code === 0])
})
