import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge, namesOf, PARTS } from './catalogue-sample.ts'

beforeAll(loadParser)

const columns = (text: string) => judge(text).facts.columns.toSorted()

test('columns are found through aliases, CTEs, sub-selects and joins', () => {
  expect(columns('SELECT u.email FROM users u')).toEqual(['public.users.email'])
  expect(columns('SELECT x FROM (SELECT email AS x FROM users) s')).toEqual(['public.users.email'])
  expect(columns('WITH c AS (SELECT email FROM users) SELECT * FROM c')).toEqual([
    'public.users.email',
  ])
  expect(columns('SELECT j.email FROM (users JOIN app.other USING (id)) AS j')).toContain(
    'app.other.id',
  )
  expect(columns('SELECT b FROM users AS u(a, b)')).toEqual(['public.users.email'])
  expect(columns('SELECT (SELECT email) FROM users')).toEqual(['public.users.email'])
})

test('a sub-select in FROM does not see its neighbours, and LATERAL does', () => {
  expect(columns('SELECT (SELECT 1 FROM app.other, (SELECT email) s) FROM users')).toEqual([
    'public.users.email',
  ])
  expect(columns('SELECT 1 FROM app.other, LATERAL (SELECT email) s')).toEqual(['app.other.email'])
})

test('stars and whole rows reach all columns', () => {
  for (const text of [
    'SELECT * FROM users',
    'SELECT u.* FROM users u',
    'SELECT u FROM users u',
    'SELECT row_to_json(users) FROM users',
    'SELECT public.users.* FROM users',
    'TABLE users',
  ])
    expect(columns(text), text).toHaveLength(3)
})

test('a CTE hides a table of its name, but not from a write', () => {
  expect(judge('WITH users AS (SELECT 1) SELECT * FROM users').facts.tables).toEqual([])
  expect(judge('WITH users AS (SELECT 1) SELECT * FROM public.users').facts.tables).toEqual([
    'public.users',
  ])
  expect(judge('WITH users AS (SELECT 1) DELETE FROM users').facts.tables_written).toContain(
    'public.users',
  )
})

test("pg_dump's set_config by pg_settings counts as its literal", () => {
  const text = (name: string) =>
    `SELECT set_config(name, 'view', false) FROM pg_settings WHERE name = '${name}'`
  expect(classes(text('restrict_nonsystem_relation_kind'))).toBe('read')
  expect(classes(text('role'))).toBe('read admin')
  expect(
    classes("SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'jit' OR true"),
  ).toBe('read admin')
  const own = { ...PARTS.relations[0]!, oid: 50000, schema: 'pg_temp', name: 'pg_settings' }
  const names = namesOf({}, { own: [own], searchPath: ['pg_temp', 'pg_catalog', 'public'] })
  expect(classes(text('jit'), { names })).toBe('read admin')
})

test('code is found in every clause', () => {
  for (const text of [
    'SELECT 1 FROM evil()',
    'SELECT 1 FROM ROWS FROM (evil(), now()) x',
    'SELECT 1 FROM users WHERE evil()',
    'SELECT 1 GROUP BY evil()',
    'SELECT 1 HAVING evil()',
    'SELECT 1 ORDER BY evil()',
    'SELECT 1 LIMIT evil()',
    'SELECT 1 OFFSET evil()',
    'SELECT DISTINCT ON (evil()) 1',
    'VALUES (evil())',
    'SELECT 1 UNION SELECT evil()',
    'SELECT 1 FROM users u JOIN orders o ON evil()',
    'WITH x AS (SELECT evil()) SELECT 1',
    'SELECT sum(1) OVER w WINDOW w AS (ORDER BY evil())',
    "SELECT 1 FROM XMLTABLE('/' PASSING evil() COLUMNS a int)",
    "SELECT 1 FROM JSON_TABLE(evil(), '$' COLUMNS (a int)) t",
    "SELECT 1 FROM json_to_record('{}') AS x(a checked)",
    'SELECT 1 FROM users TABLESAMPLE system (evil())',
  ])
    expect(judge(text).classes, text).toContain('execute')
})
