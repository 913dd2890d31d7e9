import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage, shown } from './shown.ts'

beforeAll(loadParser)

test.each([
  ['INSERT INTO contacts VALUES (1) RETURNING email', ['email identity contacts.email']],
  ['UPDATE orders SET total = 1 RETURNING new.total', ['total identity orders.total']],
  ['DELETE FROM orders USING pairs RETURNING *, 1', undefined],
  [
    'MERGE INTO pairs p USING contacts c ON p.a = c.email WHEN MATCHED THEN DELETE RETURNING p.b',
    ['b identity pairs.b'],
  ],
  [
    `MERGE INTO customers c USING (SELECT 1 AS id, 'x' AS email) s ON c.id = s.id WHEN MATCHED THEN DELETE
      RETURNING old.email`,
    ['email identity customers.email'],
  ],
  [
    `MERGE INTO customers c USING orders o ON c.id = o.id WHEN MATCHED THEN DELETE
      RETURNING WITH (OLD AS o1) upper(o1.email)`,
    ['upper total customers.email'],
  ],
])('%s', (text, wanted) => {
  if (wanted === undefined) expect(shown(text)).toHaveLength(9)
  else expect(shown(text)).toEqual(wanted)
})

test.each([
  'UPDATE customers SET notes = email',
  'UPDATE customers SET (notes, name) = (SELECT ssn, 1)',
  'INSERT INTO contacts (email) SELECT upper(email) FROM customers',
  'INSERT INTO contacts (email) VALUES ((SELECT max(email) FROM customers))',
  'INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET notes = customers.email',
  'INSERT INTO customers (email) VALUES ($1) ON CONFLICT DO NOTHING',
  'MERGE INTO pairs p USING customers c ON p.a = c.id WHEN NOT MATCHED THEN INSERT VALUES (c.ssn)',
])('%s is refused', (text) => {
  expect(lineage(text).refusal).toBeDefined()
})
