/** Pure. SELECT, VALUES and TABLE, with functions of every kind that a query may call. */
import type { Choose } from './choose.ts'
import { predicate } from './predicate.ts'
import { column, READ_ONLY, TABLES, type Table, value, WRITABLE_VIEWS } from './tables.ts'

const ALL = [...TABLES, ...WRITABLE_VIEWS, ...READ_ONLY]

export function readable(c: Choose): Table {
  return c.one(ALL)
}

export function select(c: Choose): string {
  return c.of(
    8,
    () => simple(c),
    2,
    () => joined(c),
    2,
    () => grouped(c),
    () => combined(c),
    () => withQuery(c),
    2,
    () => locking(c),
    4,
    () => calling(c),
    2,
    () => implied(c),
    () => odd(c),
  )
}

/** Of one table, of which it gives `key` first. */
export function simple(c: Choose): string {
  const of = readable(c)
  const alias = c.chance(40) ? 't' : undefined
  const prefix = alias === undefined ? '' : 't.'
  const outputs = c.of(
    () => '*',
    () => `${prefix}${of.key}`,
    () => `${prefix}${of.key}, ${scalar(c, of, prefix)} AS made`,
    () => `count(*) OVER (), ${prefix}${column(c, of)}`,
  )
  const from = `${c.chance(8) ? 'ONLY ' : ''}${of.name}${alias === undefined ? '' : ' AS t'}`
  const where = c.maybe(60, () => `WHERE ${predicate(c, of, prefix)}`)
  const order = c.maybe(
    30,
    () => `ORDER BY ${prefix}${column(c, of)}${c.one([' DESC', '', ' USING <'])}`,
  )
  const distinct =
    !outputs.includes('OVER') && order === '' && c.chance(10) && !of.name.includes('custom')
      ? 'DISTINCT '
      : ''
  return `SELECT ${distinct}${outputs} FROM ${from}${where}${order}${c.maybe(20, () => `LIMIT ${c.below(4)}`)}${c.maybe(8, () => 'OFFSET 1')}`
}

export function scalar(c: Choose, of: Table, prefix: string): string {
  const name = `${prefix}${column(c, of)}`
  return c.of(
    2,
    () => `${name}::text || 'x'`,
    () => `coalesce(${name}, ${value(c, of.columns[name.replace(prefix, '')] ?? 'int')})`,
    () => `upper(${name}::text)`,
    () => `CASE WHEN ${name} IS NULL THEN 1 ELSE 2 END`,
    () => `(SELECT count(*) FROM ${readable(c).name})`,
    () => `row_number() OVER (ORDER BY ${name})`,
    () => `md5(${name}::text)`,
    () => `ARRAY[${name}]`,
    () => `jsonb_build_object('a', ${name})`,
    () => `ROW(${name}, 1)`,
    () => `now()`,
    () => `plus_one(length(${name}::text))`,
    () => `write_audit(${name}::text)`,
    () => `nextval('tickets')`,
  )
}

function joined(c: Choose): string {
  return c.of(
    () =>
      `SELECT c.name, o.total FROM customers c ${c.one(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'])} orders o ON o.customer_id = c.id`,
    () => `SELECT * FROM notes NATURAL JOIN ${c.one(['app.notes an', 'events', 'places'])}`,
    () => `SELECT * FROM customers c JOIN places p USING (${c.one(['id', 'name'])})`,
    () =>
      `SELECT c.id, n.* FROM customers c, LATERAL (SELECT body FROM notes WHERE notes.customer_id = c.id) n`,
    () => `SELECT * FROM orders o CROSS JOIN generate_series(1, ${1 + c.below(3)}) g`,
    () => `SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) WITH ORDINALITY AS u(a, b, n)`,
    () => `SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS g(a, b)`,
    () => `SELECT c.peek, c.id FROM customers c WHERE c.id = ${value(c, 'int')}`,
    () => `SELECT (c).name, (c.point).a FROM customers c`,
    () => `SELECT c.${c.one(['lower', 'upper', 'name', 'text'])} FROM customers c WHERE id = 1`,
    () =>
      `SELECT * FROM ${c.one(TABLES).name} TABLESAMPLE ${c.one(['SYSTEM', 'BERNOULLI'])} (50) REPEATABLE (1)`,
    () => `SELECT x.* FROM XMLTABLE('/a/b' PASSING '<a><b>1</b></a>' COLUMNS n int PATH '.') x`,
  )
}

function grouped(c: Choose): string {
  const of = readable(c)
  const by = column(c, of)
  return c.of(
    () => `SELECT ${by}, count(*) FROM ${of.name} GROUP BY ${by} HAVING count(*) > 0`,
    () => `SELECT count(*) FILTER (WHERE ${predicate(c, of)}) FROM ${of.name}`,
    () => `SELECT ${by}, sum(1) OVER w FROM ${of.name} WINDOW w AS (PARTITION BY ${by})`,
    () =>
      `SELECT ${by}, count(*) FROM ${of.name} GROUP BY ${c.one(['ROLLUP', 'CUBE', 'GROUPING SETS'])} ((${by}))`,
    () => `SELECT string_agg(${by}::text, ',' ORDER BY ${by}) FROM ${of.name}`,
    () => `SELECT gather(${by}::text) FROM ${of.name}`,
    () => `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ${by}::text) FROM ${of.name}`,
  )
}

function combined(c: Choose): string {
  const side = () => {
    const of = readable(c)
    return `SELECT ${of.key}::text FROM ${of.name}`
  }
  return `${side()} ${c.one(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'])} ${side()} ORDER BY 1`
}

function withQuery(c: Choose): string {
  return c.of(
    () => `WITH w AS (${simple(c)}) SELECT count(*) FROM w`,
    () => `WITH w AS MATERIALIZED (${simple(c)}), v AS (SELECT * FROM w) SELECT * FROM v`,
    () =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT * FROM n`,
    () => `WITH notes AS (SELECT 1 AS id) SELECT * FROM notes`,
    () => `SELECT * FROM (WITH w AS (${simple(c)}) SELECT * FROM w) s`,
    () => `SELECT * FROM (${simple(c)}) AS s`,
    () =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SEARCH DEPTH FIRST BY i SET o CYCLE i SET is_cycle USING path SELECT * FROM n`,
  )
}

function locking(c: Choose): string {
  const of = c.one([...TABLES, ...WRITABLE_VIEWS])
  const how = c.one(['UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE'])
  return c.of(
    3,
    () =>
      `SELECT ${of.key} FROM ${of.name} WHERE ${predicate(c, of)} FOR ${how}${c.one(['', ' SKIP LOCKED', ' NOWAIT'])}`,
    () => `SELECT * FROM (SELECT * FROM notes FOR ${how}) s`,
    () => `SELECT 1 WHERE EXISTS (SELECT 1 FROM notes FOR ${how})`,
    () => `WITH w AS (SELECT * FROM notes FOR ${how}) SELECT count(*) FROM w`,
    () => `SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id FOR ${how} OF c`,
  )
}

/** Built-in and own functions, harmless or not. */
export const CALLS: readonly string[] = [
  `nextval('tickets')`,
  `currval(pg_get_serial_sequence('audit', 'id'))`,
  `setval('tickets', 40)`,
  `lo_create(0) > 0`,
  `lo_from_bytea(0, '\\x41') > 0`,
  `lo_put(4242, 0, 'x')`,
  `lo_get(4242)`,
  `lo_unlink(4242)`,
  `pg_advisory_lock(7)`,
  `pg_try_advisory_xact_lock(7, 8)`,
  `pg_advisory_unlock(7)`,
  `pg_advisory_unlock_all()`,
  `pg_notify('ch', 'hello')`,
  `set_config('application_name', 'x', false)`,
  `set_config('search_path', 'app, public', true)`,
  `set_config('Search_Path', 'app', false)`,
  `set_config('work_mem', '128kB', true)`,
  `set_config('role', 'peon', true)`,
  `set_config('session_replication_role', 'replica', true)`,
  `set_config('my.setting', 'x', false)`,
  `set_config(lower('SEARCH_PATH'), 'app', false)`,
  `query_to_xml('SELECT 1', true, true, '')`,
  `table_to_xml('notes', true, true, '')`,
  `pg_relation_size('notes')`,
  `pg_table_is_visible('notes'::regclass)`,
  `obj_description('notes'::regclass)`,
  `has_table_privilege('notes', 'select')`,
  `format_type(23, NULL)`,
  `pg_get_viewdef('totals'::regclass)`,
  `current_setting('search_path')`,
  `version()`,
  `current_schemas(true)`,
  `txid_current() > 0`,
  `pg_current_xact_id() IS NOT NULL`,
  `pg_export_snapshot() IS NOT NULL`,
  `pg_stat_clear_snapshot()`,
  `pg_backend_pid() > 0`,
  `pg_sleep(0)`,
  `gen_random_uuid() IS NOT NULL`,
  `setseed(0.5)`,
  `random() > 2`,
  `to_tsvector('simple', 'a b')`,
  `regexp_replace('abc', 'b', 'x')`,
  `jsonb_path_query('{"a": 1}', '$.a')`,
  `json_object('{a,1}')`,
  `generate_series(1, 3)`,
  `plus_one(1)`,
  `write_audit('called')`,
  `definer()`,
  `wander()`,
  `public.wander()`,
  `keep('a', 'b')`,
  `'a'::text === 'b'::text`,
  `'a'::text OPERATOR(public.===) 'b'::text`,
  `lower('X')`,
  `5::positive`,
  `CAST('good' AS mood)`,
  `'(1,a)'::pair`,
  `brin_summarize_new_values(0) IS NULL`,
  `pg_switch_wal() IS NULL`,
  `pg_stat_reset()`,
  `pg_logical_emit_message(true, 'a', 'b') IS NULL`,
  `pg_create_restore_point('p') IS NULL`,
  `pg_log_backend_memory_contexts(pg_backend_pid())`,
  `pg_read_file('PG_VERSION')`,
  `pg_ls_dir('base') IS NULL`,
  `pg_sequence_last_value('tickets')`,
  `has_function_privilege('write_audit(text)', 'execute')`,
  `ts_stat('SELECT to_tsvector(''a'')')`,
  `ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')`,
  `pg_input_is_valid('1', 'int')`,
]

function calling(c: Choose): string {
  const call = () => c.one(CALLS)
  return c.of(
    6,
    () => `SELECT ${call()}`,
    () =>
      `SELECT * FROM ${c.one(['definer()', 'generate_series(1, 2)', 'lo_get(4242) l', "nextval('tickets')", 'wander()', "write_audit('from')", "pg_ls_dir('base')"])}`,
    () =>
      `SELECT id FROM notes WHERE ${c.one(['write_audit(body) = 1', "nextval('tickets') > 0", 'plus_one(id) = 2', "body === 'x'"])}`,
    () =>
      `SELECT id FROM notes ORDER BY ${c.one(['write_audit(body)', 'plus_one(id)', 'random()'])}`,
    () => `SELECT count(*) FROM (SELECT ${call()} AS x) s`,
    () =>
      `SELECT * FROM ${c.one(['noisy', 'path_setter', 'numbers', 'settings', 'pg_settings LIMIT 1'])}`,
    () => `VALUES (1, ${c.one(['1', "nextval('tickets')", "write_audit('v')"])})`,
    () =>
      `SELECT 1 LIMIT ${c.one(["write_audit('l')", 'plus_one(1)', "(SELECT nextval('tickets'))"])}`,
    () => `SELECT 1 WHERE false AND ${c.one(["write_audit('f') = 1", "setval('tickets', 9) = 9"])}`,
  )
}

/** Code that is called without being named as a function. */
function implied(c: Choose): string {
  return c.one([
    "SELECT 'red'::text::color",
    'SELECT body::color FROM notes WHERE id = 1',
    'SELECT CAST(upper(body) AS color) FROM notes',
    "SELECT 'red'::color",
    'SELECT c FROM customers c WHERE id = 1',
    'SELECT c::text FROM customers c',
    'SELECT row_to_json(c) FROM customers c',
    'SELECT (c.*)::text LIKE $$x$$ FROM customers c',
    'SELECT sly(1)',
    'EXPLAIN SELECT sly(1)',
    'EXPLAIN SELECT id FROM notes WHERE id = sly(2)',
    "EXPLAIN SELECT nextval('tickets')",
    'EXPLAIN (ANALYZE) SELECT write_audit(body) FROM notes',
    'SELECT paint, count(*) FROM paints GROUP BY paint ORDER BY paint',
    'SELECT * FROM notes n, LATERAL write_audit(n.body) w',
    'SELECT * FROM json_to_record($${"a": 1}$$) AS r(a color)',
    'SELECT * FROM json_populate_record(NULL::paints, \'{"paint": "red"}\')',
    "SELECT ARRAY['red'::text]::color[]",
    'SELECT id FROM notes GROUP BY ROLLUP (id, plus_one(id))',
    'SELECT CASE id WHEN plus_one(0) THEN 1 END FROM notes',
    'SELECT max(id) OVER (ORDER BY sly(id)) FROM notes',
    'SELECT DISTINCT ON (sly(id)) id FROM notes',
    "SELECT COALESCE(NULL, write_audit('c'))",
    "SELECT (SELECT write_audit('s')) + 1",
    'SELECT id FROM notes FETCH FIRST (sly(1)) ROWS ONLY',
    "SELECT 'a' = ANY (SELECT write_audit(body)::text FROM notes)",
    "SELECT EXISTS (SELECT write_audit(body) FROM notes WHERE nextval('tickets') > 0)",
  ])
}

/** Words that newer grammars know, names from odd places. */
function odd(c: Choose): string {
  const word = c.one([
    'json_value',
    'json_table',
    'merge_action',
    'absent',
    'period',
    'nested',
    'path',
    'source',
    'target',
    'objects',
    'scalar',
    'conditional',
    'virtual',
    'enforced',
    'string',
    'keys',
    'error',
    'quotes',
    'plan',
    'omit',
    'json',
    'json_query',
    'json_exists',
    'json_scalar',
    'json_serialize',
    'json_arrayagg',
  ])
  return c.of(
    () => `SELECT 1 AS ${word}`,
    () => `SELECT 1 ${word}`,
    () => `SELECT ${word}.id FROM notes ${word}`,
    () => `SELECT ${word} FROM (VALUES (1)) t(${word})`,
    () => `TABLE ${readable(c).name}`,
    () => `SELECT`,
    () => `SELECT FROM notes`,
    () => `VALUES (1, 'a'), (2, 'b') ORDER BY 1 LIMIT 1`,
    () => `SELECT '{}'::json IS NOT NULL, '1'::json::text`,
    () => `SELECT 1 OPERATOR(pg_catalog.+) 1, (ARRAY[1, 2])[1], -1, 5 % 2, 2 ^ 3, |/ 4`,
    () => `SELECT current_user, session_user, current_date, current_catalog, localtime IS NULL`,
    () =>
      `SELECT date '2024-01-01' AT TIME ZONE 'UTC', extract(year FROM now()), overlay('abc' placing 'x' from 1), 'a' SIMILAR TO 'b', (now(), now()) OVERLAPS (now(), now())`,
    () =>
      `SELECT XMLELEMENT(NAME a, 'b'), XMLPARSE(CONTENT 'a'), XMLFOREST(1 AS a), '<a/>'::xml IS DOCUMENT`,
    () => `SELECT "id", "notes"."id", public.notes.id FROM public.notes`,
    () => `SELECT relname FROM pg_class WHERE relname = 'notes'`,
    () => `SELECT column_name FROM information_schema.columns WHERE table_name = 'notes'`,
  )
}
