/** Pure. INSERT, UPDATE, DELETE, MERGE, TRUNCATE and COPY, alone and inside other statements. */
import type { Choose } from './choose.ts'
import { pin, predicate } from './predicate.ts'
import { readable, simple } from './read.ts'
import { fresh, other, TABLES, type Table, value, WRITABLE_VIEWS } from './tables.ts'

const WRITABLE = [...TABLES, ...WRITABLE_VIEWS]

export function change(c: Choose): string {
  return c.of(
    6,
    () => update(c),
    6,
    () => remove(c),
    5,
    () => insert(c),
    3,
    () => merge(c),
    5,
    () => nested(c),
    () => truncate(c),
  )
}

function target(c: Choose): { of: Table; text: string; prefix: string } {
  const of = c.chance(85) ? c.one(TABLES) : c.one(WRITABLE_VIEWS)
  const only = c.chance(8) ? 'ONLY ' : ''
  if (!c.chance(35)) return { of, text: `${only}${of.name}`, prefix: '' }
  return { of, text: `${only}${of.name} ${c.one(['t', 'AS t'])}`, prefix: 't.' }
}

function returning(c: Choose, percent: number, prefix = ''): string {
  const what = c.one(['*', '1', `${prefix}ctid`, "nextval('tickets')"])
  return c.maybe(percent, () => `RETURNING ${prefix === '' && what.endsWith('ctid') ? '*' : what}`)
}

function assignment(c: Choose, of: Table): string {
  const name = c.chance(4) ? of.key : other(c, of)
  const type = of.columns[name]!
  return c.of(
    6,
    () => `${name} = ${type === 'text' ? `'x${c.below(900)}'` : value(c, type)}`,
    2,
    () => `${name} = ${name}`,
    () => `${name} = DEFAULT`,
    () => `(${name}) = ROW (${type === 'text' ? `'y${c.below(900)}'` : value(c, type)})`,
    () =>
      `(${name}) = (SELECT ${name === of.key ? fresh(c, type) : type === 'text' ? `'z${c.below(900)}'` : value(c, type)})`,
    () =>
      type === 'int'
        ? `${name} = ${name} + ${c.one(['1', 'plus_one(0)', "nextval('tickets')::int"])}`
        : `${name} = ${name}`,
  )
}

const OTHERS = [
  "(VALUES (1, 'n1'), (2, 'n2')) AS v(id, body)",
  '(VALUES (3), (4)) AS v(id)',
  'places v',
  'customers v',
  'generate_series(1, 1000) v(id)',
  '(SELECT id FROM notes) v',
  "unnest('{1,2}'::int[]) v(id)",
  'places JOIN (VALUES (1)) v(id) ON true',
]

function update(c: Choose): string {
  const { of, text, prefix } = target(c)
  const set = assignment(c, of)
  if (c.chance(20)) {
    const name = prefix === '' ? `${of.name.replace(/^(app|public)\./, '')}.` : prefix
    const where = joinTerm(c, of, name)
    return `UPDATE ${text} SET ${set} FROM ${c.one(OTHERS)}${where}${returning(c, 20, name)}`
  }
  return `UPDATE ${text} SET ${set}${c.maybe(90, () => `WHERE ${predicate(c, of, prefix)}`)}${returning(c, 25, prefix)}`
}

function joinTerm(c: Choose, of: Table, name: string): string {
  const key = of.columns[of.key] === 'int' ? 'v.id' : 'v.id::text'
  return c.of(
    3,
    () => ` WHERE ${name}${of.key} = ${key}`,
    () => ` WHERE ${name}${of.key} = ${key} AND ${pin(c, of, name)}`,
    () => ` WHERE ${pin(c, of, name)}`,
    () => ` WHERE ${predicate(c, of, name)}`,
    () => ` WHERE ${name}${of.key} = ${key} OR ${name}${of.key} IS NOT NULL`,
    () => ` WHERE v.id = 1`,
    () => ` WHERE ${name}${of.key} IN (${key})`,
    () => '',
  )
}

function remove(c: Choose): string {
  const { of, text, prefix } = target(c)
  if (c.chance(20)) {
    const name = prefix === '' ? `${of.name.replace(/^(app|public)\./, '')}.` : prefix
    return `DELETE FROM ${text} USING ${c.one(OTHERS)}${joinTerm(c, of, name)}${returning(c, 20, name)}`
  }
  return `DELETE FROM ${text}${c.maybe(92, () => `WHERE ${predicate(c, of, prefix)}`)}${returning(c, 25, prefix)}`
}

/** Columns that a row of the table needs, with values that stand nowhere yet, or do. */
function row(c: Choose, of: Table): { names: string; values: string } {
  const key = c.chance(30) ? value(c, of.columns[of.key]!) : fresh(c, of.columns[of.key]!)
  if (of.name === 'orders')
    return { names: 'id, customer_id', values: `${key}, ${c.one(['1', '2', '901'])}` }
  const name = other(c, of)
  if (of.name === 'customers') return { names: 'id, name', values: `${key}, ${fresh(c, 'text')}` }
  if (of.name === 'good_customers')
    return { names: 'id, name, feeling', values: `${key}, 'x', 'good'` }
  if (of.name === 'notes' || of.name === 'mirror')
    return { names: 'id, body', values: `${key}, 'x'` }
  return { names: `${of.key}, ${name}`, values: `${key}, ${fresh(c, of.columns[name]!)}` }
}

function insert(c: Choose): string {
  const of = c.one(WRITABLE.filter((one) => one.inserts || c.chance(15)))
  const { names, values } = row(c, of)
  const into = `INSERT INTO ${of.name}`
  return c.of(
    5,
    () => `${into} (${names}) VALUES (${values})${conflict(c, of)}${returning(c, 25)}`,
    () => `${into} (${names}) VALUES (${values}), (${row(c, of).values})${conflict(c, of)}`,
    () => `INSERT INTO audit DEFAULT VALUES`,
    () =>
      c.one([
        'INSERT INTO paints DEFAULT VALUES',
        "INSERT INTO paints (paint, logged) VALUES ('red'::text, 0)",
        "INSERT INTO paints (paint, logged) VALUES ('red', 0)",
        'INSERT INTO paints (paint) SELECT body FROM notes LIMIT 1',
        "UPDATE paints SET paint = upper('red') WHERE id = 1",
        "UPDATE paints SET paint = 'blue' WHERE id = 1",
        "INSERT INTO paints (id, logged) VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET logged = write_audit('conflict')",
        'INSERT INTO paints (id, logged) VALUES (2, 0) RETURNING sly(id)',
        'UPDATE paints SET logged = DEFAULT WHERE id = 1',
      ]),
    () =>
      `INSERT INTO members (nick) VALUES (${c.one(["'x'", "(SELECT 'y')", 'DEFAULT', 'upper($$z$$)'])})`,
    () =>
      `INSERT INTO audit (what) ${c.one(['SELECT body FROM notes', "SELECT 'x' FROM generate_series(1, 30)", 'SELECT body FROM notes LIMIT 2', 'SELECT body FROM notes WHERE id = 1', 'SELECT body FROM notes WHERE id > 1', 'SELECT body FROM notes ORDER BY id LIMIT ALL', '(SELECT body FROM notes LIMIT 3)', 'SELECT body FROM notes FETCH FIRST 2 ROWS WITH TIES', 'TABLE mails_text', 'SELECT n.body FROM notes n, notes m WHERE n.id = 1', 'SELECT name FROM customer_names WHERE id = 2', 'SELECT unnest(tags) FROM customers WHERE id = 1', "VALUES ('a'), ('b') LIMIT 1", 'SELECT body FROM notes WHERE id = 1 UNION ALL SELECT name FROM customers', 'WITH w AS (SELECT body FROM notes) SELECT * FROM w LIMIT 1'])}`.replace(
        'TABLE mails_text',
        'SELECT email FROM mails',
      ),
    () => `INSERT INTO audit (id, what) OVERRIDING SYSTEM VALUE VALUES (100, 'x')`,
    () =>
      `INSERT INTO audit (what) VALUES (${c.one(['generate_series(1, 3)::text', "write_audit('i')::text", "nextval('tickets')::text", 'gen_random_uuid()::text'])})`,
    () =>
      `INSERT INTO events (id, at, body) VALUES (40, ${c.one(["'2024-02-02'", "'2031-01-01'"])}, 'x')`,
    () =>
      `INSERT INTO ${into.includes('app.') ? 'app.knobs (key)' : 'notes (id, body)'} ${into.includes('app.') ? "SELECT 'q'" : 'SELECT id + 300, body FROM notes'}${c.maybe(50, () => 'LIMIT 2')}`,
    () =>
      `INSERT INTO notes (id, body) SELECT id, 'again' FROM notes${c.maybe(50, () => 'LIMIT 2')} ON CONFLICT (id) DO UPDATE SET body = excluded.body`,
  )
}

function conflict(c: Choose, of: Table): string {
  if (!c.chance(35)) return ''
  const set = other(c, of)
  return c.of(
    () => ` ON CONFLICT DO NOTHING`,
    () => ` ON CONFLICT (${of.key}) DO NOTHING`,
    () => ` ON CONFLICT (${of.key}) DO UPDATE SET ${set} = excluded.${set}`,
    () =>
      ` ON CONFLICT (${of.key}) DO UPDATE SET ${set} = ${of.columns[set] === 'text' ? "'c'" : 'DEFAULT'} WHERE ${of.name.replace(/^(app|public)\./, '')}.${of.key} IS NOT NULL`,
  )
}

function merge(c: Choose): string {
  const of = c.one(TABLES.filter(({ name }) => !['inbox', 'app.typed'].includes(name)))
  const key = of.columns[of.key] === 'int' ? 'v.id' : 'v.id::text'
  const { names, values } = row(c, of)
  const on = c.of(
    4,
    () => `t.${of.key} = ${key}`,
    () => `t.${of.key} = ${key} AND ${pin(c, of, 't.')}`,
    () => `t.${of.key} = ${key} AND ${predicate(c, of, 't.')}`,
    () => pin(c, of, 't.'),
  )
  const when = c.list(2, ' ', () =>
    c.of(
      () =>
        `WHEN MATCHED${c.maybe(30, () => `AND ${predicate(c, of, 't.')}`)} THEN UPDATE SET ${assignment(c, of)}`,
      () => `WHEN MATCHED${c.maybe(30, () => `AND ${predicate(c, of, 't.')}`)} THEN DELETE`,
      () => 'WHEN MATCHED AND false THEN DO NOTHING',
      () =>
        `WHEN NOT MATCHED${c.one(['', ' AND v.id < 2'])} THEN ${c.one([`INSERT (${names}) VALUES (${values})`, 'DO NOTHING'])}`,
    ),
  )
  const source = c.one(OTHERS.slice(0, 7))
  return `MERGE INTO ${c.one(['', 'ONLY '])}${of.name} AS t USING ${source} ON ${on} ${when}`
}

function truncate(c: Choose): string {
  return c.one([
    'TRUNCATE notes',
    'TRUNCATE customers CASCADE',
    'TRUNCATE TABLE ONLY places',
    'TRUNCATE places, capitals',
    'TRUNCATE events',
    'TRUNCATE events_rest',
    'TRUNCATE orders CASCADE',
    'TRUNCATE audit, app.notes RESTART IDENTITY',
    'TRUNCATE members RESTART IDENTITY CASCADE',
  ])
}

/** A change inside another statement. */
function nested(c: Choose): string {
  const some = () => withReturning(c)
  return c.of(
    3,
    () => `WITH d AS (${some()}) SELECT count(*) FROM d`,
    () => `WITH d AS (${some()}) SELECT 1`,
    () => `WITH d AS (${some()}), e AS (${some()}) SELECT * FROM d LIMIT 1`,
    () => `WITH w AS (${simple(c)}) ${remove(c)}`,
    () => `WITH w AS (SELECT 1 AS id) UPDATE notes SET body = 'w' FROM w WHERE notes.id = w.id`,
    () =>
      `WITH d AS (DELETE FROM notes WHERE ${pin(c, TABLES[3]!, '')} RETURNING id) INSERT INTO audit (what) SELECT id::text FROM d`,
    () => `WITH d AS (${some()}) ${update(c)}`,
    () => `EXPLAIN ${change(c)}`,
    2,
    () =>
      `EXPLAIN (${c.one(['ANALYZE', 'ANALYZE true, COSTS off', "ANALYZE 'on'", 'ANALYZE 1, TIMING off', 'ANALYZE off', 'VERBOSE, ANALYZE', 'ANALYZE false, ANALYZE'])}) ${change(c)}`,
    () => `EXPLAIN ANALYZE ${simple(c)}`,
    2,
    () => `COPY (${some()}) TO STDOUT${c.maybe(20, () => 'WITH (FORMAT csv)')}`,
  )
}

function withReturning(c: Choose): string {
  return c.of(
    () => `UPDATE notes SET body = 'r' WHERE ${predicate(c, TABLES[3]!)} RETURNING *`,
    () =>
      `DELETE FROM ${c.one(['notes', 'order_lines', 'events', 'places', 'pairs'])} ${c.one(['WHERE true', "WHERE ctid = '(0,1)'"])} RETURNING 1 AS x`,
    () => `INSERT INTO audit (what) VALUES ('r') RETURNING id`,
    () => `UPDATE app.knobs SET value = 'r' WHERE key = ${value(c, 'text')} RETURNING key`,
    () => `DELETE FROM customers WHERE id = ${value(c, 'int')} RETURNING id`,
  )
}

/** COPY to and from the client. */
export function copy(c: Choose): string {
  return c.of(
    () =>
      `COPY ${c.one(['notes (id, body)', 'audit (what, id)', 'app.notes', 'app.knobs', 'pairs', 'places'])} FROM STDIN`,
    () => `COPY inbox FROM STDIN WITH (FORMAT csv)`,
    () => `COPY events (id, at) FROM STDIN (DELIMITER '|') WHERE id > 0`,
    () => `COPY ${readable(c).name} TO STDOUT`,
    () => `COPY notes TO STDOUT WITH (FORMAT csv, HEADER)`,
    () => `COPY (${simple(c)}) TO STDOUT`,
    () => `COPY (SELECT 1) TO '/dev/null'`,
    () => `COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'`,
    () => `COPY audit (what) FROM '/dev/null'`,
  )
}
