/** Pure. What concerns the session, and programs of several steps: prepared statements, cursors, temporary tables. */
import { change, copy } from './change.ts'
import type { Choose } from './choose.ts'
import { define } from './define.ts'
import { newer } from './newer.ts'
import { pin } from './predicate.ts'
import { select, simple } from './read.ts'
import { TABLES, value } from './tables.ts'

/** The steps of one session; each is one message, and all run in one transaction. */
export function program(c: Choose): readonly string[] {
  if (c.chance(c.newer)) return [newer(c)]
  const kind = c.below(100)
  if (kind < 30) return [select(c)]
  if (kind < 62) return [change(c)]
  if (kind < 66) return [copy(c)]
  if (kind < 80) return [define(c)]
  if (kind < 88) return [session(c)]
  return several(c)
}

function session(c: Choose): string {
  const scope = c.one(['', 'SESSION ', 'LOCAL '])
  return c.of(
    2,
    () =>
      `SET ${scope}${c.one(["application_name = 'x'", "DateStyle = 'ISO, DMY'", 'TimeZone = UTC', 'statement_timeout = 3000', 'enable_seqscan = off', 'search_path = app, public', "search_path = 'app'", 'search_path TO DEFAULT', 'work_mem = 128', 'session_replication_role = replica', 'row_security = on', 'row_security = off', 'client_min_messages = debug1', 'my.custom = 1', 'standard_conforming_strings = on', 'default_transaction_read_only = on', 'transform_null_equals = on', 'check_function_bodies = off', 'lock_timeout TO 500', 'default_tablespace = pg_default', 'temp_tablespaces = pg_default', "role = 'peon'", 'quote_all_identifiers = on', 'bytea_output = escape', 'backslash_quote = on', 'log_statement = none', 'plan_cache_mode = force_custom_plan', 'jit = off', 'synchronous_commit = off', 'default_with_oids = off', "timezone_abbreviations = 'Default'", "lc_messages = 'C'", 'event_triggers = off'])}`,
    () => `RESET ${c.one(['ALL', 'search_path', 'work_mem', 'ROLE', 'SESSION AUTHORIZATION'])}`,
    () => `SET ${scope}ROLE ${c.one(['peon', 'NONE', 'postgres'])}`,
    () => `SET ${scope}SESSION AUTHORIZATION ${c.one(['peon', 'DEFAULT'])}`,
    () => `SET ${scope}TIME ZONE 'UTC'`,
    () => `SET ${scope}NAMES 'UTF8'`,
    () =>
      `SET ${c.one(['TRANSACTION', 'SESSION CHARACTERISTICS AS TRANSACTION'])} ${c.one(['READ ONLY', 'DEFERRABLE', 'READ WRITE'])}`,
    () => `SET CONSTRAINTS ALL ${c.one(['DEFERRED', 'IMMEDIATE'])}`,
    () => `SHOW ${c.one(['search_path', 'ALL', 'transaction isolation level', 'server_version'])}`,
    () => `LISTEN ch`,
    () => `UNLISTEN ${c.one(['ch', '*'])}`,
    () => `NOTIFY ch${c.maybe(50, () => `, 'payload'`)}`.replace(' ,', ','),
    () =>
      `LOCK TABLE notes IN ${c.one(['ACCESS SHARE', 'ROW SHARE', 'ROW EXCLUSIVE', 'SHARE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE'])} MODE`,
    () => `LOCK ${c.one(['customer_names', 'places', 'ONLY places', 'notes, audit'])}`,
    () => `DISCARD ${c.one(['PLANS', 'SEQUENCES', 'TEMP', 'ALL'])}`,
    () => `DEALLOCATE ALL`,
    () => `CLOSE ALL`,
    () => c.one(['SAVEPOINT a', 'SELECT 1;', '', 'CHECKPOINT', "LOAD 'plpgsql'", 'VACUUM notes']),
  )
}

function several(c: Choose): readonly string[] {
  const cursor = () => {
    const on = c.one([TABLES[3]!, TABLES[1]!, TABLES[8]!])
    const act = c.one([
      `DELETE FROM ${on.name} WHERE CURRENT OF c`,
      `UPDATE ${on.name} SET ${on.key} = ${on.key} WHERE CURRENT OF c`,
    ])
    return [
      `DECLARE c CURSOR FOR SELECT * FROM ${on.name}${c.one(['', ' FOR UPDATE'])}`,
      `FETCH ${c.one(['1', 'NEXT', 'FORWARD 2', 'LAST'])} FROM c`,
      act,
    ]
  }
  const prepared = () => {
    const on = c.one(TABLES)
    const inner = c.of(
      () => `(int) AS SELECT * FROM notes WHERE id = $1`,
      () => `(int) AS DELETE FROM notes WHERE id = $1`,
      () => `(int) AS DELETE FROM notes WHERE id > $1`,
      () => `(int) AS UPDATE notes SET body = 'p' WHERE id = $1 OR ${pin(c, TABLES[3]!, '')}`,
      () => `(int) AS INSERT INTO audit (what) VALUES ($1)`,
      () => `(int) AS SELECT write_audit($1::text)`,
      () => `(int[]) AS DELETE FROM notes WHERE id = ANY ($1)`,
      () => `(int[]) AS UPDATE notes SET body = 'u' FROM unnest($1) v(id) WHERE notes.id = v.id`,
    )
    const argument = inner.startsWith('(int[])') ? "'{1,2}'" : c.one([value(c, 'int'), '3'])
    const run = c.one([
      `EXECUTE p(${argument})`,
      `EXECUTE p(${argument})`,
      `EXPLAIN EXECUTE p(${argument})`,
      `EXPLAIN ANALYZE EXECUTE p(${argument})`,
      `CREATE TEMP TABLE made AS EXECUTE p(${argument})`,
      `CREATE TABLE made AS EXECUTE p(${argument})`,
    ])
    return c.chance(80)
      ? [`PREPARE p ${inner}`, run]
      : [
          `PREPARE p AS ${simple(c)}`,
          c.one([
            'EXECUTE p',
            `CREATE TABLE made AS EXECUTE p`,
            `EXECUTE p(nextval('tickets'))`,
            'DEALLOCATE p',
          ]),
          `SELECT 1 FROM ${on.name}`,
        ]
  }
  const temporary = () => [
    c.one([
      'CREATE TEMP TABLE notes (id int, body text)',
      'CREATE TEMP TABLE notes AS SELECT * FROM public.notes',
      'CREATE TEMP VIEW notes AS SELECT * FROM public.notes',
      'CREATE TEMP TABLE notes (id int, body text) ON COMMIT DELETE ROWS',
    ]),
    c.one([
      "INSERT INTO notes VALUES (50, 'x')",
      "UPDATE notes SET body = 'x' WHERE id > 0",
      'DELETE FROM notes',
      'DELETE FROM public.notes WHERE id = 1',
      "UPDATE pg_temp.notes SET body = 'y'",
      'TRUNCATE notes',
      'SELECT * FROM notes',
      'DROP VIEW notes',
      'ALTER TABLE notes ADD z int',
      'CREATE INDEX ON notes (id)',
      'DROP TABLE notes',
      'COPY notes FROM STDIN',
    ]),
    c.one([
      'SELECT * FROM notes',
      'DELETE FROM notes WHERE id = 3',
      'DROP TABLE IF EXISTS notes',
      "UPDATE notes SET body = 'z'",
    ]),
  ]
  const path = () => [
    c.one([
      'SET search_path = app, public',
      "SET LOCAL search_path = 'app'",
      "SELECT set_config('search_path', 'app', true)",
      'SELECT wander()',
      'SELECT * FROM path_setter',
      "UPDATE pg_settings SET setting = 'app' WHERE name = 'search_path'",
      "SET SCHEMA 'app'",
    ]),
    c.one([
      'DELETE FROM notes WHERE id = 1',
      "UPDATE notes SET body = 'p'",
      'SELECT * FROM notes',
      'SELECT * FROM knobs',
      "INSERT INTO notes VALUES (60, 'z')",
    ]),
  ]
  const ddl = () => [
    ...c.one([
      ['CREATE TABLE fresh (id int PRIMARY KEY, body text)'],
      ['ALTER TABLE notes RENAME TO fresh'],
      ['CREATE VIEW fresh AS SELECT * FROM public.notes'],
      ['CREATE TABLE fresh (extra text) INHERITS (notes)'],
      ['ALTER TABLE app.notes RENAME TO fresh', 'SET LOCAL search_path = app, public'],
      ['SAVEPOINT s', 'CREATE TABLE fresh (id int, body text)'],
    ]),
    c.one([
      "INSERT INTO fresh (id, body) VALUES (70, 'x')",
      'DELETE FROM fresh',
      'DELETE FROM fresh WHERE id = 1',
      'DROP TABLE IF EXISTS nothing',
      'SELECT * FROM fresh',
      'DELETE FROM public.orders WHERE id = 2',
    ]),
    c.one(["UPDATE fresh SET body = 'x' WHERE id = 1", 'TABLE fresh']),
  ]
  const planted = () => [
    c.one([
      'DROP VIEW mirror',
      'CREATE RULE r AS ON UPDATE TO notes DO ALSO DELETE FROM audit',
      'CREATE FUNCTION public.upper(notes) RETURNS text LANGUAGE sql AS $$DELETE FROM public.audit RETURNING what$$',
      'ALTER TABLE orders DISABLE TRIGGER note_change',
    ]),
    c.one([
      "UPDATE notes SET body = 'x' WHERE id = 1",
      'SELECT upper(n) FROM notes n',
      "UPDATE orders SET status = 'x' WHERE id = 2",
    ]),
  ]
  const held = () => [
    `DECLARE c CURSOR FOR ${c.one([simple(c), select(c), "SELECT nextval('tickets')", "SELECT write_audit('c')", 'SELECT * FROM definer()'])}`,
    c.one(['FETCH 2 FROM c', 'FETCH ALL c', 'MOVE 1 IN c', 'CLOSE c', 'FETCH c']),
  ]
  const undone = () => ['SAVEPOINT s', change(c), c.one(['ROLLBACK TO s', 'RELEASE s'])]
  return c.one([
    cursor,
    prepared,
    prepared,
    temporary,
    temporary,
    path,
    ddl,
    ddl,
    planted,
    held,
    undone,
  ])()
}
