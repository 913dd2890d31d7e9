/** The auditors' port of the embedded record, with the real engine behind it: for its user, read-only, and judged. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClickHouse } from '../../src/record/clickhouse.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { migrate } from '../../src/record/migrate.ts'
import { freePort } from '../lib/free-port.ts'
import { ENGINE, until } from '../record/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-port-'))
const secret = join(folder, 'secret.txt')
const said: string[] = []
const USER = { user: 'auditor', password: 'geheim:ß' }
let engine: EngineChild
let port: number

beforeAll(async () => {
  port = await freePort()
  writeFileSync(secret, 'planted-secret')
  engine = new EngineChild({
    folder,
    memoryBytesMax: 1e9,
    say: (level, text) => said.push(`${level} ${text}`),
    port: { host: '127.0.0.1', port, ...USER },
    entry: ENGINE,
  })
  await engine.ready()
  const store = openClickHouse({ socket: engine.socket })
  await migrate(store, { database: 'sluice', retentionDays: 400 })
  await store.command({
    sql: "INSERT INTO sluice.events (session_id, kind, subject, seq, statement, ts) SELECT 'S', 'action', 'ann', number, 'SELECT 1', now64(6) FROM numbers(3)",
  })
  await store.close()
  await until(() => said.some((line) => line.includes(`can be read at 127.0.0.1:${port}`)))
}, 180_000)

afterAll(async () => {
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(
  query: string,
  more: { path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; text: string; code: string | null }> {
  const basic = Buffer.from(`${USER.user}:${USER.password}`).toString('base64')
  const answer = await fetch(`http://127.0.0.1:${port}/?${more.path ?? ''}`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, ...more.headers },
    body: more.body ?? query,
  })
  const code = answer.headers.get('x-clickhouse-exception-code')
  return { status: answer.status, text: await answer.text(), code }
}

test('answers its user, in the form that is asked for', async () => {
  expect(await ask('SELECT count() AS n FROM events FORMAT JSONEachRow')).toMatchObject({
    status: 200,
    text: '{"n":3}\n',
  })
  expect(
    (
      await ask('SELECT subject, seq FROM sluice.events ORDER BY seq', {
        path: 'default_format=CSV',
      })
    ).text,
  ).toBe('"ann",0\n"ann",1\n"ann",2\n')
  const client = openClickHouse({ url: `http://127.0.0.1:${port}`, ...USER }, 'sluice')
  expect(
    await client.query({ sql: 'SELECT subject, count() AS n FROM events GROUP BY subject' }),
  ).toEqual([{ subject: 'ann', n: 3 }])
  await client.close()
  const ping = await fetch(`http://127.0.0.1:${port}/ping`)
  expect(await ping.text()).toBe('Ok.\n')
})

test('lets nobody else in, and takes its time', async () => {
  for (const headers of [
    { authorization: '' },
    { authorization: `Basic ${Buffer.from('auditor:wrong').toString('base64')}` },
    { authorization: `Basic ${Buffer.from(`default:${USER.password}`).toString('base64')}` },
    { authorization: '', 'x-clickhouse-user': 'auditor', 'x-clickhouse-key': '' },
  ]) {
    const start = performance.now()
    expect(await ask('SELECT 1', { headers })).toMatchObject({ status: 401, code: '516' })
    expect(performance.now() - start).toBeGreaterThan(290)
  }
  const sent = await ask('SELECT 1', {
    headers: { authorization: '' },
    path: `user=auditor&password=${encodeURIComponent(USER.password)}`,
  })
  expect(sent.status).toBe(200)
})

test.each([
  `SELECT file('${secret}')`,
  `SELECT * FROM file('${secret}', 'LineAsString', 'line String')`,
  'SELECT * FROM system.tables',
  'SELECT * FROM sealed',
  'SELECT * FROM sluice.sealed',
  'SELECT * FROM holds',
  'SELECT 1 WHERE 1 IN (SELECT 1 FROM holds)',
  'WITH holds AS (SELECT 1) SELECT * FROM holds',
  'SELECT * FROM migrations',
  'SELECT 1; SELECT 2',
  'SELECT 1; DROP TABLE sluice.events',
  'DROP TABLE events',
  'SET readonly = 0',
  'SHOW TABLES',
  "SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')",
  "SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV",
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT 1) UNION ALL SELECT (2',
  'SELECT sleep(1)',
  'SELECT {x:String}',
  'SELECT * FROM numbers(200000)',
])('does not run %s', async (sql) => {
  const { status, text, code } = await ask(sql)
  expect([status >= 400, text.includes('planted-secret')]).toEqual([true, false])
  expect(Number(code)).toBeGreaterThan(0)
})

test('does not take settings, data, parameters or a second way in', async () => {
  const paths = [
    'readonly=0&allow_ddl=1&query=DROP+TABLE+sluice.events',
    'query=INSERT+INTO+sluice.events+(kind)+FORMAT+TSV',
    'query=INSERT+INTO+FUNCTION+file(%27x%27)+SELECT+1',
    'param_x=events&query=SELECT+*+FROM+{x:Identifier}',
    'param_text=SELECT+1&query=SELECT+file(%27/etc/passwd%27)',
  ]
  for (const path of paths)
    expect((await ask('', { path, body: 'x' })).status).toBeGreaterThanOrEqual(400)
  const kept = await ask('SELECT count() AS n FROM events', {
    path: 'max_execution_time=0&readonly=0&max_threads=99',
  })
  expect(kept).toMatchObject({ status: 200, text: '3\n' })
  expect(readdirSync(folder)).not.toContain('x')
  expect((await ask('x'.repeat(200_000))).status).toBe(400)
})

test('a query that would not end is ended', async () => {
  const { status, text } = await ask('SELECT sum(sipHash64(number)) FROM numbers(1000000000000)')
  expect(status).toBeGreaterThanOrEqual(400)
  expect(text).toMatch(/time/i)
}, 180_000)

test('is bound to loopback only', async () => {
  const answered = await new Promise<boolean>((resolve) => {
    const asked = httpRequest({ host: '127.0.0.2', port, path: '/ping', timeout: 500 }, () =>
      resolve(true),
    )
    asked.once('error', () => resolve(false))
    asked.end()
  })
  expect(answered).toBe(false)
})

test('a port that is taken is said, and the engine works all the same', async () => {
  const other = mkdtempSync(join(tmpdir(), 'sluice-port-'))
  const lines: string[] = []
  const second = new EngineChild({
    folder: other,
    memoryBytesMax: 1e9,
    say: (level, text) => lines.push(`${level} ${text}`),
    port: { host: '127.0.0.1', port, ...USER },
    entry: ENGINE,
  })
  try {
    await second.ready()
    await until(() =>
      lines.some((line) => /^error the record cannot be read at .*EADDRINUSE/.test(line)),
    )
    expect(lines.join()).not.toContain(USER.password)
    const store = openClickHouse({ socket: second.socket })
    expect(await store.query({ sql: 'SELECT 1 AS x' })).toEqual([{ x: 1 }])
    await store.close()
  } finally {
    await second.stop()
    rmSync(other, { recursive: true, force: true })
  }
})
