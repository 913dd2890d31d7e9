/** Every query of the dashboard, answered by a real Prometheus that scrapes a gateway under traffic. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Child, run, start } from '../../lib/child.ts'
import { filledIn, GRAFANA, readDashboard } from '../../lib/dashboard.ts'
import { freePort } from '../../lib/free-port.ts'
import { type Stage, startStage } from '../../lib/stage.ts'

const SETTINGS = join(GRAFANA, 'prometheus.yaml')
/** Scrapes come every second here, so a rate has them all within this. */
const RATE_INTERVAL = '8s'
const TRAFFIC_MS = 9_000

const targets = readDashboard().panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
)
const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'))
let stage: Stage
let prometheus: Child
let url: string

beforeAll(async () => {
  stage = await startStage()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const settings = readFileSync(SETTINGS, 'utf8')
    .replace('127.0.0.1:7070', `127.0.0.1:${stage.gateway.controlPort}`)
    .replace('scrape_interval: 15s', 'scrape_interval: 1s')
  writeFileSync(join(folder, 'prometheus.yaml'), settings)
  prometheus = start('/usr/bin/prometheus', [
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ])
  await prometheus.until(/Server is ready to receive web requests/)
  await traffic()
}, 180_000)

afterAll(async () => {
  await prometheus?.stop()
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What every panel shows something of: statements known and new, refused ones, masked values. */
async function traffic(): Promise<void> {
  const client = new pg.Client(stage.url('read', 'masked'))
  await client.connect()
  const until = Date.now() + TRAFFIC_MS
  for (let n = 0; Date.now() < until; n++) {
    await client.query(`SELECT id, name, email FROM customers WHERE id < ${n + 10} LIMIT 20`)
    await client.query('SELECT count(*) FROM orders WHERE customer_id = $1', [n])
    await expect(client.query('DROP TABLE orders')).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await client.end()
  // What was scraped last then holds all of it.
  const deadline = Date.now() + 10_000
  while ((await ask('sum(sluice_sessions_open)')).data.result[0]?.value[1] !== '0') {
    if (Date.now() > deadline) throw new Error('Prometheus never saw the session end')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

async function ask(expression: string): Promise<Answer> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
  return (await answer.json()) as Answer
}

test('the settings that are delivered are what Prometheus takes', async () => {
  const { code, stdout, stderr } = await run('/usr/bin/promtool', ['check', 'config', SETTINGS])
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('SUCCESS'), ''])
})

test('the metrics are worded as Prometheus wants them', async () => {
  const scraped = await (await fetch(`${stage.gateway.controlUrl}/metrics`)).text()
  const { stderr } = await run('/usr/bin/promtool', ['check', 'metrics'], { input: scraped })
  // Node's own are as their authors named them.
  expect(stderr.split('\n').filter((line) => line.startsWith('sluice_'))).toEqual([])
  expect(stderr).not.toContain('error while linting')
})

test.each(targets)('$title ($legendFormat) has an answer', async ({ expr }) => {
  const { status, error, data } = await ask(filledIn(expr, RATE_INTERVAL))
  expect([error, status]).toEqual([undefined, 'success'])
  expect(data.result.length).toBeGreaterThan(0)
  for (const { value } of data.result) expect(Number(value[1])).toBeGreaterThanOrEqual(0)
})

test('an expression that asks for nothing is answered by nothing, so the tests above can fail', async () => {
  expect((await ask('sum(rate(sluice_nothing_total[8s]))')).data.result).toEqual([])
  expect((await ask('sum(')).status).toBe('error')
})

test('what is shown is what happened', async () => {
  const value = async (expression: string): Promise<number> =>
    Number((await ask(expression)).data.result[0]?.value[1])
  const allowed = await value('sum(sluice_actions_total{verdict="allow"})')
  expect(allowed).toBeGreaterThan(20)
  expect(await value('sum(sluice_actions_total{verdict="not_allowed"})')).toBe(allowed / 2)
  expect(await value('sum(sluice_upstream_seconds_count)')).toBe(allowed)
  expect(await value('sum(sluice_masked_values_total)')).toBeGreaterThan(allowed)
})
