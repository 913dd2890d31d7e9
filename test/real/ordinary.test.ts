/**
 * What clients send unasked, at their start, at each release of a pool and to learn of a schema, under a role that
 * may read and write. The clients themselves: psql, pg_dump, pg, postgres and psycopg2 beside this file, those in
 * other languages in `../suites/clients`. Texts have the shape of theirs; what comes back is what comes directly.
 */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stage, startStage } from '../lib/stage.ts'

/**
 * pgvector is in no package source of these machines: what stands for it has its extension's name, its members and its
 * operator, in SQL instead of C. `far` is the same outside of any extension.
 */
const VECTOR = `CREATE DOMAIN public.vector AS text;
  CREATE FUNCTION public.l2_distance(public.vector, public.vector) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$ SELECT sqrt(sum((a.v::float8 - b.v::float8) ^ 2)) FROM json_array_elements_text($1::json) WITH ORDINALITY a(v, n)
      JOIN json_array_elements_text($2::json) WITH ORDINALITY b(v, n) USING (n) $$;
  CREATE OPERATOR public.<-> (LEFTARG = public.vector, RIGHTARG = public.vector, FUNCTION = public.l2_distance);
  CREATE FUNCTION public.far(public.vector, public.vector) RETURNS float8 LANGUAGE sql AS $$ SELECT 1.0::float8 $$;
  CREATE TABLE items (id int PRIMARY KEY, embedding public.vector);
  INSERT INTO items SELECT n, '[' || n || ',1,2]' FROM generate_series(1, 9) n;
  ALTER TABLE items OWNER TO app;
  INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    SELECT 99999, 'vector', 10, oid, true, '0.8.0' FROM pg_catalog.pg_namespace WHERE nspname = 'public';
  ALTER EXTENSION vector ADD DOMAIN public.vector;
  ALTER EXTENSION vector ADD FUNCTION public.l2_distance(public.vector, public.vector);
  ALTER EXTENSION vector ADD OPERATOR public.<-> (public.vector, public.vector)`

let stage: Stage
let through: pg.Client
let direct: pg.Client

beforeAll(async () => {
  stage = await startStage()
  stage.server.sql(
    `CREATE EXTENSION citext; CREATE EXTENSION cube; CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
    CREATE TABLE people (id int PRIMARY KEY, email citext UNIQUE, place cube, extra hstore);
    INSERT INTO people SELECT n, 'P' || n || '@Example.com', cube(n, n), hstore('n', n::text)
      FROM generate_series(1, 20) n;
    ALTER TABLE people OWNER TO app`,
    'shop',
  )
  stage.server.sql(VECTOR, 'shop')
  through = new pg.Client(stage.url('write'))
  direct = new pg.Client(stage.direct)
  await through.connect()
  await direct.connect()
})
afterAll(async () => {
  await through?.end()
  await direct?.end()
  await stage?.stop()
})

type Asked = readonly [text: string, values?: readonly unknown[]]

/** Rows through the gateway and directly, over both protocols where there is one statement. */
async function same([text, values = []]: Asked): Promise<void> {
  const several = /;\s*\S/.test(text)
  const forms = several ? [{ text }] : [{ text, values }, ...(values.length > 0 ? [] : [{ text }])]
  for (const form of forms) {
    // `values` that are there, empty or not, choose the extended protocol.
    const asked = {
      ...form,
      rowMode: 'array',
      queryMode: 'values' in form ? 'extended' : undefined,
    }
    const [ours, theirs] = [await through.query(asked as never), await direct.query(asked as never)]
    const rows = (result: unknown) =>
      [result].flat().map((one) => (one as pg.QueryArrayResult).rows)
    expect([text, rows(ours)]).toEqual([text, rows(theirs)])
  }
}

describe('what asyncpg sends', () => {
  test('at every release to its pool', async () => {
    await through.query("SET work_mem TO DEFAULT; SET application_name = 'pooled'; LISTEN ch")
    await same(['SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;'])
    await same(["SELECT current_setting('jit') AS cur, set_config('jit', 'off', false) AS new"])
    await same(["SELECT set_config('jit', 'on', false)"])
  })

  test('to learn of types, by OID', () =>
    same([
      `WITH RECURSIVE parts(oid, name, kind, element, depth) AS (
        SELECT t.oid, t.typname, t.typtype, t.typelem, 1 FROM pg_catalog.pg_type t WHERE t.oid = any($1::oid[])
        UNION ALL SELECT e.oid, e.typname, e.typtype, e.typelem, depth + 1 FROM parts p
          INNER JOIN pg_catalog.pg_type e ON e.oid = p.element)
      SELECT DISTINCT oid::int, name, kind::text, (SELECT array_agg(a.atttypid::int ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type c ON a.attrelid = c.typrelid WHERE c.oid = parts.oid) FROM parts ORDER BY 1`,
      [[1007, 1009, 2249]],
    ]))
})

describe('what JDBC sends', () => {
  test.each<Asked>([
    ['SET extra_float_digits = 3'],
    ["SET application_name = 'PostgreSQL JDBC Driver'"],
    ['SHOW TRANSACTION ISOLATION LEVEL'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED'],
    [
      // getPrimaryKeys
      `SELECT result.TABLE_SCHEM, result.TABLE_NAME, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME FROM (
        SELECT n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME,
          (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME,
          information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM
        FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
          JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid)
          JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid)
          JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid)
        WHERE true AND ct.relname = $1 AND i.indisprimary) result
      WHERE result.A_ATTNUM = (result.KEYS).x ORDER BY result.table_name, result.pk_name, result.key_seq`,
      ['customers'],
    ],
    [
      // getTables
      `SELECT NULL AS TABLE_CAT, n.nspname, c.relname, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema'
        WHEN true THEN 'SYSTEM' WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END
        ELSE NULL END, d.description FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c
        LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass)
      WHERE c.relnamespace = n.oid AND n.nspname LIKE 'public' AND (false OR (c.relkind = 'r')) ORDER BY 3`,
    ],
    [
      'SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = 1007 AND t.typelem = e.oid',
    ],
  ])('%s', (...asked) => same(asked as unknown as Asked))
})

describe('what SQLAlchemy and Django send', () => {
  test.each<Asked>([
    ['select pg_catalog.version()'],
    ['select current_schema()'],
    ['show standard_conforming_strings'],
    ['SHOW transaction isolation level'],
    ["SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1"],
    ["SELECT set_config('TimeZone', 'UTC', false)"],
    ["SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY nspname"],
    [
      `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)
        FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
        a.attnotnull, a.attrelid::regclass::text, pgd.description, a.attgenerated::text,
        (SELECT json_build_object('always', a.attidentity = 'a', 'start', s.seqstart) FROM pg_catalog.pg_sequence s
          WHERE a.attidentity != '' AND s.seqrelid = pg_catalog.pg_get_serial_sequence(CAST(a.attrelid::regclass AS text), a.attname)::regclass::oid)
      FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_description pgd
        ON (pgd.objoid = a.attrelid AND pgd.objsubid = a.attnum)
      WHERE a.attrelid = 'orders'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    ],
    [
      `SELECT i.relname, ix.indisunique, a.attname, c.conrelid IS NOT NULL, ix.indkey::varchar, ix.indoption::varchar,
        am.amname, pg_get_expr(ix.indpred, ix.indrelid), ix.indnkeyatts
      FROM pg_class t JOIN pg_index ix ON t.oid = ix.indrelid JOIN pg_class i ON i.oid = ix.indexrelid
        LEFT OUTER JOIN pg_attribute a ON t.oid = a.attrelid AND a.attnum = ANY(ix.indkey)
        LEFT OUTER JOIN pg_constraint c ON (ix.indrelid = c.conrelid AND ix.indexrelid = c.conindid AND c.contype IN ('p', 'u', 'x'))
        LEFT OUTER JOIN pg_am am ON i.relam = am.oid
      WHERE t.relkind IN ('r', 'v', 'f', 'm', 'p') AND t.relname = $1 ORDER BY i.relname, a.attname`,
      ['customers'],
    ],
    [
      `SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
          JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx),
        c.contype::text, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka
          JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
        cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid
      WHERE cl.relname = $1 AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1`,
      ['orders'],
    ],
    [
      `SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END,
        obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
        AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1`,
    ],
    ['SELECT oid, typarray FROM pg_type WHERE typname = $1', ['hstore']],
  ])('%s', (...asked) => same(asked as unknown as Asked))
})

describe('what Prisma sends', () => {
  test.each<Asked>([
    ['SET search_path = "public"'],
    ['SELECT 1'],
    [
      "SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = $1), version(), current_setting('server_version_num')::integer AS numeric_version",
      ['public'],
    ],
    ['SELECT pg_advisory_lock(72707369); SELECT pg_advisory_unlock(72707369)'],
    ['SHOW lock_timeout'],
    [
      `SELECT tbl.relname AS table_name, namespace.nspname AS namespace, (tbl.relhassubclass AND tbl.relkind = 'p') AS is_partition,
        tbl.relrowsecurity AS has_row_level_security, reloptions, obj_description(tbl.oid, 'pg_class') AS description
      FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace
      WHERE ((tbl.relkind = 'r' AND tbl.relispartition = 'f') OR tbl.relkind = 'p') AND namespace.nspname = ANY ($1)
      ORDER BY namespace, table_name`,
      [['public']],
    ],
    [
      `SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type,
        info.numeric_precision, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity,
        info.character_maximum_length, col_description(att.attrelid, ordinal_position) AS description
      FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name
        JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class
          JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace AND pg_namespace.nspname = ANY ($1)
          WHERE reltype > 0) AS oid ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
        LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum
      WHERE table_schema = ANY ($1) ORDER BY namespace, table_name, ordinal_position`,
      [['public']],
    ],
    [
      `SELECT t.typname AS name, e.enumlabel AS value FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY ($1) ORDER BY e.enumsortorder`,
      [['public']],
    ],
    [
      'SELECT views.viewname, views.definition FROM pg_catalog.pg_views views WHERE schemaname = ANY ($1)',
      [['public']],
    ],
    ['SELECT extname, extversion, extrelocatable FROM pg_extension ORDER BY extname'],
    [
      'SELECT sequence_name, data_type, start_value FROM information_schema.sequences WHERE sequence_schema = ANY ($1)',
      [['public']],
    ],
    [
      'SELECT p.proname, pg_get_function_identity_arguments(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY ($1) AND p.prokind = $2 ORDER BY 1, 2',
      [['public'], 'f'],
    ],
    [
      'SELECT "public"."customers"."id", "public"."customers"."name" FROM "public"."customers" WHERE ("public"."customers"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3',
      [3, 1, 0],
    ],
  ])('%s', (...asked) => same(asked as unknown as Asked))
})

describe('what people write', () => {
  test.each<Asked>([
    ['SELECT version(), current_schema(), current_database() = current_catalog'],
    ["SELECT id FROM people WHERE email = 'p3@example.COM'"],
    ['SELECT id FROM people WHERE email = $1', ['P4@EXAMPLE.com']],
    ["SELECT email FROM people WHERE email LIKE 'P1%' ORDER BY email"],
    ['SELECT id FROM people ORDER BY place <-> cube(7, 7), id LIMIT 3'],
    ["SELECT name FROM customers ORDER BY name <-> 'Name 77', id LIMIT 3"],
    ["SELECT id FROM items ORDER BY embedding <-> '[3,1,2]' LIMIT 5"],
    ['SELECT id, l2_distance(embedding, $1) FROM items ORDER BY embedding <-> $1', ['[4,0,2]']],
    ["SELECT extra -> 'n', extra ? 'n' FROM people WHERE extra @> 'n=>5'"],
  ])('%s', (...asked) => same(asked as unknown as Asked))

  test('a function of the same shape that is no member of it is not', async () => {
    const asked = through.query("SELECT id FROM items ORDER BY far(embedding, '[3,1,2]')")
    await expect(asked).rejects.toMatchObject({ code: '42501' })
  })

  test('a write by an email in citext is one', async () => {
    const { rowCount } = await through.query(
      "UPDATE people SET id = id WHERE email = 'p9@EXAMPLE.com'",
    )
    expect(rowCount).toBe(1)
  })
})
