/** Pure. CREATE, ALTER, DROP and their kin: what event triggers see. */
import type { Choose } from './choose.ts'
import { simple } from './read.ts'

export function define(c: Choose): string {
  const name = `made_${c.below(50)}`
  return c.of(
    4,
    () => create(c, name),
    3,
    () => alter(c, name),
    3,
    () => drop(c),
    2,
    () => code(c, name),
    () => administer(c, name),
  )
}

function create(c: Choose, name: string): string {
  return c.of(
    () =>
      `CREATE TABLE ${c.one(['', 'IF NOT EXISTS ', 'app.'])}${name} (id int PRIMARY KEY, v text DEFAULT ${c.one(["'x'", "upper('x')", "write_audit('d')::text", "nextval('tickets')::text"])}${c.maybe(30, () => 'CHECK (length(v) < plus_one(90))')})`,
    () => `CREATE TABLE ${name} (LIKE ${c.one(['notes', 'orders', 'members'])} INCLUDING ALL)`,
    () => `CREATE TABLE ${name} () INHERITS (places)`,
    () =>
      `CREATE TABLE ${name} PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')`,
    () => `CREATE TABLE ${name} (id serial, ref int REFERENCES customers ON DELETE CASCADE)`,
    () =>
      `CREATE TABLE ${name} (a int, b int GENERATED ALWAYS AS (a * 2) STORED, EXCLUDE (a WITH =))`,
    2,
    () =>
      `CREATE ${c.one(['TEMP', 'TEMPORARY', 'LOCAL TEMPORARY'])} TABLE ${c.one([name, 'notes', 'pg_temp.x'])} (id int, body text)${c.maybe(30, () => 'ON COMMIT DROP')}`,
    () => `CREATE TABLE pg_temp.${name} (id int)`,
    2,
    () =>
      `CREATE ${c.one(['', 'TEMP ', 'UNLOGGED '])}TABLE ${name} AS ${simple(c)}${c.maybe(20, () => 'WITH NO DATA')}`.replace(
        'UNLOGGED TABLE',
        'UNLOGGED TABLE',
      ),
    () => `CREATE TABLE ${name} AS WITH d AS (DELETE FROM notes RETURNING id) SELECT * FROM d`,
    2,
    () =>
      `SELECT id ${c.one(['INTO', 'INTO TEMP', 'INTO TABLE', 'INTO UNLOGGED'])} ${name} FROM notes`,
    () => `SELECT 1 AS a INTO ${name} UNION SELECT 2`,
    () => `CREATE ${c.one(['', 'OR REPLACE ', 'TEMP '])}VIEW ${name} AS ${simple(c)}`,
    () => `CREATE OR REPLACE VIEW customer_names AS SELECT id, name FROM customers WHERE id > 0`,
    () =>
      `CREATE MATERIALIZED VIEW ${name} AS SELECT id FROM ${c.one(['notes', 'noisy', 'customer_names'])}`,
    () =>
      `CREATE ${c.one(['', 'UNIQUE '])}INDEX ${c.one([name, `IF NOT EXISTS ${name}`])} ON ${c.one(['notes (id)', 'notes (lower(body))', 'events (id, at)', 'places (name) WHERE id > 0', 'notes (plus_one(id))'])}`,
    () => `CREATE ${c.one(['', 'TEMP '])}SEQUENCE ${name} START 5`,
    () =>
      `CREATE TYPE ${name} AS ${c.one(["ENUM ('a', 'b')", '(a int, b text)', 'RANGE (subtype = int)'])}`,
    () => `CREATE DOMAIN ${name} AS int CHECK (${c.one(['VALUE > 0', 'plus_one(VALUE) > 1'])})`,
    () =>
      `CREATE SCHEMA ${name}${c.maybe(50, () => `CREATE TABLE inner_one (id int) CREATE VIEW inner_two AS SELECT 1 AS a`)}`,
    () => `CREATE STATISTICS ${name} ON id, body FROM notes`,
    () => `CREATE COLLATION ${name} FROM "C"`,
  )
}

function alter(c: Choose, name: string): string {
  const on = c.one([
    'notes',
    'places',
    'events',
    'members',
    'ONLY places',
    'app.notes',
    'customers',
  ])
  return c.of(
    2,
    () =>
      `ALTER TABLE ${on} ADD COLUMN ${name} ${c.one([
        'int',
        "text DEFAULT 'x'",
        'float DEFAULT random()',
        "int DEFAULT write_audit('added')",
        'int GENERATED ALWAYS AS (1) STORED',
        'serial',
        'positive',
        'timestamptz DEFAULT now()',
        "int DEFAULT nextval('tickets')",
      ])}`,
    () =>
      `ALTER TABLE ${c.one(['notes', 'events', 'app.notes', 'inbox'])} DROP COLUMN body${c.maybe(50, () => 'CASCADE')}`,
    () => `ALTER TABLE ${c.one(['places', 'capitals'])} DROP COLUMN IF EXISTS name CASCADE`,
    () =>
      `ALTER TABLE ${c.one(['places', 'pairs', 'inbox', 'app.notes'])} ALTER COLUMN id TYPE ${c.one(['bigint', 'numeric', 'int USING id + 1', "int USING write_audit('u')"])}`,
    () => `ALTER TABLE events ALTER body TYPE varchar(100)`,
    () => `ALTER TABLE orders ALTER COLUMN total TYPE numeric(12, 2)`,
    () => `ALTER TABLE ${on} RENAME TO ${name}`.replace('ONLY ', ''),
    () => `ALTER TABLE ${on} RENAME COLUMN id TO ${name}`,
    () =>
      `ALTER TABLE ${c.one(['notes', 'pairs', 'members'])} SET SCHEMA app`.replace(
        'notes SET',
        'audit SET',
      ),
    () =>
      `ALTER TABLE notes ${c.one(['ALTER body SET DEFAULT 1', 'ALTER body SET NOT NULL', 'ALTER id DROP DEFAULT', 'ADD CHECK (id > 0)', 'ADD UNIQUE (body, id)', 'SET (fillfactor = 80)', 'SET UNLOGGED', 'DISABLE TRIGGER ALL', 'ENABLE ROW LEVEL SECURITY', 'REPLICA IDENTITY FULL', 'CLUSTER ON notes_pkey', 'ALTER body SET STATISTICS 10', 'DROP CONSTRAINT notes_pkey', 'OWNER TO peon', 'ADD FOREIGN KEY (id) REFERENCES customers NOT VALID'])}`,
    () =>
      `ALTER TABLE orders ${c.one(['DISABLE TRIGGER note_change', 'ALTER fixed DROP EXPRESSION', 'VALIDATE CONSTRAINT orders_customer_id_fkey'])}`,
    () => `ALTER TABLE events DETACH PARTITION events_2024`,
    () => `ALTER TABLE capitals NO INHERIT places`,
    () =>
      `ALTER TABLE members ALTER id ${c.one(['RESTART', 'SET GENERATED ALWAYS', 'DROP IDENTITY', 'RESTART WITH 50'])}`,
    () =>
      `ALTER SEQUENCE tickets ${c.one(['RESTART', 'RESTART WITH 7', 'INCREMENT BY 2', 'RENAME TO tickets_2', 'OWNED BY notes.id', 'AS int'])}`,
    () =>
      `ALTER VIEW customer_names ${c.one(['RENAME TO cn', 'SET SCHEMA app', 'ALTER COLUMN name SET DEFAULT 1', 'SET (security_barrier)'])}`,
    () =>
      `ALTER TYPE mood ${c.one(["ADD VALUE 'new'", "RENAME VALUE 'bad' TO 'sad'", 'RENAME TO feeling'])}`,
    () =>
      `ALTER TYPE shape ${c.one(['ADD ATTRIBUTE c int CASCADE', 'DROP ATTRIBUTE b CASCADE', 'ALTER ATTRIBUTE a TYPE bigint CASCADE', 'RENAME ATTRIBUTE a TO z CASCADE'])}`,
    () =>
      `ALTER DOMAIN positive ${c.one(['SET DEFAULT 4', 'DROP CONSTRAINT positive_check', 'ADD CHECK (VALUE < 90)'])}`,
    () => `ALTER INDEX notes_pkey RENAME TO ${name}`,
    () => `ALTER MATERIALIZED VIEW mails RENAME TO ${name}`,
    () => `ALTER SCHEMA app RENAME TO ${name}`,
    () =>
      `REFRESH MATERIALIZED VIEW ${c.one(['', 'CONCURRENTLY '])}${c.one(['mails', 'noisy_mails'])}${c.maybe(20, () => 'WITH NO DATA')}`,
    () => `REINDEX ${c.one(['TABLE notes', 'INDEX notes_pkey'])}`,
    () => `CLUSTER notes USING notes_pkey`,
    () =>
      `COMMENT ON ${c.one(['TABLE notes', 'COLUMN notes.body', 'FUNCTION plus_one(int)', 'SCHEMA app', 'TYPE mood', 'ROLE peon', 'DATABASE shop', 'TRIGGER note_change ON orders', 'SEQUENCE tickets', 'LARGE OBJECT 4242'])} IS 'said'`,
  )
}

function drop(c: Choose): string {
  return c.of(
    () =>
      `DROP TABLE ${c.one(['notes', 'app.notes', 'places CASCADE', 'events', 'events_rest', 'events_2024', 'customers CASCADE', 'orders CASCADE', 'capitals', 'IF EXISTS nothing', 'audit, pairs', 'members CASCADE', 'app.typed'])}`,
    () =>
      `DROP VIEW ${c.one(['totals', 'customer_names CASCADE', 'IF EXISTS nothing', 'box', 'mirror'])}`,
    () => `DROP TYPE ${c.one(['mood CASCADE', 'pair CASCADE', 'shape CASCADE'])}`,
    () => `DROP DOMAIN positive`,
    () => `DROP SCHEMA app CASCADE`,
    () => `DROP SEQUENCE tickets CASCADE`,
    () => `DROP MATERIALIZED VIEW mails`,
    () => `DROP INDEX ${c.one(['mails_key', 'IF EXISTS nothing'])}`,
    () =>
      `DROP FUNCTION ${c.one(['write_audit CASCADE', 'plus_one CASCADE', 'note_change CASCADE', 'peek'])}`,
    () =>
      `DROP ${c.one(['TRIGGER note_change ON orders', 'RULE inbox_also ON inbox', 'POLICY mine ON pairs', 'AGGREGATE gather(text)', 'OPERATOR === (text, text)', 'PROCEDURE purge', 'ROUTINE purge'])}`,
  )
}

function code(c: Choose, name: string): string {
  return c.of(
    () =>
      `CREATE ${c.one(['', 'OR REPLACE '])}FUNCTION ${name}(int) RETURNS int LANGUAGE sql AS 'SELECT $1'`,
    () =>
      `CREATE OR REPLACE FUNCTION plus_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7'`,
    () => `CREATE FUNCTION pg_temp.${name}() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    () => `CREATE PROCEDURE ${name}() LANGUAGE sql AS 'SELECT 1'`,
    () =>
      `CREATE TRIGGER ${name} BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION note_change()`,
    () =>
      `CREATE RULE ${name} AS ON UPDATE TO notes DO ALSO ${c.one(['NOTHING', 'DELETE FROM audit', 'NOTIFY ch'])}`,
    () => `CREATE POLICY ${name} ON notes USING (id > 0)`,
    () => `CREATE AGGREGATE ${name} (text) (SFUNC = textcat, STYPE = text)`,
    () =>
      `CREATE OPERATOR ${c.one(['#==', '@@@@'])} (FUNCTION = loud, LEFTARG = text, RIGHTARG = text)`,
    () =>
      `CREATE CAST (text AS mood) WITH FUNCTION to_mood(text)${c.one(['', ' AS ASSIGNMENT', ' AS IMPLICIT'])}`,
    () =>
      `ALTER FUNCTION plus_one(int) ${c.one(['RENAME TO plus_two', 'SET SCHEMA app', 'VOLATILE', "SET work_mem = '1MB'", 'OWNER TO peon', 'SECURITY DEFINER'])}`,
    () => `ALTER TRIGGER note_change ON orders RENAME TO ${name}`,
    () =>
      `DO $$BEGIN ${c.one(['PERFORM 1;', "UPDATE notes SET body = 'do' WHERE id = 901;", "EXECUTE 'CREATE TABLE done (id int)';", "PERFORM set_config('search_path', 'app', false);"])} END$$`,
    () => `CALL purge()`,
  )
}

function administer(c: Choose, name: string): string {
  return c.one([
    `GRANT SELECT ON notes TO peon`,
    `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM peon`,
    `GRANT pg_read_all_data TO peon`,
    `CREATE ROLE ${name}`,
    `ALTER ROLE peon SET search_path = app`,
    `ALTER ROLE peon NOLOGIN`,
    `ALTER ROLE peon RENAME TO ${name}`,
    `DROP OWNED BY peon`,
    `REASSIGN OWNED BY peon TO postgres`,
    `ALTER DATABASE shop SET work_mem = '1MB'`,
    `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO peon`,
    `CREATE PUBLICATION ${name} FOR TABLE notes`,
    `ANALYZE notes`,
    `ANALYZE`,
    `CREATE EXTENSION IF NOT EXISTS plpgsql`,
    `SECURITY LABEL ON TABLE notes IS 'x'`,
    `CREATE EVENT TRIGGER ${name} ON sql_drop EXECUTE FUNCTION oracle.note()`,
    `CREATE FOREIGN DATA WRAPPER ${name}`,
    `CREATE SERVER ${name} FOREIGN DATA WRAPPER none`,
    `IMPORT FOREIGN SCHEMA x FROM SERVER none INTO public`,
    `CREATE ACCESS METHOD ${name} TYPE TABLE HANDLER heap_tableam_handler`,
    `UPDATE pg_settings SET setting = 'app' WHERE name = 'search_path'`,
    `UPDATE settings SET setting = 'app, public' WHERE name = 'search_path'`,
    `DELETE FROM pg_description WHERE objoid = 0`,
    `UPDATE pg_class SET relname = relname WHERE relname = 'notes'`,
    `SELECT * FROM pg_hba_file_rules`,
  ])
}
