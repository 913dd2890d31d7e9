import { beforeAll, expect, test } from 'vitest'
import type { ColumnMask } from '../../../../../src/mask/plan.ts'
import { maskedColumns } from '../../../../../src/mask/resolve-masks.ts'
import type { Transform } from '../../../../../src/mask/transform-spec.ts'
import { maskFinding } from '../../../../../src/protocols/postgres/sql/masked.ts'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { NAMES, one } from '../sample.ts'

beforeAll(loadParser)

const CUSTOMERS = 20001
const mask = (name: string, transform: Transform, monitor = false): ColumnMask => ({
  transform,
  inPredicates: 'deny',
  derived: 'mask',
  monitor,
  rule: 'p/mask-1',
  name: `public.customers.${name}`,
})

const typed = (typeOid: number) => ({
  ...NAMES,
  catalogue: {
    ...NAMES.catalogue,
    relation: (oid: number) => {
      const found = NAMES.catalogue.relation(oid)
      return found && { ...found, columns: found.columns.map((one) => ({ ...one, typeOid })) }
    },
    relationByName: (schema: string, name: string) => {
      const found = NAMES.catalogue.relationByName(schema, name)
      return found && { ...found, columns: found.columns.map((one) => ({ ...one, typeOid })) }
    },
  },
})

/** customers.email has pseudonyms, ssn is redacted. */
function find(text: string, monitor = false, names = NAMES) {
  const columns = new Map([
    [3, mask('email', { type: 'pseudonym', domain: 'd' }, monitor)],
    [4, mask('ssn', { type: 'redact' }, monitor)],
  ])
  const masked = maskedColumns(new Map([[CUSTOMERS, columns]]), 'key')
  const options = { names, masked, functionsRead: [], identityParameter: undefined }
  return maskFinding(one(text), options, ['read'])
}

/** `$1`, or the literal and where it stands. */
function opens(text: string): (string | number)[] | undefined {
  const { opens: found, refusal } = find(text)
  expect([text, refusal]).toEqual([text, undefined])
  return (
    found && [
      ...found.literals.flatMap((literal) => [literal.text, literal.at]),
      ...found.parameters.map(({ number, array }) => `$${number}${array ? '[]' : ''}`),
      ...found.checks.map(({ number }) => `!$${number}`),
    ]
  )
}

test.each([
  ["SELECT id FROM customers WHERE email = 'p'", ['p', 39]],
  ["SELECT id FROM customers WHERE 'p' = email", ['p', 31]],
  ["SELECT id FROM customers WHERE ä = 1 OR email = 'p'".replace('ä', 'id'), ['p', 49]],
  ["SELECT 'ü' FROM customers WHERE email IN ('p', 'q')", ['p', 43, 'q', 48]],
  ["SELECT id FROM customers WHERE email = 'p'::text AND name = 'x'", ['p', 39]],
  ['SELECT id FROM customers WHERE email = $1 AND name = $2', ['$1']],
  ['SELECT id FROM customers WHERE email IN ($1, $2, $1)', ['$1', '$2', '$1']],
  ['SELECT id FROM customers WHERE email = ANY($1)', ['$1[]']],
  ['SELECT id FROM customers WHERE email = ANY(ARRAY[$1, $2])', ['$1', '$2']],
  ['SELECT m FROM (SELECT id, email AS m FROM customers) s WHERE m = $1', ['$1']],
  ['SELECT count(*) FROM orders o JOIN customers c ON c.email = $1 AND c.id = o.id', ['$1']],
  ['DELETE FROM customers WHERE email = $1', ['$1']],
  ['UPDATE customers SET email = $1 WHERE email = $1', ['$1', '$1']],
  ['UPDATE customers SET ssn = $1, name = $2 WHERE id = 1', ['!$1']],
  ['INSERT INTO customers (id, email, ssn) VALUES ($1, $2, $3), (1, NULL, DEFAULT)', ['$2', '!$3']],
  ['INSERT INTO customers VALUES (1, $1, $2)', ['$2']],
  [
    'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET email = excluded.email',
    ['$1'],
  ],
  ["DECLARE c CURSOR FOR SELECT id FROM customers WHERE email = 'p'", ['p', 60]],
  ['SELECT email FROM customers WHERE id = $1', undefined],
  ["SELECT email FROM customers WHERE name = 'p'", undefined],
])('%s', (text, wanted) => {
  expect(opens(text)).toEqual(wanted)
})

test.each([
  'SELECT $1, id FROM customers WHERE email = $1',
  'SELECT id FROM customers WHERE email = $1 AND name = $1',
  'SELECT id FROM customers WHERE email = $1 LIMIT length($1)',
  'SELECT id FROM customers WHERE email = $1 OR email = ANY($1)',
  'SELECT id FROM customers WHERE email <> $1',
  'SELECT id FROM customers WHERE email = lower($1)',
  'SELECT id FROM customers WHERE email = $1::varchar(3)',
  'SELECT id FROM customers WHERE email = $1::int',
  'SELECT id FROM customers WHERE lower(email) = $1',
  'SELECT id FROM customers WHERE email NOT IN ($1)',
  'SELECT id FROM customers WHERE email = ALL($1)',
  'SELECT id FROM customers WHERE email OPERATOR(public.=) $1',
  'SELECT email = $1 FROM customers',
  'SELECT id FROM customers WHERE ssn = $1',
  "UPDATE customers SET name = 'x' WHERE email = 'p'",
  "UPDATE customers SET email = 'p'",
  "WITH d AS (DELETE FROM orders) SELECT id FROM customers WHERE email = 'p'",
  "SELECT id INTO x FROM customers WHERE email = 'p'",
  "CREATE TABLE x AS SELECT id FROM customers WHERE email = 'p'",
  "CREATE VIEW x AS SELECT id FROM customers WHERE email = 'p'",
  "EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = 'p'",
  'EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = $1',
  'PREPARE p AS SELECT id FROM customers WHERE email = $1',
  "COPY (SELECT id FROM customers WHERE email = 'p') TO STDOUT",
  'UPDATE customers SET email = lower($1)',
  // EXCLUDED holds what the pseudonym stands for.
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = excluded.email',
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET ssn = excluded.email',
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = left(excluded.email, 1)',
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET (id, name) = (1, excluded.email)',
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = (SELECT excluded.email)',
  "INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE excluded.email LIKE 'a%'",
  'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = row_to_json(excluded)::text',
  "UPDATE customers SET ssn = '****'",
  'UPDATE customers SET (id, email) = (SELECT 1, name FROM orders)',
  'INSERT INTO customers (id, email) SELECT id, status FROM orders',
  'INSERT INTO customers (id, email) VALUES (1, status)',
  "INSERT INTO customers (id, ssn) VALUES (1, '****')",
  'COPY customers FROM STDIN',
  'COPY customers (id, email) FROM STDIN',
])('%s is refused', (text) => {
  expect([text, find(text).refusal]).toEqual([text, expect.any(Object)])
})

test('masks that only watch open nothing and refuse nothing', () => {
  for (const text of [
    'SELECT id FROM customers WHERE email = $1 AND name = $1',
    "UPDATE customers SET email = 'x', ssn = '****'",
    'COPY customers FROM STDIN',
  ]) {
    expect(find(text, true)).toMatchObject({ refusal: undefined })
    expect(find(text, true).opens).toBeUndefined()
  }
})

test('a column whose type is not known is not written to under pseudonyms: guesses could be compared', () => {
  const text = "UPDATE customers SET email = $1 WHERE id = '1'"
  // name, "char", a domain or enum of users
  for (const oid of [19, 18, 20100])
    expect([oid, find(text, false, typed(oid)).refusal?.reason]).toEqual([
      oid,
      expect.stringContaining('nothing but pseudonyms'),
    ])
  // numeric and timestamptz are shown as NULL, jsonb as redacted to who may write.
  for (const oid of [1700, 1184, 3802])
    expect([oid, find(text, false, typed(oid)).refusal]).toEqual([oid, undefined])
  expect(find('UPDATE customers SET email = NULL', false, typed(20100)).refusal).toBeUndefined()
})
