import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test('COPY of a query has its outputs, COPY of a table none here', () => {
  expect(shown('COPY (SELECT id FROM orders) TO STDOUT')).toEqual(['id identity orders.id'])
  expect(shown('COPY customers TO STDOUT')).toEqual([])
  expect(lineage('COPY customers TO STDOUT (FORMAT binary)').refusal).toBeUndefined()
})

test.each([
  ['EXPLAIN SELECT email FROM customers', false],
  ['EXPLAIN (COSTS OFF) SELECT email FROM customers', true],
  ['EXPLAIN (COSTS OFF, SERIALIZE) SELECT email FROM customers', false],
  ['EXPLAIN SELECT id FROM customers', true],
  ['EXPLAIN (ANALYZE, WAL) UPDATE customers SET id = 1 WHERE id = 1', false],
  ['EXPLAIN (ANALYZE, WAL off) UPDATE customers SET id = 1 WHERE id = 1', true],
  ['EXPLAIN (COSTS OFF) SELECT ascii(email) FROM customers', false],
])('%s', (text, passes) => {
  expect(lineage(text).refusal === undefined).toBe(passes)
})
