import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { findMasked, masks } from '../sample.ts'

beforeAll(loadParser)

/** A column of the view customer_mails, or one of the table customers, that could tell. */
const VIEW = masks([{ relation: 20010, column: 2, mask: { fallible: true } }])
const TABLE = masks([{ relation: 20001, column: 3, mask: { fallible: true } }])
const WATCHED = masks([{ relation: 20010, column: 2, mask: { fallible: true, monitor: true } }])

test.each([
  'SELECT id FROM customer_mails FOR SHARE',
  'SELECT id FROM (SELECT id FROM customer_mails) x FOR UPDATE',
  'SELECT o.id FROM orders o, customer_mails v FOR UPDATE OF o',
  'UPDATE orders SET id = v.id FROM customer_mails v',
  'SELECT id FROM over_view FOR UPDATE',
  'UPDATE orders SET id = v.id FROM over_view v',
  'DELETE FROM orders USING customer_mails v WHERE v.id = orders.id',
  'MERGE INTO orders USING customer_mails v ON v.id = orders.id WHEN MATCHED THEN DELETE',
])('a view is computed whole: %s', (text) => {
  expect(findMasked(text, VIEW)).toMatchObject({
    touches: true,
    refusal: { reason: expect.stringContaining('is computed from masked') },
  })
  expect(findMasked(text, WATCHED).refusal).toBeUndefined()
})

test('a table is not, nor is a view that is only read', () => {
  expect(findMasked('SELECT id FROM customers FOR SHARE', TABLE).refusal).toBeUndefined()
  const changed = 'UPDATE orders SET id = c.id FROM customers c'
  expect(findMasked(changed, TABLE).refusal).toBeUndefined()
  expect(findMasked('SELECT id FROM customer_mails', VIEW).refusal).toBeUndefined()
  expect(findMasked('SELECT id FROM over_view', VIEW).refusal).toBeUndefined()
})
