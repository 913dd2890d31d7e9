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
