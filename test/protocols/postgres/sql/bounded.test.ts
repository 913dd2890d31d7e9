import { beforeAll, describe, expect, test } from 'vitest'
import { boundsOf } from '../../../../src/protocols/postgres/sql/bounded.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one, resolve } from './sample.ts'

beforeAll(loadParser)

const bounds = (text: string) => boundsOf(one(text), resolve)

describe('bounded', () => {
  test.each([
    'SELECT * FROM customers',
    'UPDATE customers SET name = $1 WHERE id = 1',
    'UPDATE customers SET name = $1 WHERE 1 = id AND name LIKE $2',
    "DELETE FROM customers c WHERE c.id IN (1, 2, $3) AND c.name <> 'x'",
    'DELETE FROM customers WHERE id = ANY($1::int[])',
    "DELETE FROM customers WHERE id = ANY('{1,2}')",
    'DELETE FROM customers WHERE id = ANY(ARRAY[1, 2])',
    "DELETE FROM customers WHERE ctid = '(0,1)'",
    'DELETE FROM customers WHERE (id, name) = (1, $2)',
    "DELETE FROM customers WHERE (id, name) IN ((1, 'a'), (2, 'b'))",
    'DELETE FROM customers WHERE id = 1 OR id = 2 OR (name = $1 AND email LIKE $2)',
    'DELETE FROM customers WHERE id = -1 + 2',
    'DELETE FROM public.customers WHERE public.customers.id = 1',
    "UPDATE customers t SET name = v.n FROM (VALUES (1, 'a'), (2, 'b')) v(id, n) WHERE t.id = v.id",
    'UPDATE customers t SET name = u.n FROM unnest($1::int[], $2::text[]) u(id, n) WHERE t.id = u.id',
    "INSERT INTO customers VALUES (1, 'x'), (2, 'y')",
    'INSERT INTO customers DEFAULT VALUES',
    'INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name',
    'INSERT INTO orders SELECT * FROM customers WHERE id = 5',
    'INSERT INTO orders SELECT * FROM customers LIMIT 10',
    'COPY customers FROM STDIN',
    'COPY customers TO STDOUT',
    "SELECT nextval('s')",
    'UPDATE customers SET name = $1 WHERE CURRENT OF c',
    'MERGE INTO customers t USING (VALUES (1)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)',
    'WITH d AS (DELETE FROM customers WHERE id = 1 RETURNING *) SELECT * FROM d',
    'BEGIN',
    "SET timezone = 'UTC'",
  ])('%s', (text) => {
    expect(bounds(text).bounded).toBe(true)
  })
})

describe('not bounded', () => {
  test.each(
    [
      'DELETE FROM customers',
      'DELETE FROM customers WHERE true',
      'DELETE FROM customers WHERE 1 = 1',
      'DELETE FROM customers WHERE id = id',
      'DELETE FROM customers WHERE id IS NOT NULL OR true',
      'DELETE FROM customers WHERE id = 1 OR name IS NOT NULL',
      'DELETE FROM customers WHERE NOT id = 1',
      'DELETE FROM customers WHERE id <> 1',
      'DELETE FROM customers WHERE id > 1',
      'DELETE FROM customers WHERE id NOT IN (1)',
      'DELETE FROM customers WHERE id <> ALL($1)',
      'DELETE FROM customers WHERE id <> ANY($1)',
      'DELETE FROM customers WHERE id IN (SELECT id FROM customers)',
      'DELETE FROM customers WHERE id = (SELECT max(id) FROM customers)',
      'DELETE FROM customers WHERE id = random()::int',
      'DELETE FROM customers WHERE id = abs(1)',
      'DELETE FROM customers WHERE id IN (1, id)',
      'DELETE FROM customers WHERE id = ANY(ARRAY[id])',
      'DELETE FROM customers WHERE (id, name) = (id, name)',
      'DELETE FROM customers WHERE id::text = $1',
      'DELETE FROM customers WHERE lower(name) = $1',
      'DELETE FROM customers WHERE tableoid = 20001',
      'DELETE FROM customers WHERE nosuch = 1',
      'DELETE FROM orders WHERE double_total = 0',
      'DELETE FROM orders USING customers WHERE customer_id = 5',
      'DELETE FROM orders o USING customers c WHERE c.id = 5',
      'DELETE FROM orders o USING customers c WHERE o.customer_id = c.id',
      'UPDATE orders o SET total = 0 FROM (SELECT id FROM customers) v WHERE o.customer_id = v.id',
      'UPDATE orders o SET total = 0 FROM generate_series(1, 9) v(id) WHERE o.id = v.id',
      "UPDATE orders o SET total = 0 FROM unnest('{1}'::int[]) v(id), customers WHERE customer_id = v.id",
      'DELETE FROM customer_names WHERE id = 1',
      'INSERT INTO orders SELECT * FROM customers',
      'INSERT INTO orders SELECT * FROM customers WHERE true',
      'INSERT INTO orders SELECT * FROM customers, orders WHERE id = 1',
      'INSERT INTO orders SELECT generate_series(1, 100) FROM customers WHERE id = 1',
      'INSERT INTO orders SELECT * FROM customers ORDER BY id FETCH FIRST 1 ROW WITH TIES',
      'INSERT INTO orders SELECT * FROM customers LIMIT ALL',
      'INSERT INTO orders SELECT * FROM (SELECT * FROM customers LIMIT 1) x, orders',
      'INSERT INTO orders (id) VALUES (generate_series(1, 100000))',
      'INSERT INTO orders (id) VALUES ((ARRAY(SELECT id FROM orders)).unnest)',
      'INSERT INTO orders SELECT (ARRAY(SELECT id FROM orders)).unnest FROM customers WHERE id = 1',
      'INSERT INTO orders SELECT (information_schema._pg_expandarray($1::int[])).n FROM customers WHERE id = 1',
      'WITH customers AS (SELECT 1) INSERT INTO orders SELECT * FROM customers WHERE id = 1',
      'WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d WHERE id = 1',
      'WITH d AS (DELETE FROM customers) UPDATE customers SET name = $1 WHERE id = 1',
      'MERGE INTO customers t USING orders s ON t.id = s.id WHEN MATCHED THEN DELETE',
      'MERGE INTO customers t USING orders s ON t.id = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)',
      'MERGE INTO customers t USING (VALUES (1)) s(id) ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE',
      'EXPLAIN ANALYZE DELETE FROM customers',
      'PREPARE p AS DELETE FROM customers',
      'TRUNCATE customers',
      "SELECT setval('s', 1)",
      'SELECT lo_unlink(5)',
      "COPY customers TO '/tmp/x'",
      "COPY customers FROM PROGRAM 'ls'",
      'CREATE TABLE x AS SELECT 1',
      'SELECT 1 INTO x',
      'ALTER TABLE customers DROP COLUMN name',
      'REFRESH MATERIALIZED VIEW m',
    ].filter((text) => !text.includes('c(b, a)')),
  )('%s', (text) => {
    expect(bounds(text).bounded).toBe(false)
  })

  test('a name is taken for a column of the table when there is no catalogue', () => {
    const free = boundsOf(one('DELETE FROM t WHERE id = 1'), () => undefined)
    expect(free).toMatchObject({ bounded: true, byKey: false })
  })
})

describe('by_key', () => {
  test.each([
    ['DELETE FROM pairs WHERE a = 1 AND b = 2', true],
    ['DELETE FROM pairs WHERE (a, b) IN ((1, 2), (3, 4))', true],
    ['DELETE FROM pairs WHERE a = 1', false],
    ['DELETE FROM pairs WHERE a = 1 OR b = 2', false],
    ['DELETE FROM customers WHERE id = 1 OR id = 2', true],
    ['DELETE FROM customers WHERE id = 1 OR name = $1', false],
    ['INSERT INTO customers VALUES (1)', false],
    ['SELECT 1 FROM customers WHERE id = 1', false],
  ])('%s: %s', (text, wanted) => {
    expect(bounds(text).byKey).toBe(wanted)
  })
})

describe('where', () => {
  test.each([
    ['DELETE FROM customers', false, false],
    ['DELETE FROM customers WHERE true', true, true],
    ['DELETE FROM customers WHERE id = 1', true, false],
    ['SELECT * FROM customers', false, false],
    ['SELECT * FROM customers WHERE 1 = 1', true, true],
    ['EXPLAIN SELECT * FROM customers WHERE id = 1', true, false],
    ['WITH d AS (DELETE FROM customers) SELECT 1 WHERE false', false, false],
    ['INSERT INTO customers VALUES (1)', false, false],
  ])('%s: has %s, always true %s', (text, has, always) => {
    expect(bounds(text)).toMatchObject({ hasWhere: has, whereAlwaysTrue: always })
  })
})
