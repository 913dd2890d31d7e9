/**
 * The analyser against a real server: its catalogue queries, names as one session sees them, and what ordinary
 * clients send.
 */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analyse } from '../../src/protocols/postgres/sql/analyse.ts'
import type { Names } from '../../src/protocols/postgres/sql/analysis.ts'
import { calm } from '../../src/protocols/postgres/sql/calm-question.ts'
import {
  type Catalogue,
  type CatalogueParts,
  FIRST_USER_OID,
} from '../../src/protocols/postgres/sql/catalogue.ts'
import {
  isUnchanged,
  lookFrom,
  renewCatalogue,
} from '../../src/protocols/postgres/sql/catalogue-changes.ts'
import { chosenText, lookText, partsOf } from '../../src/protocols/postgres/sql/catalogue-look.ts'
import { CATALOGUE_TEXT, NAMES_TEXT } from '../../src/protocols/postgres/sql/catalogue-query.ts'
import { buildCatalogue, namesFrom } from '../../src/protocols/postgres/sql/catalogue-read.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { relationOf } from '../../src/protocols/postgres/sql/resolve.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const SCHEMA = `
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, size int GENERATED ALWAYS AS (length(email)) STORED,
  fixed int GENERATED ALWAYS AS (7) STORED);
CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE FUNCTION evil(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION secret(users) RETURNS text LANGUAGE sql AS 'SELECT $1.email';
CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE quiet (id int PRIMARY KEY, mail text);
CREATE TRIGGER z BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE VIEW mails AS SELECT id, email FROM users;
CREATE VIEW run AS SELECT evil(email) FROM users;
CREATE VIEW kill AS SELECT pg_terminate_backend(id) FROM users;
CREATE DOMAIN checked AS text CHECK (evil(VALUE) IS NOT NULL);
CREATE DOMAIN plain AS text CHECK (length(VALUE) > 1);
CREATE TYPE mood AS ENUM ('a');
CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION dblink;
CREATE TABLE people (id int, name citext);
CREATE RULE say AS ON DELETE TO people DO NOTIFY said;
CREATE SCHEMA app; CREATE TABLE app.users (id int, nick text);
`

let server: Postgres
let client: pg.Client
let shared: Catalogue

async function ask(text: string): Promise<string> {
  // With settings of its own before it, a question is the last of several statements.
  const answers = [await client.query<[string]>({ text, rowMode: 'array' })].flat()
  return answers.at(-1)!.rows[0]![0]
}

async function namesNow(): Promise<Names> {
  const names = namesFrom(await ask(NAMES_TEXT), shared)
  if (names === undefined) throw new Error('names could not be read')
  return names
}

/** In no particular order, as the target gives them. */
function sorted(parts: CatalogueParts | undefined): unknown {
  if (parts === undefined) return undefined
  const lists = Object.entries(parts).map(([name, all]) => {
    // What initdb made and no view calls any more does no harm.
    const part = name === 'routines' ? parts.routines.filter(isMade) : all
    const lines = (list: readonly unknown[]) =>
      list.map((one) => JSON.stringify(one, (_, inner) => inOrder(inner))).sort()
    return [name, Array.isArray(part) ? lines(part) : part]
  })
  return Object.fromEntries(lists)
}

const isMade = ({ oid }: { readonly oid: number }) => oid >= FIRST_USER_OID

function inOrder(value: unknown): unknown {
  return Array.isArray(value) && value.every((one) => typeof one === 'number')
    ? [...value].sort((a, b) => a - b)
    : value
}

function classes(text: string, names: Names): string {
  const options = { names, masked: undefined, functionsRead: [], identityParameter: undefined }
  const { statements, opaque } = analyse(text, options)
  if (opaque !== undefined) return `opaque: ${opaque.reason}`
  return [...new Set(statements.flatMap((one) => one.classes))].join(' ')
}

beforeAll(async () => {
  await loadParser()
  server = await startPostgres({ config: ["log_statement = 'all'"] })
  server.sql('CREATE DATABASE shop')
  server.sql(SCHEMA, 'shop')
  client = new pg.Client({ connectionString: server.urlOf('shop') })
  await client.connect()
  const built = buildCatalogue(await ask(CATALOGUE_TEXT), 1)
  if (built === undefined) throw new Error('the catalogue could not be read')
  shared = built
})

afterAll(async () => {
  await client.end()
  await server.stop()
})

describe('the catalogue', () => {
  test('knows keys, cascades, partitions, triggers, views and generated columns', () => {
    const users = shared.relationByName('public', 'users')!
    const orders = shared.relationByName('public', 'orders')!
    const mails = shared.relationByName('public', 'mails')!
    expect(users.uniqueKeys).toEqual([[1], [2]])
    expect(users.cascades).toEqual([orders.oid])
    expect(users.columns[2]).toMatchObject({ name: 'size', generatedFrom: [2] })
    expect(users.columns[3]).toMatchObject({ name: 'fixed', generatedFrom: [0] })
    expect(orders.triggers).toEqual(['stamp'])
    expect(orders.skipsEqual).toBeUndefined()
    expect(shared.relationByName('public', 'quiet')?.skipsEqual).toBe(true)
    expect(mails.reads).toContainEqual({ relation: users.oid, column: 2 })
    const parts = shared.relationByName('public', 'parts')!
    expect(shared.relation(parts.children[0]!)?.name).toBe('parts_1')
    expect(shared.relationByName('public', 'people')?.rules).toBe(true)
  })

  test('is looked at for committed changes, and renewed to what a whole load gives', async () => {
    let { seen } = lookFrom(await ask(calm(lookText(undefined))), undefined)!
    let former = buildCatalogue(await ask(CATALOGUE_TEXT), 7)!
    for (const change of [
      "INSERT INTO users VALUES (1, 'x')",
      'CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a + 1) STORED)',
      'CREATE INDEX ON made (a)',
      'CREATE UNIQUE INDEX made_key ON made (a)',
      'ALTER TABLE made ADD CONSTRAINT made_apart EXCLUDE USING btree (a WITH =)',
      'ALTER TABLE made DROP CONSTRAINT made_apart',
      'DROP INDEX made_key',
      'ALTER TABLE made DROP COLUMN b',
      'ALTER TABLE made ADD o int REFERENCES users ON DELETE CASCADE',
      'ALTER TABLE made DROP CONSTRAINT made_o_fkey',
      'ALTER TABLE made RENAME a TO c',
      'BEGIN; ALTER TABLE made RENAME c TO d; ROLLBACK',
      'BEGIN; SAVEPOINT s; ALTER TABLE made RENAME c TO d; RELEASE s; COMMIT',
      'CREATE FUNCTION made() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
      'CREATE OR REPLACE FUNCTION made() RETURNS int STABLE LANGUAGE sql AS $$SELECT 1$$',
      'CREATE VIEW made_view AS SELECT made() FROM made',
      'CREATE OR REPLACE VIEW made_view AS SELECT made() FROM users',
      'CREATE RULE made_rule AS ON DELETE TO made DO NOTHING',
      'DROP RULE made_rule ON made',
      'CREATE TRIGGER made_stamp BEFORE INSERT ON made FOR EACH ROW EXECUTE FUNCTION stamp()',
      'ALTER TABLE made DISABLE TRIGGER made_stamp; DROP TRIGGER made_stamp ON made',
      'CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)',
      'ALTER TABLE parts DETACH PARTITION parts_2',
      'DROP TABLE parts_2',
      'CREATE OPERATOR !! (FUNCTION = pg_catalog.int4um, RIGHTARG = int)',
      "CREATE DOMAIN made_domain AS text CHECK (evil(VALUE) <> '')",
      'ALTER DOMAIN made_domain DROP CONSTRAINT made_domain_check',
      'CREATE TYPE made_type AS (a int, b made_domain)',
      'ALTER TYPE made_type ADD ATTRIBUTE c made_domain',
      'CREATE TYPE made_range AS RANGE (SUBTYPE = float8)',
      'DROP TYPE made_range',
      'CREATE CAST (made_domain AS int) WITH INOUT',
      'ALTER SCHEMA app RENAME TO app2',
      'ALTER SCHEMA app2 RENAME TO app',
      'DROP CAST (made_domain AS int); DROP OPERATOR !! (NONE, int); DROP TYPE made_type',
      'DROP DOMAIN made_domain',
      'TRUNCATE orders; VACUUM FULL pg_catalog.pg_class; VACUUM FREEZE',
      'CREATE EXTENSION hstore; DROP EXTENSION hstore',
      'ALTER TABLE made SET SCHEMA app',
      'DROP TABLE app.made CASCADE; DROP FUNCTION made() CASCADE',
    ]) {
      server.sql(change, 'shop')
      const look = lookFrom(await ask(calm(lookText(seen))), seen)
      const { choice } = look!
      const whole = buildCatalogue(await ask(CATALOGUE_TEXT), 7)!
      if (choice === undefined) former = whole
      else {
        const isAny = partsOf(choice).length > 0
        const json = isAny ? await ask(calm(chosenText(choice))) : undefined
        former = renewCatalogue(former.parts!, { look: look!, choice, json, epoch: 7 })!
        if (/^INSERT|ROLLBACK$/.test(change)) expect(isUnchanged(seen, look!.seen)).toBe(true)
      }
      expect(sorted(former.parts), change).toEqual(sorted(whole.parts))
      seen = look!.seen
    }
  })

  test('is not compared with what an open transaction hides', async () => {
    const { seen } = lookFrom(await ask(calm(lookText(undefined))), undefined)!
    const other = new pg.Client({ connectionString: server.urlOf('shop') })
    await other.connect()
    await other.query('BEGIN; CREATE TABLE late (a int)')
    server.sql('CREATE TABLE early (a int)', 'shop')
    const first = lookFrom(await ask(calm(lookText(seen))), seen)!
    expect(first.choice?.relations.length).toBe(1)
    await other.query('COMMIT')
    const second = lookFrom(await ask(calm(lookText(first.seen))), first.seen)!
    expect(second.choice?.relations.length).toBe(1)
    expect(second.choice?.relations).not.toEqual(first.choice?.relations)
    await other.query('DROP TABLE early; DROP TABLE late')
    await other.end()
  })

  test('is planned without fear, and so not compiled, where there are many tables', async () => {
    server.sql('CREATE DATABASE many')
    const tables = `DO $$ BEGIN FOR i IN 1..800 LOOP
      EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, a text, b int, c date)', i);
    END LOOP; END $$; ANALYZE`
    server.sql(tables, 'many')
    for (const text of [CATALOGUE_TEXT, NAMES_TEXT, lookText(undefined)]) {
      const [first] = server.sql(`EXPLAIN ${text}`, 'many').split('\n')
      const cost = Number(/\.\.([\d.]+) rows/.exec(first ?? '')?.[1])
      // A tenth of jit_above_cost.
      expect(cost).toBeLessThan(10_000)
    }
  })

  test('is asked in the same way under a hostile search_path', async () => {
    const plain = await ask(CATALOGUE_TEXT)
    await client.query(`CREATE SCHEMA trap;
      CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT '1'$$;
      CREATE TABLE trap.pg_class (oid int); SET search_path = trap, pg_catalog`)
    expect(await ask(CATALOGUE_TEXT)).toContain('"pg_class"')
    await client.query('DROP SCHEMA trap CASCADE; RESET search_path')
    expect(await ask(CATALOGUE_TEXT)).toBe(plain)
  })
})

test.each([
  ['SELECT upper(email) FROM users', 'read'],
  ["SELECT * FROM people WHERE name = 'x'", 'read'],
  ["SELECT similarity('a', 'b'), 'a' % 'b'", 'read'],
  ["SELECT 'x'::plain, 'a'::mood", 'read'],
  ["SELECT evil('x')", 'read execute'],
  ["SELECT 'x'::checked", 'read execute'],
  ['SELECT u.secret FROM users u', 'read execute'],
  ['SELECT * FROM run', 'read execute'],
  ['SELECT * FROM kill', 'read admin'],
  ["SELECT dblink('a', 'b')", 'read execute'],
  ['DELETE FROM people', 'write execute'],
  ["UPDATE mails SET email = 'x'", 'write'],
])('%s is %s', async (text, wanted) => {
  expect(classes(text, await namesNow())).toBe(wanted)
})

test('a generated column that is the same in every row bounds no write, and COPY leaves it out', async () => {
  const names = await namesNow()
  const options = { names, masked: undefined, functionsRead: [], identityParameter: undefined }
  const facts = (text: string) => analyse(text, options).statements[0]!
  expect(facts('DELETE FROM users WHERE fixed = 7').facts.bounded).toBe(false)
  expect(facts('DELETE FROM users WHERE id = 7').facts.bounded).toBe(true)
  const fields = facts('COPY users TO STDOUT').effect.copy?.columns
  expect(fields?.map(({ column }) => column)).toEqual([1, 2])
})

describe('names as one session sees them', () => {
  test('a temporary table hides a table of its name', async () => {
    await client.query('CREATE TEMP TABLE users (id int, other text)')
    const names = await namesNow()
    expect(relationOf(names, undefined, 'users')).toMatchObject({
      schema: 'pg_temp',
      temporary: true,
    })
    expect(relationOf(names, 'public', 'users')?.columns).toHaveLength(4)
    await client.query('DISCARD TEMP')
    expect(relationOf(await namesNow(), undefined, 'users')?.schema).toBe('public')
  })

  test('an open transaction is seen with what it made, renamed and dropped', async () => {
    await client.query(
      'BEGIN; CREATE TABLE fresh (a int); ALTER TABLE orders RENAME TO sales; DROP TABLE app.users; SET LOCAL search_path = app, public',
    )
    await client.query(
      'CREATE FUNCTION public.upper(users) RETURNS text LANGUAGE sql AS $$SELECT $1.email$$',
    )
    const names = await namesNow()
    expect(relationOf(names, undefined, 'fresh')?.columns[0]?.name).toBe('a')
    expect(relationOf(names, undefined, 'sales')?.name).toBe('sales')
    expect(relationOf(names, undefined, 'orders')).toBeUndefined()
    expect(relationOf(names, undefined, 'users')?.schema).toBe('public')
    expect(classes("SELECT upper('x')", names)).toBe('read execute')
    await client.query('ROLLBACK')
    const after = await namesNow()
    expect(relationOf(after, undefined, 'orders')).toBeDefined()
    expect(relationOf(after, 'app', 'users')).toBeDefined()
    expect(classes("SELECT upper('x')", after)).toBe('read')
  })

  test('pg_catalog behind another schema is noticed', async () => {
    await client.query('SET search_path = public, pg_catalog')
    expect(classes('SELECT 1 + 1', await namesNow())).toContain('opaque')
    await client.query('RESET search_path')
  })
})

/** Statements that a client sends, as the server logs them; lines after the first begin with a tab there. */
async function sent(run: () => Promise<void>): Promise<string[]> {
  const before = server.readLog().length
  await run()
  await sleep(200) // The log comes through a pipe.
  const lines = server.readLog().substring(before).replaceAll('\n\t', '\u0001').split('\n')
  const texts = lines.flatMap((line) => {
    const text = /LOG: {2}(?:statement|execute [^:]*): (.*)/.exec(line)?.[1]
    return text === undefined ? [] : [text.replaceAll('\u0001', '\n')]
  })
  return [...new Set(texts)]
}

describe('ordinary clients send nothing but reads', () => {
  const meta = String.raw`\d
\d users
\d+ orders
\d mails
\d parts
\dt+
\dt *.*
\di+
\ds
\dv+
\df+ evil
\dT+
\dD
\do
\dn+
\du+
\l
\dx+
\dp
\dC+
\dP+
\dX
\dy
\dRp+
\sf stamp
\sv mails
\drds
\copy users to '/dev/null'
`
  /** Not a synchronous call: this process also empties the server's log pipe. */
  const run = async (program: string, args: readonly string[], input = '') => {
    const running = promisify(execFile)(program, [...args], { maxBuffer: 1e8, timeout: 20_000 })
    running.child.stdin?.end(input)
    await running
  }

  test('psql with its backslash commands', async () => {
    const names = await namesNow()
    const texts = await sent(() => run('psql', ['-X', server.urlOf('shop')], meta))
    expect(texts.length).toBeGreaterThan(40)
    for (const text of texts) expect(classes(text, names), text).toBe('read')
  })

  test('pg_dump, whole, schema only and as INSERTs', async () => {
    const names = await namesNow()
    const url = server.urlOf('shop')
    const folder = `/tmp/sluice-dump-${process.pid}`
    const texts = await sent(async () => {
      for (const flags of [[], ['-s'], ['--inserts'], ['-j2', '-Fd', '-f', folder]])
        await run('pg_dump', [...flags, url])
    })
    rmSync(folder, { recursive: true })
    expect(texts.length).toBeGreaterThan(60)
    for (const text of texts) expect(classes(text, names), text).toBe('read')
  })

  test.each([
    'SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;',
    "SELECT current_setting('jit') AS cur, set_config('jit', 'off', false) AS new",
    'SELECT version(), current_schema(), current_database()',
    'SHOW transaction isolation level',
    "SET datestyle TO 'ISO'",
    "SET client_encoding TO 'UTF8'; SET extra_float_digits = 3",
    'SELECT k.attname, (i.keys).n FROM (SELECT indrelid, information_schema._pg_expandarray(indkey) AS keys FROM pg_catalog.pg_index) i JOIN pg_catalog.pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = (i.keys).x',
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
    'SELECT obj_description(c.oid), format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid WHERE pg_table_is_visible(c.oid)',
  ])('%s', async (text) => {
    expect(classes(text, await namesNow())).toBe('read')
  })
})
