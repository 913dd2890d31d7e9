import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { findMasked as find, masks } from './sample.ts'

beforeAll(loadParser)

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
    'COPY customers TO STDOUT WITH (FORMAT binary)',
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

/** What becomes of each output: `=` the column's own transform, else that of what is derived, `-` clear. */
const COMES_BACK: readonly (readonly [text: string, outputs: string])[] = [
  ['SELECT id, email, upper(name) FROM customers', '- = -'],
  ['SELECT upper(email), length(ssn), md5(card) FROM customers', 'redact redact redact'],
  ["SELECT email || '', 'x' || email, concat(name, email) FROM customers", 'redact redact redact'],
  [
    'SELECT email::text, email::varchar(3), email COLLATE "C" FROM customers',
    'redact redact redact',
  ],
  ['SELECT substr(email, 2, 1), left(ssn, 3), ltrim(email) FROM customers', 'redact redact redact'],
  ['SELECT customers FROM customers', 'redact'],
  ['SELECT c, c.id FROM customers c', 'redact -'],
  ['SELECT (c).email, (c).id FROM customers c', '= -'],
  ['SELECT row_to_json(c), to_jsonb(c) FROM customers c', 'redact redact'],
  [
    'SELECT array_agg(email), count(email), count(*), min(email) FROM customers',
    'redact redact - redact',
  ],
  ["SELECT string_agg(email, ','), json_agg(c) FROM customers c", 'redact redact'],
  ['SELECT (SELECT email FROM customers LIMIT 1), ARRAY(SELECT ssn FROM customers)', '= redact'],
  ['SELECT ROW(email, id), ARRAY[email, name] FROM customers', 'redact redact'],
  [
    'SELECT lag(email) OVER (ORDER BY id), row_number() OVER (ORDER BY id) FROM customers',
    'redact -',
  ],
  ["SELECT coalesce(email, name), coalesce(name, 'x') FROM customers", 'redact -'],
  ['SELECT CASE WHEN id = 1 THEN email ELSE name END FROM customers', 'redact'],
  ['SELECT email = name, NOT email = ssn FROM customers', 'redact redact'],
  ['SELECT email IS NULL, email IS NOT NULL FROM customers', '- -'],
  ['SELECT e, n FROM (SELECT email AS e, name AS n FROM customers) s', '= -'],
  ['SELECT * FROM (SELECT * FROM customers) s', '- - = = = -'],
  ['WITH x AS (SELECT email, id FROM customers) SELECT * FROM x', '= -'],
  ['WITH x (a, b) AS (SELECT email, id FROM customers) SELECT b, a FROM x', '- ='],
  ['WITH customers AS (SELECT * FROM customers) SELECT id, email FROM customers', '- ='],
  [
    'WITH RECURSIVE r(a, n) AS (SELECT email, 1 FROM customers UNION ALL SELECT a, n + 1 FROM r WHERE n < 3) SELECT n, a FROM r',
    '- =',
  ],
  [
    'WITH RECURSIVE r(a, b, n) AS (SELECT name, email, 1 FROM customers UNION ALL SELECT b, a, n + 1 FROM r WHERE n < 3) SELECT a FROM r',
    'redact',
  ],
  ['WITH d AS (DELETE FROM customers WHERE id = 1 RETURNING email, id) SELECT * FROM d', '= -'],
  ['SELECT email FROM customers UNION ALL SELECT status FROM orders', 'redact'],
  ['SELECT email FROM customers UNION ALL SELECT email FROM customers', '='],
  ['SELECT email FROM customers UNION ALL SELECT ssn FROM customers ORDER BY $1', 'redact'],
  ['SELECT * FROM customer_mails', '- ='],
  ['COPY (SELECT id, email, upper(email) FROM customers) TO STDOUT', '- = redact'],
  ['SELECT l, s.n FROM customers, LATERAL (SELECT email AS l, name AS n) s', '= -'],
  ['SELECT j.email, j.status FROM (customers JOIN orders ON true) j', '= -'],
  ['SELECT upper(j.email) FROM (customers JOIN orders ON true) j', 'redact'],
  ['SELECT a FROM (customers JOIN orders ON true) j(a, b, c)', 'redact'],
  ['DECLARE c CURSOR FOR SELECT upper(email) FROM customers', 'redact'],
  ['SELECT body FROM events', '='],
  ['SELECT upper(query) FROM pg_stat_activity', 'redact'],
  ['INSERT INTO customers (id) VALUES (1) RETURNING old.email, id', '= -'],
  ['UPDATE customers SET name = $1 WHERE id = 1 RETURNING upper(email), name', 'redact -'],
  ['SELECT max(email) || ssn FROM customers', 'redact'],
  [
    'SELECT x.u FROM (SELECT upper(email) AS u FROM customers UNION ALL SELECT name FROM customers) x',
    'redact',
  ],
  ['VALUES ((SELECT email FROM customers LIMIT 1), 1)', 'redact -'],
  ['SELECT email, g FROM customers, generate_series(1, 2) g', '= -'],
]

describe('comes back masked, output by output', () => {
  test.each(COMES_BACK)('%s', (text, outputs) => {
    const finding = find(text)
    expect(finding.refusal).toBeUndefined()
    const shown = finding.outputs?.map((one) =>
      one === null ? '-' : one.relation === 0 ? one.transform.type : '=',
    )
    expect((shown ?? []).join(' ')).toBe(outputs)
  })

  test('the stronger mask wins, and partial and hash hold for a column itself only', () => {
    const mixed = masks([
      {
        relation: 20001,
        column: 3,
        mask: { transform: { type: 'partial', keepFirst: 0, keepLast: 4 } },
      },
      { relation: 20001, column: 4, mask: { transform: { type: 'fixed', value: 'x' } } },
      { relation: 20001, column: 5, mask: { transform: { type: 'null' } } },
    ])
    const types = (text: string) => find(text, mixed).outputs?.map((one) => one?.transform.type)
    expect(
      types('SELECT email, upper(email), ssn, upper(ssn), upper(card) FROM customers'),
    ).toEqual(['partial', 'redact', 'fixed', 'fixed', 'null'])
    expect(types('SELECT ssn || email, ssn || card, ssn || name FROM customers')).toEqual([
      'redact',
      'null',
      'fixed',
    ])
  })

  test('what policy does not let be derived is refused', () => {
    const denied = masks([{ relation: 20001, column: 3, mask: { derived: 'deny' } }])
    expect(find('SELECT email FROM customers', denied).refusal).toBeUndefined()
    expect(find('SELECT upper(email) FROM customers', denied).refusal).toBeDefined()
    expect(find('SELECT c FROM customers c', denied).refusal).toBeDefined()
  })

  test('a column of a view that could tell is refused in every use', () => {
    const told = masks([{ relation: 20010, column: 2, mask: { fallible: true } }])
    expect(find('SELECT id FROM customer_mails', told).refusal).toBeUndefined()
    expect(find('SELECT email FROM customer_mails', told).refusal).toBeDefined()
    expect(find('SELECT * FROM customer_mails', told).refusal).toBeDefined()
    expect(find('SELECT count(email) FROM customer_mails', told).refusal).toBeDefined()
  })

  test.each([
    'WITH x AS MATERIALIZED (SELECT * FROM customer_mails) SELECT id FROM x',
    'WITH x AS (UPDATE customer_mails SET id = id RETURNING *) SELECT id FROM x',
    'WITH x AS (INSERT INTO customer_mails (id) VALUES (1) RETURNING *) SELECT 1',
    'SELECT EXISTS (SELECT email FROM customer_mails OFFSET 0)',
    'SELECT id FROM (SELECT id, coalesce(email) FROM customer_mails) x',
    'SELECT 1 FROM customers WHERE id IN (SELECT id FROM (SELECT * FROM customer_mails) x)',
  ])('also where it is computed and nobody reads it: %s', (text) => {
    const told = masks([{ relation: 20010, column: 2, mask: { fallible: true } }])
    expect(find(text, told)).toMatchObject({
      touches: true,
      refusal: { reason: expect.stringContaining('is computed from masked') },
    })
    const watched = masks([{ relation: 20010, column: 2, mask: { fallible: true, monitor: true } }])
    expect(find(text, watched).refusal).toBeUndefined()
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
    'SELECT id FROM customer_mails',
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
    'SELECT (c.*)::text FROM customers c',
    'SELECT c.row_to_json FROM customers c',
    'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY email) FROM customers',
    "SELECT CASE WHEN email = 'x' THEN 1 END FROM customers",
    'SELECT nosuch FROM customers',
    'SELECT generate_series(1, length(ssn)) FROM customers',
    'SELECT pg_sleep(ascii(email)) FROM customers',
    'SELECT email FROM customers EXCEPT SELECT $1',
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
    'SELECT x FROM customers, unnest(string_to_array(email, NULL)) x',
    // What could tell a value by failing, by NULL, by its length, or by its effect
    'SELECT ascii(email) FROM customers',
    "SELECT substring(email from 'a+') FROM customers",
    'SELECT substring(email, name) FROM customers',
    'SELECT substr(email, length(ssn)) FROM customers',
    'SELECT substr(email, id::int) FROM customers',
    'SELECT email::int FROM customers',
    'SELECT 1 / (length(email) - 5) FROM customers',
    'SELECT length(email) + 1 FROM customers',
    'SELECT repeat(email, 1000) FROM customers',
    "SELECT (email = 'x' AND NULL)::text FROM customers",
    "SELECT email LIKE 'a%' FROM customers",
    "SELECT email IN ('x') FROM customers",
    "SELECT nullif(email, 'x') FROM customers",
    'SELECT greatest(email, name) FROM customers',
    "SELECT CASE email WHEN 'x' THEN 1 END FROM customers",
    "SELECT regexp_matches(email, 'a') FROM customers",
    "SELECT (SELECT 1 FROM customers c WHERE c.email LIKE 'a%' LIMIT 1)",
    'SELECT (string_to_array(email, NULL))[1] FROM customers',
    'SELECT c.row_to_json FROM customers c',
    'SELECT x FROM customers, LATERAL upper(email) x',
    'SELECT x FROM customers, json_to_record(to_json(customers)) AS x(email text)',
    'SELECT xmlelement(name x, email) FROM customers',
    'SELECT a FROM customers UNION SELECT email FROM customers',
    'SELECT email FROM customers UNION ALL SELECT ssn FROM customers ORDER BY 1',
    'SELECT e FROM (SELECT email AS e FROM customers) s WHERE e = $1',
    'SELECT count(DISTINCT email) FROM customers',
    'SELECT u FROM (SELECT upper(email) AS u FROM customers) s ORDER BY u',
    'WITH RECURSIVE r AS (SELECT email FROM customers UNION SELECT * FROM r) SELECT 1',
    'WITH RECURSIVE r(a, b, n) AS (SELECT name, email, 1 FROM customers UNION ALL SELECT b, a, n + 1 FROM r WHERE n < 3) SELECT n FROM r WHERE a = $1',
    'WITH RECURSIVE r(a) AS (SELECT email FROM customers UNION ALL SELECT a FROM r) CYCLE a SET c USING p SELECT c FROM r',
    `SELECT ${'email || '.repeat(70)}email FROM customers`,
    'SELECT to_jsonb(email::json) FROM customers',
    'SELECT name FROM customers AS c(a, name, b) WHERE b = 1',
    'SELECT upper(b) FROM (SELECT name, x FROM nosuch) s(a, b)',
    'SELECT f(email) FROM customers',
    'SELECT public.upper(email) FROM customers',
    'SELECT concat(VARIADIC ARRAY[email]) FROM customers',
    'SELECT 1 FROM customers LIMIT (SELECT count(email) FROM customers)',
    'SELECT json_build_object(email, 1) FROM customers',
    'INSERT INTO contacts (email) SELECT upper(email) FROM customers',
    'WITH x AS (SELECT email FROM customers) INSERT INTO contacts (email) SELECT email FROM x',
    'WITH x AS (INSERT INTO contacts SELECT email, $1 FROM customers RETURNING 1) SELECT 1',
    'CREATE TABLE t AS SELECT upper(email) FROM customers',
    'INSERT INTO contacts (email) SELECT status FROM orders UNION ALL SELECT email FROM customers',
    'SELECT status INTO x FROM orders UNION ALL SELECT email FROM customers',
    '(SELECT status INTO x FROM orders UNION ALL SELECT status FROM orders) UNION ALL SELECT ssn FROM customers',
    'CREATE TABLE x AS SELECT status FROM orders UNION ALL SELECT email FROM customers',
    'UPDATE orders SET status[length(c.ssn)] = $1 FROM customers c WHERE c.id = orders.id',
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
    'SELECT x FROM nosuch',
    'CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT * FROM customers',
  ])('%s', (text) => {
    const finding = find(text)
    expect(finding.refusal?.reason).toMatch(/\.$/)
    expect(finding.refusal?.hint).toMatch(/\.$/)
  })
})
