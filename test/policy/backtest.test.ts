import { beforeAll, expect, test } from 'vitest'
import { Backtest } from '../../src/policy/backtest.ts'
import { Memory } from '../../src/policy/redecide.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { recorded } from './actions.ts'
import { config, POLICY, policies, type Setting, setting } from './fixtures.ts'

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting(POLICY)
})

const READ = 'SELECT id FROM orders WHERE id = 1'
const DROP = 'DROP TABLE orders'
const WIDE = 'DELETE FROM orders'
const KEYED = 'DELETE FROM orders WHERE id = 7'
const MASKED = 'SELECT email FROM customers'
const PREDICATE = 'SELECT id FROM customers WHERE ssn = $1'

function run(candidate: string) {
  const backtest = new Backtest({
    candidate: policies(candidate),
    current: shop.policies,
    memory: new Memory(config()),
  })
  for (const [statement, job, count] of [
    [READ, 'a', 100],
    [DROP, 'a', 1],
    [WIDE, 'b', 2],
    [KEYED, 'b', 30],
    [MASKED, 'b', 4],
    [PREDICATE, 'c', 5],
  ] as const)
    backtest.add(recorded(shop, statement, { job }, count))
  backtest.add({ ...recorded(shop, READ, { job: 'd' }, 6), facts: '' })
  backtest.add({ ...recorded(shop, READ, { job: 'd' }, 7), verdict: 'over_limit' })
  return backtest.report()
}

test('the policies of today change nothing, and what cannot be decided is counted as that', () => {
  const report = run(POLICY)
  expect(report.actions).toBe(155)
  expect(report.transitions).toEqual({
    'allow-to-deny': 0,
    'deny-to-allow': 0,
    'mask-change': 0,
    unchanged: 149,
  })
  expect(report.undecidable).toBe(6)
  expect(report.undecidable_because).toEqual({ 'no facts were recorded': 6 })
  expect(report.rules).toEqual([
    { rule: 'shop-guard/keyed', actions: 30, allow_to_deny: 0, would_deny: 0 },
    { rule: 'shop-guard/unbounded-write', actions: 2, allow_to_deny: 0, would_deny: 0 },
    { rule: 'shop-guard/no-drop', actions: 1, allow_to_deny: 0, would_deny: 0 },
  ])
})

test('a changed policy shows exactly the transitions that the change makes', () => {
  const changed = POLICY.replace(
    "when: 'sql.writes && sql.by_key', then: allow",
    "when: 'sql.writes && sql.by_key', then: deny",
  )
    .replace(
      "when: 'sql.writes && !sql.bounded', then: deny",
      "when: 'sql.writes && !sql.bounded', then: allow",
    )
    .replace('[public.customers.email], with: hash', '[public.customers.email], with: redact')
  const report = run(changed)
  expect(report.transitions).toEqual({
    'allow-to-deny': 30,
    'deny-to-allow': 2,
    'mask-change': 4,
    unchanged: 113,
  })
  expect(report.undecidable).toBe(6)
  const { rules } = report
  expect(rules.find(({ rule }) => rule === 'shop-guard/keyed')).toEqual({
    rule: 'shop-guard/keyed',
    actions: 30,
    allow_to_deny: 30,
    would_deny: 0,
  })
  expect(report.jobs.find(({ name }) => name === 'b')).toEqual({
    name: 'b',
    actions: 36,
    allow_to_deny: 30,
    deny_to_allow: 2,
    mask_change: 4,
    undecidable: 0,
  })
  expect(report.connections).toEqual([
    {
      name: 'shop',
      actions: 155,
      allow_to_deny: 30,
      deny_to_allow: 2,
      mask_change: 4,
      undecidable: 6,
    },
  ])
  expect(
    report.samples.map(({ transition, statement, was, is }) => [transition, statement, was, is]),
  ).toEqual([
    [
      'deny-to-allow',
      WIDE,
      'denied shop-guard/unbounded-write',
      'allow shop-guard/unbounded-write',
    ],
    ['allow-to-deny', KEYED, 'allow shop-guard/keyed', 'deny shop-guard/keyed'],
    ['mask-change', MASKED, 'allow', 'public.customers.email: hash → redact'],
    ['undecidable', READ, 'allow', 'no facts were recorded'],
  ])
})

test('without the mask that refused it, nobody knows what would have come of it', () => {
  const report = run(POLICY.replace('[public.customers.ssn]', '[public.customers.phone]'))
  expect(report.undecidable_because).toEqual({
    'no facts were recorded': 6,
    'a mask refused it, and masks differ': 5,
  })
})

test('jobs and samples stay few, however many there are', () => {
  const backtest = new Backtest({
    candidate: policies(POLICY.replace('then: allow', 'then: deny')),
    current: shop.policies,
    memory: new Memory(config()),
  })
  const group = recorded(shop, KEYED)
  for (let n = 0; n < 30_000; n++)
    backtest.add({ ...group, job: `job-${n}`, statement: `${KEYED} -- ${n}` })
  const report = backtest.report()
  expect(report.transitions['allow-to-deny']).toBe(30_000)
  expect(report.jobs).toHaveLength(10_001)
  expect(report.jobs[0]).toMatchObject({ name: '(others)', actions: 20_000 })
  expect(report.samples).toHaveLength(5)
})
