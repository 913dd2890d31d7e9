/**
 * A backtest over the record of a running gateway: what really happened, and many more actions besides, which are put
 * into the store as a gateway would have. With `npm run test:soak` a million, in bounded memory.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClickHouse } from '../../src/record/clickhouse.ts'
import { start } from '../lib/child.ts'
import { built, type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const ACTIONS = process.env.SLUICE_CHAOS_ROUNDS === undefined ? 50_000 : 1_000_000
/** Beyond what the command takes for itself. */
const MEMORY_KIB_MAX = 512 * 1024

const policy = (keyed: string, bounded: string, detectors = 'email') => `apiVersion: sluice/v1
kind: Policy
name: guard
rules:
  - { id: bounded, when: 'sql.writes && !sql.bounded', then: ${bounded} }
  - { id: keyed, when: 'sql.writes && sql.by_key', then: ${keyed} }
masks:
  - { detect: [${detectors}], with: redact }
`

let server: Postgres
let gateway: Gateway

beforeAll(async () => {
  server = await startPostgres()
  server.sql('CREATE DATABASE shop')
  server.sql('CREATE TABLE orders (id int PRIMARY KEY, total int)', 'shop')
  server.sql("CREATE TABLE notes AS SELECT 'ann@example.com' AS note", 'shop')
  gateway = await startGateway({
    connections: {
      shop: { server, database: 'shop', user: server.user, password: server.password },
    },
    policies: { 'guard.yaml': policy('allow', 'deny') },
  })
  mkdirSync(join(gateway.folder, 'candidate'))
  writeFileSync(join(gateway.folder, 'candidate', 'guard.yaml'), policy('deny', 'allow'))
}, 180_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function backtest(...args: readonly string[]) {
  const { code, stdout, stderr } = await gateway.cli([
    'policy',
    'backtest',
    '--candidate',
    'candidate',
    '--json',
    ...args,
  ])
  return { code, stderr, report: code === 2 || code === 3 ? undefined : JSON.parse(stdout) }
}

test('a changed policy shows exactly the transitions that it makes of what was done', async () => {
  const client = new pg.Client({
    connectionString: gateway.url(await gateway.token({ subject: 'ci', job: 'nightly' }), 'shop'),
  })
  await client.connect()
  for (let n = 0; n < 5; n++) await client.query('SELECT id FROM orders WHERE id = $1', [n])
  for (let n = 0; n < 4; n++) await client.query('UPDATE orders SET total = 1 WHERE id = $1', [n])
  for (let n = 0; n < 3; n++) await expect(client.query('DELETE FROM orders')).rejects.toThrow()
  await client.end()
  await gateway.eventually(
    "SELECT count() AS n FROM events WHERE kind = 'action'",
    ([row]) => Number(row?.n) >= 12,
  )
  const { code, report } = await backtest('--since', '1h', '--fail-on', 'deny-to-allow')
  expect(code).toBe(1)
  expect(report).toMatchObject({
    actions: 12,
    transitions: { 'allow-to-deny': 4, 'deny-to-allow': 3, 'mask-change': 0, unchanged: 5 },
    undecidable: 0,
    jobs: [{ name: 'nightly', actions: 12, allow_to_deny: 4, deny_to_allow: 3 }],
    connections: [{ name: 'shop', actions: 12 }],
  })
  expect((await backtest('--since', '1h')).code).toBe(0)
  expect((await backtest('--since', '1h', '--fail-on', 'no-such')).code).toBe(2)
  const same = await gateway.cli([
    'policy',
    'backtest',
    '--candidate',
    'policies',
    '--since',
    '1h',
    '--json',
  ])
  expect(JSON.parse(same.stdout)).toMatchObject({ transitions: { unchanged: 12 }, undecidable: 0 })
}, 180_000)

test('what the job did becomes a policy', async () => {
  const { code, stdout } = await gateway.cli([
    'policy',
    'suggest',
    '--job',
    'nightly',
    '--since',
    '1h',
  ])
  expect(code).toBe(0)
  expect(stdout).toContain('!sql.tables.all(t, t in ["public.orders"])')
  expect((await gateway.cli(['policy', 'suggest', '--job', 'none'])).code).toBe(1)
})

test(`${ACTIONS} recorded actions are decided again in bounded memory`, async () => {
  const store = openClickHouse({ socket: join(gateway.data, 'clickhouse', 'http.sock') }, 'sluice')
  const columns =
    'session_id, instance, protocol, connection, target_database, subject, kind_of_identity, job, job_verified, ' +
    'roles, kind, class, verb, statement, verdict, policy_version, facts, ts, seq, action_seq'
  const facts = `concat('{"classes":["write"],"sql":{"commands":["UPDATE"],"tags":["UPDATE"],"tables":["public.t', toString(number % 20000), '"],"tables_written":["public.t', toString(number % 20000), '"],"columns":["public.t.id"],"functions":[],"writes":true,"bounded":true,"by_key":', if(number % 4 = 0, 'true', 'false'), ',"has_where":true,"where_always_true":false,"statements":1,"in_transaction":false,"copy":"","triggers":[]}}')`
  await store.command({
    sql:
      `INSERT INTO sluice.events (${columns}) SELECT concat('bulk-', toString(intDiv(number, 100))), 'x', 'postgres', 'shop', 'shop', ` +
      `concat('s', toString(number % 7)), 'workload', concat('job-', toString(number % 50)), true, ['agents'], 'action', 'write', 'UPDATE', ` +
      `'UPDATE t', 'allow', 1, ${facts}, now64(6) - toIntervalMinute(90 + number % 5000), number % 100 + 1, number % 100 + 1 FROM numbers(${ACTIONS})`,
    settings: { insert_deduplication_token: `bulk-${process.pid}` },
  })
  await store.close()
  const began = performance.now()
  const child = start(
    process.execPath,
    [
      built('src/cli/main.js'),
      ...['policy', 'backtest', '--candidate', 'candidate', '--since', '7d', '--json'],
      ...['--config', gateway.configPath],
    ],
    { cwd: gateway.folder },
  )
  let peak = 0
  const look = setInterval(() => {
    peak = Math.max(peak, peakKib(child.pid))
  }, 50)
  const code = await child.ended
  clearInterval(look)
  const seconds = (performance.now() - began) / 1000
  expect({ code, output: code === 0 ? '' : child.output().slice(-2000) }).toEqual({
    code: 0,
    output: '',
  })
  const report = JSON.parse(child.output())
  expect(report.actions).toBe(ACTIONS + 12)
  expect(report.transitions['allow-to-deny']).toBe(ACTIONS / 4 + 4)
  expect(report.undecidable).toBe(0)
  expect(report.jobs.length).toBe(51)
  console.log(
    `backtest: ${ACTIONS} actions in ${seconds.toFixed(1)} s, start included; peak ${Math.round(peak / 1024)} MiB`,
  )
  expect(peak).toBeLessThan(MEMORY_KIB_MAX)
}, 600_000)

async function api(method: string, path: string, body?: object) {
  const token = readFileSync(join(gateway.data, 'operator.token'), 'utf8').trim()
  const answer = await fetch(`${gateway.controlUrl}/api/v1/policies${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const json = JSON.parse(await answer.text())
  return { status: answer.status, json }
}

test('the API lists, explains, and tries a candidate while it answers others', async () => {
  const client = new pg.Client({
    connectionString: gateway.url(await gateway.token({ subject: 'ci', job: 'reader' }), 'shop'),
  })
  await client.connect()
  for (let n = 0; n < 2; n++)
    expect((await client.query('SELECT note FROM notes')).rows).toEqual([{ note: '****' }])
  await client.query('SELECT count(*) FROM orders')
  await client.end()
  await gateway.eventually(
    "SELECT count() AS n FROM events WHERE kind = 'outcome' AND job = 'reader'",
    ([row]) => Number(row?.n) >= 3,
  )
  const page = await api('GET', '')
  expect(page).toMatchObject({
    status: 200,
    json: { policies: [{ name: 'guard', mode: 'enforce' }] },
  })
  const explained = await api('POST', '/explain', {
    connection: 'shop',
    as: 'ci',
    statement: 'DELETE FROM orders',
  })
  expect(explained.json.verdict).toMatchObject({ verdict: 'deny', rule: 'guard/bounded' })
  const tried = (detectors: string) => ({
    candidate: [{ path: 'guard.yaml', text: policy('deny', 'allow', detectors) }],
    since: '1h',
    connection: 'shop',
  })
  const long = api('POST', '/backtest', { ...tried('iban'), since: '7d' })
  // Only one at a time; and the control thread has its hands free.
  expect((await api('POST', '/backtest', tried('iban'))).status).toBe(429)
  expect((await api('GET', '')).status).toBe(200)
  expect((await long).json.actions).toBe(ACTIONS + 15)
  const { json: report } = await api('POST', '/backtest', tried('iban'))
  expect(report).toMatchObject({
    actions: 15,
    transitions: { 'allow-to-deny': 4, 'deny-to-allow': 3, 'mask-change': 2, unchanged: 5 },
    undecidable_because: { 'whether iban finds something in a result is not recorded': 1 },
  })
  expect(report.samples).toContainEqual(expect.objectContaining({ is: 'email: redact → none' }))
  const wrong = await api('POST', '/backtest', {
    candidate: [{ path: 'x.yaml', text: 'rules: 1' }],
  })
  expect(wrong).toMatchObject({ status: 400, json: { detail: 'The candidate is refused.' } })
}, 300_000)

function peakKib(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
