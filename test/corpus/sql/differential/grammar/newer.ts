/** Pure. What came after PostgreSQL 15, and what older servers read as something else. */
import type { Choose } from './choose.ts'
import { pin, predicate } from './predicate.ts'
import { TABLES } from './tables.ts'

export function newer(c: Choose): string {
  return c.of(
    2,
    () => expression(c),
    2,
    () => change(c),
    () => define(c),
  )
}

function expression(c: Choose): string {
  const one = c.one([
    "json_scalar('a')",
    "json_serialize('{}')",
    "json_array('a')",
    'json_object(1, 2)',
    "json_object('a': 1)",
    "json_object('a' VALUE 1 NULL ON NULL)",
    "json('{}')",
    "json_value('{}', '$')",
    "json_value(jsonb '{\"a\": 1}', '$.a')",
    "json_query(jsonb '{}', '$')",
    "json_exists(jsonb '{}', '$')",
    'json_arrayagg(1)',
    "json_objectagg('a': 1)",
    'merge_action()',
    "'{}' IS JSON",
    "'{}' IS JSON OBJECT WITH UNIQUE KEYS",
    '0x1F',
    '0b11 + 0o7',
    '1_000',
    '1_0.5',
    'any_value(1)',
    'system_user',
    'uuidv7() IS NOT NULL',
    "casefold('A')",
    'random(1, 2)',
    'random_normal() > 90',
    'array_sample(ARRAY[1], 1)',
    "xmltext('a')",
    'to_bin(3)',
    "crc32('a')",
    "date '2024-01-01' AT LOCAL",
    "pg_input_is_valid('1', 'int')",
    "pg_get_acl('pg_class'::regclass, 'notes'::regclass, 0)",
  ])
  return c.of(
    3,
    () => `SELECT ${one}`,
    () => `SELECT id FROM notes WHERE id = 0x1`,
    () => `SELECT * FROM JSON_TABLE(jsonb '[1]', '$[*]' COLUMNS (n int PATH '$')) AS j`,
    () => `SELECT ${one} FROM (VALUES (1)) AS t(period)`,
    () => `SELECT * FROM notes AS period, places absent LIMIT 1`,
    () => `SELECT * FROM (SELECT 1) LIMIT 1`,
    () => `DELETE FROM notes WHERE id = ${c.one(['0x2', '1_0', '0b1', '0x_2'])}`,
    () =>
      `DELETE FROM notes WHERE id IN (${c.one(["json_value(jsonb '1', '$' RETURNING int)", 'length(system_user)'])})`,
  )
}

function change(c: Choose): string {
  const of = TABLES[3]!
  return c.of(
    () => `UPDATE notes SET body = 'x' WHERE ${predicate(c, of)} RETURNING old.id, new.*`,
    () => `DELETE FROM notes WHERE ${predicate(c, of)} RETURNING WITH (OLD AS o) o.*`,
    () =>
      `INSERT INTO notes (id, body) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'y' RETURNING WITH (OLD AS o, NEW AS n) o.body, n.body`,
    () =>
      `MERGE INTO notes t USING (VALUES (1)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET body = 'm' RETURNING merge_action(), t.*`,
    2,
    () =>
      `MERGE INTO notes t USING (VALUES (1), (2)) v(id) ON t.id = v.id WHEN NOT MATCHED BY ${c.one(['SOURCE', 'TARGET', 'SOURCE AND t.id > 900'])} THEN ${c.one(['DELETE', "UPDATE SET body = 'm'", 'DO NOTHING', "INSERT (id, body) VALUES (400, 'm')"])}`,
    () =>
      `MERGE INTO ${c.one(['customer_names', 'names_again', 'mirror'])} t USING (VALUES (1)) v(id) ON t.name = 'n1' AND v.id = 1 WHEN MATCHED THEN UPDATE SET name = 'm'`,
    () =>
      `WITH d AS (MERGE INTO notes t USING places v ON ${pin(c, of, 't.')} WHEN MATCHED THEN DELETE RETURNING t.id) SELECT * FROM d`,
    () => `COPY notes (id, body) FROM STDIN (ON_ERROR ignore)`,
    () => `EXPLAIN (ANALYZE, SERIALIZE) DELETE FROM notes WHERE ${predicate(c, of)}`,
    () => `COPY (DELETE FROM notes WHERE ${pin(c, of, '')} RETURNING old.id) TO STDOUT`,
  )
}

function define(c: Choose): string {
  return c.one([
    'CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)',
    'CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a * 2))',
    'CREATE TABLE made (a int CHECK (a > 0) NOT ENFORCED)',
    'ALTER TABLE notes ADD COLUMN made int GENERATED ALWAYS AS (1) VIRTUAL',
    'ALTER TABLE orders ALTER COLUMN fixed SET EXPRESSION AS (8)',
    'ALTER TABLE notes ADD CONSTRAINT made NOT NULL body NOT VALID',
    'ALTER TABLE order_lines ALTER CONSTRAINT order_lines_order_id_fkey NOT ENFORCED',
    'CREATE STATISTICS made ON (lower(body)) FROM notes',
    'CREATE TABLE made (LIKE notes INCLUDING ALL)',
    'ANALYZE ONLY notes',
    'GRANT MAINTAIN ON notes TO peon',
    'CREATE TABLE made PARTITION OF events_rest FOR VALUES IN (5)',
    'REINDEX TABLE notes',
    'SET event_triggers = off',
    "SET transaction_timeout = '5s'",
    "SET restrict_nonsystem_relation_kind = 'view'",
    'CREATE MATERIALIZED VIEW made AS SELECT 1 AS a',
  ])
}
