import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['SELECT id, name FROM customers ORDER BY 2', ['name']],
  ['SELECT id AS n FROM customers ORDER BY n', ['id']],
  ['SELECT id AS name FROM customers ORDER BY name', ['id', 'name']],
  ['SELECT 1 FROM customers GROUP BY (id, name)', ['id', 'name']],
  ['SELECT 1 FROM customers GROUP BY ROLLUP (id)', ['id']],
  ['SELECT DISTINCT id, name FROM customers', ['id', 'name']],
  ['SELECT DISTINCT ON (id) name FROM customers', ['id']],
  ['SELECT id FROM customers UNION ALL SELECT name FROM customers ORDER BY 1', ['id', 'name']],
  ['SELECT id FROM customers UNION SELECT name FROM customers', ['id', 'name']],
])('%s', (text, wanted) => {
  expect(lineage(text).deciding).toEqual(wanted.map((one) => `public.customers.${one}`))
})

test('behind a star any output may be meant by its place', () => {
  expect(lineage('SELECT *, name FROM customers ORDER BY 1').refusal).toBeDefined()
})
