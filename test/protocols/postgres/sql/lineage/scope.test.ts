import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['SELECT email FROM customers', ['email identity customers.email']],
  ['SELECT c.email FROM customers c', ['email identity customers.email']],
  ['SELECT public.customers.id FROM public.customers', ['id identity customers.id']],
  ['SELECT ctid FROM customers', ['ctid constant']],
  ['SELECT b FROM pairs AS p(a, b)', ['b identity pairs.b']],
  ['SELECT orders FROM orders', undefined],
])('%s', (text, wanted) => {
  if (wanted === undefined) expect(lineage(text).outputs?.[0]?.columns).toHaveLength(5)
  else expect(shown(text)).toEqual(wanted)
})

test('an inner column hides no masked outer one: it may be gone before the target looks', () => {
  const text = 'SELECT (SELECT contacts.email FROM contacts), 1 FROM customers'
  expect(shown(text)).toEqual(['email identity contacts.email', '?column? constant'])
  const open = 'SELECT (SELECT email FROM contacts) FROM customers'
  expect(lineage(open).outputs?.[0]).toMatchObject({
    columns: ['public.contacts.email', 'public.customers.email'],
    masked: { type: 'redact' },
  })
})

test('places that may shift count as all that is masked there', () => {
  const text = 'SELECT a FROM (SELECT email, ssn FROM customers) s(a, b)'
  expect(shown(text)).toEqual(['a identity customers.email'])
  const starred = 'SELECT c FROM (SELECT * FROM customers) s(a, b, c)'
  expect(lineage(starred).outputs?.[0]?.columns).toHaveLength(3)
})
