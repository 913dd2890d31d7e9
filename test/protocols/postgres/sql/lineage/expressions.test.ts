import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['name::varchar(3)', 'total customers.name'],
  ['$1', 'constant'],
  ["'x'", 'constant'],
  ['coalesce(name, notes)', 'total customers.name,customers.notes'],
  ["CASE WHEN id = '1' THEN name ELSE notes END", 'total customers.name,customers.notes'],
  ['name IS NULL', 'constant'],
  ['(name IS NULL) IS TRUE', 'other'],
  ['name COLLATE "C"', 'total customers.name'],
  ['ARRAY[name, notes]', 'total customers.name,customers.notes'],
  ['name + id', 'other customers.name,customers.id'],
  ["name LIKE 'x'", 'other customers.name'],
  ['(SELECT status FROM orders)', 'identity orders.status'],
  ['id IN (SELECT total FROM orders)', 'other customers.id,orders.total'],
  ['(ARRAY[name])[1]', 'other customers.name'],
  ['xmlelement(name x, notes)', 'other customers.notes'],
])('%s', (expression, wanted) => {
  expect(shown(`SELECT ${expression} AS v FROM customers`)).toEqual([`v ${wanted}`])
})

test('what decides is told apart from what comes out', () => {
  const text = "SELECT CASE WHEN name = 'x' THEN id END FROM customers WHERE notes = $1"
  expect(lineage(text)).toMatchObject({
    outputs: [{ columns: ['public.customers.id'], how: 'total' }],
    deciding: ['public.customers.name', 'public.customers.notes'],
  })
})
