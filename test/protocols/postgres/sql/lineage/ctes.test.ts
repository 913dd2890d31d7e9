import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['WITH x AS (SELECT id FROM orders) SELECT * FROM x', ['id identity orders.id']],
  ['WITH x(k) AS (SELECT id FROM orders) SELECT k FROM x', ['k identity orders.id']],
  [
    'WITH a AS (SELECT id FROM orders), b AS (SELECT id AS i FROM a) SELECT i FROM b',
    ['i identity orders.id'],
  ],
  [
    'WITH RECURSIVE r AS (SELECT id FROM orders UNION ALL SELECT id FROM r) SELECT * FROM r',
    ['id identity orders.id'],
  ],
  [
    'WITH RECURSIVE r(a, b) AS (SELECT id, status FROM orders UNION ALL SELECT b, a FROM r) SELECT a FROM r',
    ['a total orders.id,orders.status'],
  ],
  [
    'WITH RECURSIVE b AS (SELECT i FROM a), a AS (SELECT id AS i FROM orders) SELECT i FROM b',
    ['i identity orders.id'],
  ],
  ['WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x', ['id identity orders.id']],
])('%s', (text, wanted) => {
  expect(shown(text)).toEqual(wanted)
})

test('what nobody names is walked as well', () => {
  const text = 'WITH x AS (UPDATE contacts SET email = c.email FROM customers c) SELECT 1'
  expect(lineage(text).refusal).toBeDefined()
})

test('CYCLE and SEARCH go by the columns that they name', () => {
  const cycle =
    'WITH RECURSIVE r(a) AS (SELECT id FROM orders UNION ALL SELECT a FROM r) CYCLE a SET c USING p SELECT a, c FROM r'
  expect(lineage(cycle).deciding).toEqual(['public.orders.id'])
})
