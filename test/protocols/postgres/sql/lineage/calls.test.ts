import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['upper(name)', 'total customers.name'],
  ['count(*)', 'constant'],
  ['count(name)', 'aggregate customers.name'],
  ['upper(max(name))', 'aggregate customers.name'],
  ['ascii(name)', 'other customers.name'],
  ['public.upper(name)', 'other customers.name'],
  ['percentile_disc(0.5) WITHIN GROUP (ORDER BY name)', 'other customers.name'],
])('%s', (expression, wanted) => {
  expect(shown(`SELECT ${expression} AS v FROM customers`)).toEqual([`v ${wanted}`])
})

test.each([
  'array_agg(name ORDER BY notes)',
  'count(DISTINCT notes)',
  "count(*) FILTER (WHERE notes = 'x')",
  'row_number() OVER (PARTITION BY notes)',
  'sum(1) OVER (ORDER BY notes)',
])('%s is decided by notes', (expression) => {
  expect(lineage(`SELECT ${expression} FROM customers`).deciding).toEqual([
    'public.customers.notes',
  ])
})

test('what has an effect takes no masked value, in predicates neither', () => {
  const text = 'SELECT 1 FROM customers WHERE pg_sleep(length(email)) IS NULL'
  expect(lineage(text).refusal).toBeDefined()
})

test.each([
  ['substr(name, 1, 0)', 'total'],
  ['substr(name, -1, 3)', 'total'],
  ['substr(name, 1, -1)', 'other'],
  ['substring(name FROM 1 FOR -1)', 'other'],
  ['substring(name, 1, (-1)::int)', 'other'],
  ["encode('a'::bytea, 'HEX')", 'total'],
  ["encode('a'::bytea, 'nope')", 'other'],
])('%s is %s: what fails only where there is a value tells that there is one', (call, how) => {
  // Of constants alone it is not said how.
  const column = call.includes('name') ? call : `${call} || name`
  expect(shown(`SELECT ${column} AS v FROM customers`)).toEqual([`v ${how} customers.name`])
})
