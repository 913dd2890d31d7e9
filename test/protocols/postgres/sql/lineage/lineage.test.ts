import { beforeAll, expect, test } from 'vitest'
import { lineageOf, walked } from '../../../../../src/protocols/postgres/sql/lineage/lineage.ts'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { NAMES, one } from '../sample.ts'
import { lineage, OPTIONS } from './shown.ts'

beforeAll(loadParser)

test('each output says what it is, on what it hangs, and what the client meets', () => {
  expect(lineage('SELECT id, email, upper(ssn) AS u FROM customers WHERE name = $1')).toEqual({
    outputs: [
      { name: 'id', columns: ['public.customers.id'], how: 'identity', masked: undefined },
      {
        name: 'email',
        columns: ['public.customers.email'],
        how: 'identity',
        masked: { type: 'redact' },
      },
      { name: 'u', columns: ['public.customers.ssn'], how: 'total', masked: { type: 'redact' } },
    ],
    deciding: ['public.customers.name'],
    refusal: undefined,
  })
})

test('one entry a statement; none of what cannot be read', () => {
  expect(lineageOf('SELECT 1; SELECT 2', OPTIONS)).toHaveLength(2)
  expect(lineageOf('SELEC 1', OPTIONS)).toBeUndefined()
  expect(lineageOf('SELECT id FROM orders', { ...OPTIONS, masked: undefined })).toHaveLength(1)
})

test('a relation that hides a masked one on the path may be that one when it runs', () => {
  const names = { ...NAMES, searchPath: ['pg_temp', 'pg_catalog', 'public'] }
  const temporary = { ...NAMES.catalogue.relation(20002)!, oid: 30001 }
  const own = [{ ...temporary, schema: 'pg_temp', name: 'customers' }]
  const options = { ...OPTIONS, names: { ...names, own } }
  expect(walked(one('SELECT total FROM customers'), options).walk.refusal).toBeDefined()
  expect(walked(one('SELECT total FROM pg_temp.customers'), options).walk.refusal).toBeUndefined()
})
