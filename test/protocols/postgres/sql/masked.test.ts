import { beforeAll, describe, expect, test } from 'vitest'
import type { ActionClass } from '../../../../src/decide/action.ts'
import type { MaskedColumns } from '../../../../src/mask/plan.ts'
import { maskFinding } from '../../../../src/protocols/postgres/sql/masked.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { MASKED, masks, NAMES, one, resolve } from './sample.ts'

beforeAll(loadParser)

function find(
  text: string,
  masked: MaskedColumns | 'none' = MASKED,
  classes: ActionClass[] = ['read'],
) {
  return maskFinding(one(text), {
    names: NAMES,
    masked: masked === 'none' ? undefined : masked,
    classes,
    resolve,
  })
}

describe('passes, because the row description says which column comes out', () => {
  test.each([
    'SELECT email FROM customers',
    'SELECT * FROM customers',
    'TABLE customers',
    'SELECT c.*, o.id FROM customers c JOIN orders o ON o.customer_id = c.id',
    'SELECT c.email AS mail FROM public.customers AS c WHERE id = 1 ORDER BY name LIMIT 5',
    'SELECT public.customers.email FROM public.customers',
    'SELECT a FROM customers AS c(x, y, a)',
    'SELECT id, email FROM customers WHERE email IS NOT NULL',
    'INSERT INTO customers (id, email) VALUES (1, $1) RETURNING email',
    "UPDATE customers SET email = 'x' WHERE id = 1 RETURNING *",
    'DELETE FROM customers WHERE id = 1 RETURNING email',
    'COPY customers TO STDOUT',
    'COPY customers (id, email) TO STDOUT WITH (FORMAT csv)',
    'COPY customers FROM STDIN',
    'PREPARE p AS SELECT email FROM customers WHERE id = $1',
    'DECLARE c CURSOR FOR SELECT email FROM customers',
    'EXPLAIN (COSTS OFF) SELECT email FROM customers',
    'SELECT pid, query FROM pg_stat_activity',
    'INSERT INTO customers (id, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET email = excluded.email',
    'WITH o AS (SELECT customer_id FROM orders) SELECT email FROM customers JOIN o ON o.customer_id = customers.id',
    'SELECT email, g FROM customers, generate_series(1, 2) g WHERE g = id',
  ])('%s', (text) => {
    expect(find(text)).toMatchObject({ touches: true, refusal: undefined })
  })
})

describe('does not touch', () => {
  test.each([
    'SELECT id, name FROM customers WHERE id = 1',
    'SELECT count(*) FROM customers',
    'SELECT upper(name), count(*) FROM customers GROUP BY upper(name) ORDER BY 2 DESC',
    "UPDATE customers SET name = 'x' WHERE id = 1",
    'SELECT * FROM orders WHERE id IN (SELECT customer_id FROM orders)',
    'SELECT * FROM customer_names',
    'SELECT 1',
    'SELECT 1 FROM nosuch',
    'WITH x AS (SELECT id, name FROM customers) SELECT x.name, count(*) FROM x GROUP BY 1',
    'SELECT s.n FROM (SELECT name AS n FROM customers) s ORDER BY n',
    'SELECT o.id FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id)',
    'SELECT name AS email FROM customers ORDER BY name',
    'SELECT ctid, tableoid FROM customers',
    'EXPLAIN SELECT id FROM customers WHERE id = 1',
    'CREATE INDEX ON customers (name)',
    'CREATE VIEW v AS SELECT id, name FROM customers',
    'ALTER TABLE customers ADD COLUMN age int DEFAULT 0',
    'ALTER TABLE customers RENAME COLUMN name TO label',
    'COPY (SELECT id FROM customers) TO STDOUT',
    'SELECT pid FROM pg_stat_activity WHERE pid = 5',
    'BEGIN',
    'SELECT id FROM events',
    'SELECT total, name FROM customers JOIN (SELECT customer_id, total FROM orders) o ON o.customer_id = customers.id',
  ])('%s', (text) => {
    expect(find(text)).toEqual({ touches: false, refusal: undefined, rules: [] })
  })
})

describe('is refused', () => {
  test.each([
    // Expressions over it
    'SELECT upper(email) FROM customers',
    "SELECT email || '' FROM customers",
    'SELECT email::text FROM customers',
    'SELECT email COLLATE "C" FROM customers',
    'SELECT customers FROM customers',
    'SELECT c FROM customers c',
    'SELECT (c).email FROM customers c',
    'SELECT (c.*)::text FROM customers c',
    'SELECT row_to_json(c) FROM customers c',
    'SELECT c.row_to_json FROM customers c',
    'SELECT array_agg(email) FROM customers',
    'SELECT count(email) FROM customers',
    'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY email) FROM customers',
    "SELECT CASE WHEN email = 'x' THEN 1 END FROM customers",
    'SELECT (SELECT email FROM customers LIMIT 1)',
    'SELECT ROW(email) FROM customers',
    'SELECT ARRAY[email] FROM customers',
    'SELECT nosuch FROM customers',
    'SELECT lag(email) OVER () FROM customers',
    'SELECT coalesce(email, name) FROM customers',
    'SELECT generate_series(1, length(ssn)) FROM customers',
    'SELECT pg_sleep(ascii(email)) FROM customers',
    // Sub-queries, set operations, views, copies
    'SELECT email FROM (SELECT email FROM customers) s',
    'SELECT * FROM (SELECT * FROM customers) s',
    'WITH x AS (SELECT email FROM customers) SELECT * FROM x',
    'WITH customers AS (SELECT * FROM customers) SELECT * FROM customers',
    'WITH RECURSIVE r AS (SELECT email FROM customers UNION ALL SELECT * FROM r) SELECT 1',
    'WITH d AS (DELETE FROM customers WHERE id = 1 RETURNING email) SELECT * FROM d',
    'SELECT email FROM customers UNION ALL SELECT status FROM orders',
    'SELECT email FROM customers EXCEPT SELECT $1',
    'SELECT * FROM customer_mails',
    'SELECT id FROM customer_mails',
    'SELECT count(*) FROM over_view',
    'COPY (SELECT email FROM customers) TO STDOUT',
    'COPY customers TO STDOUT WITH (FORMAT binary)',
    'CREATE TABLE x AS SELECT email FROM customers',
    'CREATE TABLE x AS EXECUTE p',
    'SELECT * INTO x FROM customers',
    'CREATE MATERIALIZED VIEW m AS SELECT * FROM customers',
    'CREATE VIEW v AS SELECT email FROM customers',
    'INSERT INTO orders (status) SELECT email FROM customers',
    'INSERT INTO orders (status) VALUES ((SELECT email FROM customers LIMIT 1))',
    'UPDATE customers SET notes = email WHERE id = 1',
    'UPDATE customers SET (notes, name) = (email, ssn) WHERE id = 1',
    'UPDATE orders o SET status = c.email FROM customers c WHERE c.id = o.customer_id',
    'MERGE INTO orders o USING customers c ON o.id = c.id WHEN MATCHED THEN UPDATE SET status = c.email',
    'MERGE INTO orders o USING customers c ON o.id = c.id WHEN NOT MATCHED THEN INSERT VALUES (1, 1, 1, c.ssn)',
    'INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET notes = customers.email',
    'SELECT l FROM customers, LATERAL (SELECT email AS l) s',
    'SELECT x FROM customers, unnest(string_to_array(email, NULL)) x',
    'SELECT j.email FROM (customers JOIN orders ON true) j',
    'SELECT a FROM (customers JOIN orders ON true) j(a, b, c)',
    // Predicates
    "SELECT id FROM customers WHERE email = 'x'",
    "SELECT id FROM customers WHERE ssn LIKE '1%'",
    'SELECT id FROM customers ORDER BY email',
    'SELECT email FROM customers ORDER BY 1',
    'SELECT *, id FROM customers ORDER BY 3',
    'SELECT email AS e FROM customers ORDER BY e',
    'SELECT email AS e FROM customers GROUP BY e',
    'SELECT email FROM customers GROUP BY (1, 1)',
    'SELECT name, email FROM customers GROUP BY GROUPING SETS ((1, (2)), ROLLUP ((1, 2)))',
    'SELECT count(*) FROM customers GROUP BY email',
    'SELECT count(*) FROM customers GROUP BY ROLLUP (email)',
    'SELECT count(*) FROM customers HAVING max(email) > $1',
    'SELECT DISTINCT email FROM customers',
    'SELECT DISTINCT * FROM customers',
    'SELECT DISTINCT ON (email) id FROM customers',
    "SELECT count(*) FILTER (WHERE email LIKE 'a%') FROM customers",
    'SELECT row_number() OVER (ORDER BY email) FROM customers',
    'SELECT row_number() OVER w FROM customers WINDOW w AS (PARTITION BY email)',
    'SELECT array_agg(id ORDER BY email) FROM customers',
    'SELECT 1 FROM customers LIMIT (SELECT length(ssn) FROM customers LIMIT 1)',
    'SELECT o.id FROM orders o JOIN customers c ON c.email = o.status',
    'SELECT 1 FROM customers JOIN contacts USING (email)',
    'SELECT 1 FROM customers NATURAL JOIN contacts',
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM customers WHERE email = 'x')",
    'SELECT id FROM orders WHERE $1 IN (SELECT email FROM customers)',
    "DELETE FROM customers WHERE email = 'x'",
    "UPDATE orders SET total = 1 FROM customers c WHERE c.email = 'x'",
    'INSERT INTO customers (email) VALUES ($1) ON CONFLICT (email) DO NOTHING',
    'INSERT INTO customers (email) VALUES ($1) ON CONFLICT DO NOTHING',
    'CREATE INDEX ON customers (email)',
    'CREATE INDEX ON customers (lower(email))',
    "CREATE INDEX ON customers (id) WHERE email = 'x'",
    'CREATE STATISTICS s ON email, name FROM customers',
    'CREATE TABLE x (e text REFERENCES customers (email))',
    'CREATE TABLE x (e text REFERENCES customers)',
    "ALTER TABLE customers ADD CHECK (email <> 'x')",
    'ALTER TABLE customers ADD UNIQUE (email)',
    'ALTER TABLE orders ADD FOREIGN KEY (status) REFERENCES customers (email)',
    'ALTER TABLE customers ADD COLUMN x text GENERATED ALWAYS AS (email) STORED',
    // Moving what is marked
    'ALTER TABLE customers RENAME TO c2',
    'ALTER TABLE customers RENAME COLUMN email TO e',
    'ALTER TABLE customers ALTER COLUMN email TYPE bytea USING email::bytea',
    'ALTER TABLE customers ALTER COLUMN name TYPE text USING email',
    'ALTER TABLE customers SET SCHEMA other',
    'ALTER SCHEMA public RENAME TO other',
    'ALTER TABLE customers INHERIT orders',
    'ALTER TABLE orders ATTACH PARTITION customers DEFAULT',
    'ALTER TABLE events DETACH PARTITION events_1',
    'CREATE TABLE x () INHERITS (customers)',
    'CREATE TABLE x PARTITION OF customers DEFAULT',
    // The rest
    'EXPLAIN SELECT email FROM customers',
    'EXPLAIN (ANALYZE, COSTS OFF, SERIALIZE TEXT) SELECT email FROM customers',
    'EXPLAIN (COSTS OFF, COSTS ON) SELECT email FROM customers',
    'EXPLAIN EXECUTE p',
    "EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = 'x'",
    'PREPARE p AS SELECT id FROM customers WHERE email = $1',
    'DECLARE c CURSOR FOR SELECT upper(email) FROM customers',
    'SELECT body FROM events',
    'SELECT upper(query) FROM pg_stat_activity',
    'SELECT x FROM nosuch',
    'INSERT INTO customers (id) VALUES (1) RETURNING old.email',
    'CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT * FROM customers',
  ])('%s', (text) => {
    const finding = find(text)
    expect(finding.refusal?.reason).toMatch(/\.$/)
    expect(finding.refusal?.hint).toMatch(/\.$/)
  })
})

describe('a name in a part of FROM never hides one that the target would mean', () => {
  test.each([
    'SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM orders a JOIN pairs b ON (ssn = $1), contacts x)',
    'SELECT 1 FROM customers WHERE EXISTS (SELECT 1 FROM contacts, (SELECT email AS y) s WHERE s.y = $1)',
    'SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM contacts c2, (SELECT c.email AS y) s)',
  ])('%s', (text) => {
    expect(find(text).refusal).toBeDefined()
  })
})

describe('in_predicates: allow', () => {
  const allowed = masks([{ relation: 20001, column: 3, mask: { inPredicates: 'allow' } }])
  test.each([
    "SELECT id, email FROM customers WHERE lower(email) = 'x' ORDER BY email",
    'SELECT DISTINCT email FROM customers',
    'SELECT email, count(*) FROM customers GROUP BY email HAVING email > $1',
    'INSERT INTO customers (email) VALUES ($1) ON CONFLICT (email) DO NOTHING',
  ])('lets %s pass', (text) => {
    expect(find(text, allowed)).toMatchObject({ touches: true, refusal: undefined })
  })

  test.each([
    'SELECT upper(email) FROM customers',
    "SELECT id FROM customers WHERE set_config('a.b', email, false) = 'x'",
    'SELECT id FROM customers WHERE pg_advisory_lock(ascii(email)) IS NULL',
    'SELECT email FROM customers FULL JOIN contacts USING (email)',
    'SELECT $1 IN (SELECT email FROM customers)',
  ])('still refuses %s', (text) => {
    expect(find(text, allowed).refusal).toBeDefined()
  })
})

describe('masks bind code', () => {
  test.each([
    ['SELECT f(1)', ['read', 'execute']],
    ['DO $$ BEGIN END $$', ['execute']],
    ["COPY orders TO '/tmp/x'", ['read', 'admin']],
    ["COPY orders FROM PROGRAM 'ls'", ['write', 'admin']],
    ["SELECT pg_read_file('x')", ['read', 'admin']],
    ["SELECT pg_terminate_backend(1), pg_newly_invented('x')", ['read', 'admin']],
    ['SELECT * FROM pg_stat_get_activity(NULL)', ['read']],
    ["SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)", ['admin']],
    ['CREATE PUBLICATION p FOR ALL TABLES', ['admin']],
    ["ALTER SYSTEM SET archive_command = 'x'", ['admin']],
    ['CREATE DATABASE d TEMPLATE shop', ['admin']],
    ['CREATE EXTENSION dblink', ['admin']],
  ] as [string, ActionClass[]][])('%s is refused', (text, classes) => {
    expect(find(text, MASKED, classes).refusal).toBeDefined()
  })

  test.each([
    'GRANT SELECT ON orders TO bob',
    'VACUUM customers',
    'SET ROLE bob',
    'SELECT pg_terminate_backend(1)',
    'CREATE ROLE bob',
  ])('%s is administration that moves no value', (text) => {
    expect(find(text, MASKED, ['admin']).refusal).toBeUndefined()
  })

  test('without a mask nothing is found', () => {
    expect(find('SELECT f(email) FROM customers', 'none', ['execute']).refusal).toBeUndefined()
  })
})

describe('other masks', () => {
  test('what only watches refuses nothing', () => {
    const watching = masks([{ relation: 20001, column: 3, mask: { monitor: true } }])
    const finding = find('SELECT upper(email), f(1) FROM customers', watching, ['execute'])
    expect(finding).toEqual({ touches: true, refusal: undefined, rules: ['test/0'] })
    expect(find('SELECT * FROM customer_mails', watching).refusal).toBeUndefined()
  })

  test('with null, whether a value is there is hidden too', () => {
    const nulled = masks([{ relation: 20001, column: 3, mask: { transform: { type: 'null' } } }])
    expect(find('SELECT id FROM customers WHERE email IS NULL', nulled).refusal).toBeDefined()
  })

  test('a refusal names the column', () => {
    const reason = find('SELECT upper(c.ssn) FROM customers c').refusal?.reason
    expect(reason).toContain('public.customers.ssn')
  })
})
