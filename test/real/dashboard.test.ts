/** The Grafana dashboard, held against a scrape of a gateway that has served all kinds of statements. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Dashboard, filledIn, GRAFANA, type Panel, readDashboard } from '../lib/dashboard.ts'
import { readExposition, type Sample } from '../lib/exposition.ts'
import { problemsOf } from '../lib/promql.ts'
import { type Stage, startStage } from '../lib/stage.ts'

const dashboard: Dashboard = readDashboard()
const shown = dashboard.panels.filter(({ type }) => type !== 'row')
const targets = shown.flatMap((panel) =>
  (panel.targets ?? []).map((target) => ({ panel: panel.title, ...target })),
)

let stage: Stage
let scrape: ReadonlyMap<string, Sample>

beforeAll(async () => {
  stage = await startStage()
  const client = new pg.Client(stage.url('read', 'masked'))
  await client.connect()
  await client.query('SELECT id, name, email FROM customers WHERE id < 10')
  await client.query('SELECT count(*) FROM orders WHERE customer_id = $1', [1])
  for (const refused of ['DROP TABLE orders', 'SELECT FROM WHERE'])
    await expect(client.query(refused)).rejects.toThrow()
  // The loops of idle workers are sampled twenty times a second.
  await new Promise((resolve) => setTimeout(resolve, 200))
  const answer = await fetch(`${stage.gateway.controlUrl}/metrics`)
  scrape = readExposition(await answer.text())
  await client.end()
})
afterAll(() => stage?.stop())

describe('metrics', () => {
  test('all those of the contract that this version can have are there, with their labels', () => {
    const labels = Object.fromEntries(
      Object.keys(WANTED).map((name) => [
        name,
        scrape.get(name) && [...scrape.get(name)!.labels.keys()],
      ]),
    )
    expect(labels).toEqual(WANTED)
  })

  test('count what has happened', () => {
    expect(scrape.get('sluice_sessions_open')?.sum).toBe(1)
    expect(scrape.get('sluice_masked_values_total')?.sum).toBe(9)
    expect(scrape.get('sluice_events_lost_total')?.sum).toBe(0)
    expect(scrape.get('sluice_upstream_seconds_count')?.sum).toBe(2)
    expect(scrape.get('sluice_upstream_seconds_sum')?.sum).toBeGreaterThan(0)
    expect(scrape.get('sluice_worker_loop_lag_seconds_count')?.sum).toBeGreaterThan(3)
    expect([...scrape.get('sluice_actions_total')!.labels.get('verdict')!].sort()).toEqual([
      'allow',
      'not_allowed',
      'not_understood',
    ])
  })
})

describe('the dashboard', () => {
  test.each(targets)('$panel ($legendFormat) asks for what there is', ({ expr }) => {
    expect(problemsOf(filledIn(expr, '1m'), scrape)).toEqual([])
  })

  test('shows what it is for', () => {
    const asked = targets.map(({ expr }) => expr)
    for (const phase of ['parse', 'decide', 'mask', 'record', 'total', undefined]) {
      const metric = phase === undefined ? 'sluice_upstream_seconds' : `phase="${phase}"`
      for (const quantile of ['0.5', '0.99', '0.999']) {
        const has = (one: string) =>
          one.startsWith(`histogram_quantile(${quantile},`) && one.includes(metric)
        expect([metric, quantile, asked.some(has)]).toEqual([metric, quantile, true])
      }
    }
    const names = [...asked.join(' ').matchAll(/sluice_\w+/g)].map(([name]) => name)
    for (const name of Object.keys(WANTED)) {
      if (!/_(sum|count)$/.test(name)) expect(names).toContain(name)
    }
  })

  test('has panels that stand by themselves, each with a title, a unit and what it means', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    for (const panel of shown) {
      const { title, description = '', datasource, fieldConfig } = panel
      expect([title !== '', description.endsWith('.'), title]).toEqual([true, true, title])
      expect([title, fieldConfig?.defaults.unit === undefined]).toEqual([title, false])
      const sources = [datasource, ...(panel.targets ?? []).map((target) => target.datasource)]
      for (const source of sources)
        expect([title, source]).toEqual([
          title,
          { type: 'prometheus', uid: variable('datasource') },
        ])
      const ids = panel.targets?.map(({ refId }) => refId) ?? []
      expect([title, ids.length > 0, new Set(ids).size]).toEqual([title, true, ids.length])
    }
    const titles = shown.map(({ title, type }) => `${type} ${title}`)
    expect(new Set(titles).size).toBe(titles.length)
  })

  test('has no panel over another, or beyond the 24 columns', () => {
    const taken = new Set<string>()
    for (const { gridPos, title } of dashboard.panels) {
      for (const cell of cellsOf(gridPos)) {
        expect([title, cell, taken.has(cell)]).toEqual([title, cell, false])
        taken.add(cell)
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    }
  })

  test('has variables whose values there are', () => {
    const { list } = dashboard.templating
    expect(list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    for (const { query } of list.slice(1)) {
      const text = typeof query === 'string' ? query : query.query
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(text) ?? []
      expect(problemsOf(`count by (${label}) (${metric})`, scrape)).toEqual([])
    }
    expect(list.map(({ name }) => name)).toEqual(['datasource', 'instance', 'connection'])
  })

  test('is provided by files that Grafana reads, with a data source', () => {
    const read = (path: string) => parse(readFileSync(join(GRAFANA, 'provisioning', path), 'utf8'))
    expect(read('datasources/prometheus.yaml')).toMatchObject({
      apiVersion: 1,
      datasources: [{ type: 'prometheus', access: 'proxy', url: variable('PROMETHEUS_URL') }],
    })
    expect(read('dashboards/sluice.yaml')).toMatchObject({
      apiVersion: 1,
      providers: [{ type: 'file', options: { path: variable('SLUICE_DASHBOARDS') } }],
    })
    expect(readdirSync(join(GRAFANA, 'dashboards'))).toEqual(['sluice.json'])
    expect([dashboard.uid, dashboard.title, dashboard.schemaVersion > 30]).toEqual([
      'sluice-gateway',
      'Sluice',
      true,
    ])
  })
})

test.each([
  ['sum(rate(sluice_nothing_total[1m]))', 'sluice_nothing_total does not exist'],
  ['sum(sluice_sessions_open{connection="x"})', 'sluice_sessions_open has no label connection'],
  [
    'sum(sluice_added_latency_seconds_bucket{phase="think"})',
    'sluice_added_latency_seconds_bucket has no phase think',
  ],
  ['sum by (verdict) (sluice_spool_bytes)', 'grouped by verdict, which sluice_spool_bytes has not'],
  ['rate(sluice_spool_bytes[1m])', 'rate of sluice_spool_bytes, which is a gauge'],
  [
    'histogram_quantile(0.5, sum by (phase) (rate(sluice_added_latency_seconds_bucket[1m])))',
    'histogram_quantile of what has lost its le',
  ],
  ['sum(rate(sluice_actions_total[1m])', 'does not parse'],
  ['1 + 1', 'asks for no metric'],
])('a wrong expression is found out: %s', (expression, problem) => {
  expect(problemsOf(expression, scrape).join('\n')).toContain(problem)
})

const HISTOGRAM = (name: string, labels: readonly string[]) => ({
  [`${name}_bucket`]: ['le', ...labels],
  [`${name}_sum`]: labels,
  [`${name}_count`]: labels,
})

/** Of the contract, without those of approvals, signals, freezes and canaries, which do not exist yet. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  sluice_sessions_open: ['protocol'],
  sluice_held_bytes: [],
  sluice_actions_total: ['protocol', 'connection', 'verdict'],
  ...HISTOGRAM('sluice_added_latency_seconds', ['protocol', 'phase']),
  ...HISTOGRAM('sluice_upstream_seconds', []),
  sluice_masked_values_total: ['detector', 'connection'],
  sluice_spool_bytes: [],
  sluice_spool_lag_seconds: [],
  sluice_events_shipped_total: [],
  sluice_events_lost_total: [],
  sluice_policy_version: [],
  ...HISTOGRAM('sluice_worker_loop_lag_seconds', []),
}

/** As Grafana writes one. */
function variable(name: string): string {
  return `\${${name}}`
}

function cellsOf({ x, y, w, h }: Panel['gridPos']): readonly string[] {
  return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`)
}
