import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['VALUES (1, 2), (3, 4)', ['column1 constant', 'column2 constant']],
  ['TABLE contacts', ['email identity contacts.email', 'orders identity contacts.orders']],
  ['SELECT id FROM orders UNION ALL SELECT id FROM customers', ['id total orders.id,customers.id']],
])('%s', (text, wanted) => {
  expect(shown(text)).toEqual(wanted)
})

test('every clause that decides is known', () => {
  const text =
    'SELECT count(*) FROM orders WHERE id = 1 GROUP BY status HAVING max(total) > $1 LIMIT (SELECT a FROM pairs)'
  expect(lineage(text).deciding).toEqual([
    'public.orders.id',
    'public.orders.total',
    'public.orders.status',
    'public.pairs.a',
  ])
})

test('(row).* leaves places open', () => {
  expect(shown('SELECT (c).*, 1 FROM contacts c')).toBeUndefined()
  expect(lineage('SELECT (c).*, 1 FROM customers c').refusal).toBeDefined()
})

test('INTO stores', () => {
  expect(lineage('SELECT upper(email) INTO x FROM customers').refusal).toBeDefined()
})
