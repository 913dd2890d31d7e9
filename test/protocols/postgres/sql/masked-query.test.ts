import { beforeAll, expect, test } from 'vitest'
import { NOWHERE, QueryWalk } from '../../../../src/protocols/postgres/sql/masked-query.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { MASKED, NAMES, one, resolve } from './sample.ts'

beforeAll(loadParser)

function walked(text: string): { walk: QueryWalk; inner: string[] } {
  const inner: string[] = []
  const world = {
    masked: MASKED,
    relationOf: resolve,
    relation: (oid: number) => NAMES.catalogue.relation(oid),
  }
  const walk: QueryWalk = new QueryWalk(world, (stmt, place, role) => {
    inner.push(`${Object.keys(stmt)[0]} ${role}`)
    if ('SelectStmt' in stmt) walk.select(stmt.SelectStmt, place, role)
  })
  const stmt = one(text)
  if ('SelectStmt' in stmt) walk.select(stmt.SelectStmt, NOWHERE, 'top')
  return { walk, inner }
}

test('the first refusal stays', () => {
  const { walk } = walked("SELECT upper(ssn) FROM customers WHERE email = 'x'")
  expect(walk.refusal?.reason).toContain('customers.ssn')
  expect(walk.touches).toBe(true)
})

test('every inner statement is handed on with what becomes of its outputs', () => {
  const { inner } = walked(
    'WITH d AS (DELETE FROM orders) SELECT (SELECT 1) WHERE EXISTS (SELECT 2) AND 1 IN (SELECT 3)',
  )
  expect(inner).toEqual([
    'DeleteStmt inner',
    'SelectStmt inner',
    'SelectStmt exists',
    'SelectStmt inner',
  ])
})

test('EXISTS does not look at outputs, so that its star names nothing', () => {
  expect(walked('SELECT 1 WHERE EXISTS (SELECT * FROM customers)').walk.touches).toBe(false)
  expect(
    walked('SELECT 1 WHERE EXISTS (SELECT DISTINCT * FROM customers)').walk.refusal,
  ).toBeDefined()
})
