import { beforeAll, expect, test } from 'vitest'
import { backtestOver, readsOf } from '../../src/policy/over-record.ts'
import type { RecordedGroup } from '../../src/policy/recorded.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { recorded } from './actions.ts'
import { config, POLICY, policies, setting } from './fixtures.ts'

beforeAll(loadParser)

const SPAN = { fromMs: 0, untilMs: 1000 }

function rowOf(group: RecordedGroup, more: Record<string, unknown> = {}) {
  const { count, database, statement, actionId, ...rest } = group
  const names = { n: count, target_database: database, sample: statement, sample_id: actionId }
  return { ...rest, ...names, ...more }
}

test('outcomes are asked for only where detectors differ', async () => {
  const shop = setting(POLICY)
  const rows = [
    rowOf(recorded(shop, 'SELECT note FROM orders', {}, 4), {
      has_outcome: 1,
      hits: ['jwt'],
      has_rows: 1,
    }),
    rowOf(recorded(shop, 'DELETE FROM orders', {}, 2), { has_outcome: 0, hits: [], has_rows: 0 }),
  ]
  const asked: string[] = []
  const query = async (sql: string) => {
    asked.push(sql)
    return { rows: sql.includes('AS bucket') ? [{ bucket: 0, n: 6 }] : rows, cut: false }
  }
  const replay = { config: config(), current: shop.policies, span: SPAN, connection: 'shop' }
  const same = await backtestOver(query, { ...replay, candidate: policies(POLICY) })
  expect(same.transitions.unchanged).toBe(6)
  expect(asked.some((sql) => sql.includes('outcome'))).toBe(false)
  const candidate = policies(POLICY.replace('[jwt, private_key]', '[private_key]'))
  const report = await backtestOver(query, { ...replay, candidate })
  expect(report).toMatchObject({ actions: 6, transitions: { 'mask-change': 4, unchanged: 2 } })
  expect(asked.at(-1)).toMatch(/LEFT JOIN .*kind = 'outcome'.* AS outcome USING/)
})

test('facts that rules of any version read make actions different', () => {
  const one = policies(POLICY)
  const other = policies(
    POLICY.replace("when: 'sql.writes && sql.by_key'", 'when: \'job.run == "7"\''),
  )
  expect(readsOf([one, other]).has('job.run')).toBe(true)
  expect(readsOf([one]).has('job.run')).toBe(false)
})
