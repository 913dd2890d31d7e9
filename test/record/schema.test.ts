/** The schema on the real engine: made anew, upgraded from what was released, run again, and in the form for a cluster. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, openClickHouse, StoreError } from '../../src/record/clickhouse.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { migrate } from '../../src/record/migrate.ts'
import { migrations, migrationsTable } from '../../src/record/schema.ts'
import { AUDIT_TABLES } from '../../src/replay/audit.ts'
import { ENGINE } from './running.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-schema-'))
const OPTIONS = { database: 'sluice', retentionDays: 400 }
const RELEASED = new URL('./fixtures/schema-2026-11-21/', import.meta.url)
let engine: EngineChild
let store: ClickHouse

beforeAll(async () => {
  engine = new EngineChild({ folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE })
  store = openClickHouse({ socket: engine.socket })
  await engine.ready()
})

afterAll(async () => {
  await store.close()
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function column(sql: string, name: string): Promise<unknown[]> {
  return (await store.query({ sql })).map((row) => row[name])
}

/** Names and definitions of everything in a database, without the database's own name. */
async function everything(database: string): Promise<unknown> {
  const columns = await store.query({
    sql: `SELECT table, name, type, default_kind, default_expression FROM system.columns WHERE database = '${database}' ORDER BY table, name`,
  })
  const indices = await store.query({
    sql: `SELECT table, name, type, expr FROM system.data_skipping_indices WHERE database = '${database}' ORDER BY table, name`,
  })
  return JSON.parse(JSON.stringify({ columns, indices }).replaceAll(database, 'sluice'))
}

test('numbers rise by file, and every file is one of ours', () => {
  const all = migrations(OPTIONS)
  expect(all.map(({ number }) => number)).toEqual(
    [...new Set(all.map(({ number }) => number))].sort((a, b) => a - b),
  )
  const files = readdirSync(new URL('../../src/record/schema/', import.meta.url))
  expect(all.map(({ name }) => `${name}.sql`)).toEqual(files.sort())
})

test('a new store gets all of it, and a second start finds nothing to do', async () => {
  const names = migrations(OPTIONS).map(({ name }) => name)
  expect(await migrate(store, OPTIONS)).toEqual(names)
  expect(await migrate(store, OPTIONS)).toEqual([])
  expect(await column('SELECT name FROM sluice.migrations ORDER BY number', 'name')).toEqual(names)
  await store.query({ sql: 'SELECT * FROM sluice.sessions' })
})

test('where there is no room before any of its statements it ends there, and goes on another time', async () => {
  const options = { ...OPTIONS, database: 'crowded' }
  // Statements that ran, and tables that there are then: some make databases.
  for (const [count, tables] of [
    [0, 0],
    [1, 0],
    [4, 2],
  ] as const) {
    let left: number = count
    const full = () => {
      if (left-- === 0) throw new StoreError('no room', undefined, undefined)
    }
    await expect(migrate(store, options, full)).rejects.toThrow('no room')
    const [made] = await store.query({
      sql: "SELECT count() AS n FROM system.tables WHERE database = 'crowded'",
    })
    expect(Number(made!.n)).toBe(tables)
  }
  expect(await migrate(store, options)).toHaveLength(migrations(OPTIONS).length)
})

test('run again from the beginning it changes nothing: a migration that was cut off', async () => {
  const before = await everything('sluice')
  await store.command({ sql: 'TRUNCATE TABLE sluice.migrations' })
  expect(await migrate(store, OPTIONS)).toHaveLength(migrations(OPTIONS).length)
  expect(await everything('sluice')).toEqual(before)
})

test('what was released before becomes what a new store has, and keeps its rows', async () => {
  for (const file of readdirSync(RELEASED).sort()) {
    const text = readFileSync(new URL(file, RELEASED), 'utf8')
    for (const sql of text.replace(/^--.*$/gm, '').split(/;\s*$/m)) {
      const filled = sql.replaceAll('{database}', 'former').replaceAll('{retention_days}', '400')
      if (filled.trim() !== '') await store.command({ sql: filled })
    }
  }
  await store.command({
    sql:
      "INSERT INTO former.events (session_id, kind, job, subject, seq, action_seq, statement, ts, segment) SELECT 'S', " +
      "['action', 'outcome'][number + 1], 'old', 'ann', number + 1, 1, 'SELECT secret', now64(6), 'old-segment' FROM numbers(2)",
  })
  await store.command({
    sql: "INSERT INTO former.chains (ts, chain, size, root, signature, key_id) VALUES (now64(6), 'c', 1, 'r', 's', 'k')",
  })
  await migrate(store, { ...OPTIONS, database: 'former' })
  const [now, wanted] = [await everything('former'), await everything('sluice')]
  expect(now).toEqual(wanted)
  expect(await column('SELECT statement FROM former.statements', 'statement')).toEqual([
    'SELECT secret',
  ])
  const words = "SELECT seq FROM former.events WHERE hasToken(lower(statement), 'secret')"
  expect(await column(`${words} ORDER BY seq`, 'seq')).toEqual([1, 2])
  expect(await column('SELECT number FROM former.chains', 'number')).toEqual([0])
})

test('retention of the configuration is applied at every start', async () => {
  const ttl = () =>
    column(
      "SELECT name FROM system.tables WHERE database = 'sluice' AND create_table_query LIKE '%toIntervalDay(%' AND create_table_query NOT LIKE '%toIntervalDay(7)%'",
      'name',
    )
  await migrate(store, { ...OPTIONS, retentionDays: 7 })
  expect(await ttl()).toEqual([])
  await migrate(store, OPTIONS)
})

test('a store that knows less gets what it knows', async () => {
  const asked: string[] = []
  const older: ClickHouse = {
    ...of(store),
    command: (query) => {
      asked.push(query.sql)
      if (query.sql.includes('TYPE text(')) {
        return Promise.reject(new StoreError('Unknown Index type', 80, undefined))
      }
      return store.command(query)
    },
  }
  await migrate(older, { ...OPTIONS, database: 'older' })
  const type =
    "SELECT type FROM system.data_skipping_indices WHERE database = 'older' AND name = 'by_word'"
  expect(await column(type, 'type')).toEqual(['tokenbf_v1'])
  const failing: ClickHouse = {
    ...of(store),
    command: (query) =>
      query.sql.includes('TYPE text(')
        ? Promise.reject(new StoreError('Connection lost', undefined, undefined))
        : store.command(query),
  }
  await expect(migrate(failing, { ...OPTIONS, database: 'failing' })).rejects.toThrow('lost')
  expect(await column('SELECT number FROM failing.migrations WHERE number >= 5', 'number')).toEqual(
    [],
  )
  expect(await migrate(store, { ...OPTIONS, database: 'failing' })).toContain('005-search')
})

/** Methods of a class do not come along with a spread. */
function of(client: ClickHouse): ClickHouse {
  return {
    query: (query) => client.query(query),
    explain: (query) => client.explain(query),
    bytes: (query) => client.bytes(query),
    command: (query) => client.command(query),
    insert: (insert) => client.insert(insert),
    close: () => client.close(),
  }
}

test('the form for a cluster is SQL, whole: every table of a single store has its two', async () => {
  const options = { ...OPTIONS, cluster: 'main' }
  const statements = [
    ...migrationsTable(options),
    ...migrations(options).flatMap((one) =>
      one.statements.flatMap(({ run, otherwise }) => [...run, ...otherwise]),
    ),
  ]
  for (const sql of statements) {
    expect(sql).toContain('ON CLUSTER `main`')
    const [row] = await store.query({
      sql: 'SELECT formatQuerySingleLine({sql:String}) AS formatted',
      params: { sql },
    })
    expect(String(row?.formatted)).toContain('ON CLUSTER main')
    const tree = await store.explain({ sql: `EXPLAIN AST ${sql}` })
    expect(tree).toMatch(/^(Create|Alter)/)
  }
  const tables = await column(
    "SELECT name FROM system.tables WHERE database = 'sluice' AND engine LIKE '%MergeTree' ORDER BY name",
    'name',
  )
  const made = (pattern: RegExp) => statements.flatMap((sql) => pattern.exec(sql)?.[1] ?? []).sort()
  expect(
    made(/^CREATE TABLE IF NOT EXISTS `sluice`\.(\w+)_local ON[\s\S]*ENGINE = Replicated/),
  ).toEqual(tables)
  // None is on a shard by chance: what belongs together would be apart.
  expect(
    made(
      /^CREATE TABLE IF NOT EXISTS `sluice`\.(\w+) ON[\s\S]*Distributed\(.*, sipHash64\(\w+\)\)$/,
    ),
  ).toEqual(tables)
})

test('the grants for a server are SQL, and let auditors read what `audit query` may and no more', async () => {
  const text = readFileSync(new URL('../../deploy/clickhouse/grants.sql', import.meta.url), 'utf8')
  const parts = text
    .replace(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((part) => part.trim())
  for (const sql of parts.filter((part) => part !== '')) {
    const [row] = await store.query({
      sql: 'SELECT formatQuerySingleLine({sql:String}) AS formatted',
      params: { sql },
    })
    expect(String(row?.formatted)).toMatch(/^(CREATE|GRANT) /)
  }
  const granted = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name).sort()
  const tables = granted(/^GRANT SELECT ON sluice\.(\w+) TO sluice_auditor;$/gm)
  expect(tables).toEqual([...AUDIT_TABLES, 'instances'].sort())
  // A table of its own has one behind it on a cluster, a view has none.
  const stored = await column(
    "SELECT name FROM system.tables WHERE database = 'sluice' AND engine LIKE '%MergeTree'",
    'name',
  )
  expect(granted(/^-- GRANT SELECT ON sluice\.(\w+)_local TO sluice_auditor;$/gm)).toEqual(
    tables.filter((name) => stored.includes(name)),
  )
})

test('files that were released are not edited', () => {
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(new URL(`../../src/record/schema/${name}`, import.meta.url)))
      .digest('hex')
      .substring(0, 12)
  expect(Object.fromEntries(Object.keys(EDITS).map((name) => [name, hash(name)]))).toEqual(EDITS)
})

/** 001 lost its TTL when holds came (002-003 as released): tables made by it before lose theirs at a start. */
const EDITS: Readonly<Record<string, string>> = {
  '001-events.sql': '58d083668348',
  '002-evidence.sql': '395e1b5b177e',
  '003-views.sql': 'fa6ed810df1c',
  '004-chain.sql': '5ce632802eef',
}
