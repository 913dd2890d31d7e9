import { beforeAll, expect, test } from 'vitest'
import { diff } from '../../src/policy/diff.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { config, POLICY, policies } from './fixtures.ts'

beforeAll(loadParser)

const TESTED = `${POLICY}schema: CREATE TABLE customers (id int PRIMARY KEY, email text)
tests:
  - { as: { subject: ci, roles: [agents] }, connection: shop, statement: SELECT email FROM customers, expect: allow }
`

function changes(old: string, now: string): string[] {
  const report = diff({ old: policies(old), new: policies(now) }, { config: config(), now: 0 })
  expect(report.tried).toBeGreaterThan(80)
  return report.changes.map(
    ({ roles, connection, statement, was, is }) =>
      `${roles} ${connection} ${statement}: ${was} → ${is}`,
  )
}

test('the same policies differ in nothing', () => {
  expect(changes(TESTED, TESTED)).toEqual([])
})

test('what a change does is said, for each role and connection that it reaches', () => {
  const strict = TESTED.replace('sql.writes && sql.by_key', '"BEGIN" in sql.commands').replace(
    'then: allow',
    'then: deny',
  )
  expect(changes(TESTED, strict)).toEqual([
    'agents shop BEGIN: allow → deny shop-guard/keyed',
    'dba shop BEGIN: allow → deny shop-guard/keyed',
    'dba lab BEGIN: allow → deny shop-guard/keyed',
  ])
})

test('a mask that is gone shows', () => {
  expect(
    changes(TESTED, TESTED.replace('[public.customers.email]', '[public.customers.name]')),
  ).toEqual(['agents shop SELECT email FROM customers: allow, masked: email → allow'])
})
