import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge, namesOf, PARTS, relation, routine } from './catalogue-sample.ts'

beforeAll(loadParser)

test('built-in functions do what their lists say', () => {
  expect(classes('SELECT upper($1), now(), random()')).toBe('read')
  expect(classes('SELECT pg_reload_conf()')).toBe('read admin')
  expect(classes("SELECT lo_import('/etc/passwd')")).toBe('read write admin')
  expect(classes("SELECT ts_rewrite('a', 'SELECT 1')")).toBe('read execute')
  expect(classes("SELECT ts_rewrite('a', 'b', 'c')")).toBe('read')
})

test('a volatile function that stands on no list is administration', () => {
  const builtIn = {
    ...PARTS.builtIn,
    routines: new Set(['pg_new_thing']),
    volatile: new Set(['pg_new_thing']),
  }
  expect(classes('SELECT pg_new_thing()', { names: namesOf({ builtIn }) })).toBe('read admin')
})

test('an overload anywhere on the path makes the name foreign', () => {
  expect(classes('SELECT upper($1)')).toBe('read')
  const names = namesOf({}, { searchPath: ['pg_catalog', 'app'] })
  expect(classes('SELECT upper($1)', { names })).toBe('read execute')
  expect(classes('SELECT pg_catalog.upper($1)', { names })).toBe('read')
})

test('extensions and patterns on the lists are harmless', () => {
  expect(classes("SELECT similarity('a', 'b'), 'a' % 'b', st_area($1)")).toBe('read')
})

test('a member of a harmless extension is harmless only if it does no more than compute', () => {
  expect(classes("SELECT gen_salt('bf')")).toBe('read')
  expect(classes("SELECT dropgeometrytable('public', 'users')")).toBe('read execute')
  expect(classes("SELECT find_srid('public', 'users', 'email')")).toBe('read execute')
})

test("views that show the server's files are administration, behind other views too", () => {
  expect(classes('SELECT * FROM pg_hba_file_rules')).toBe('read admin')
  expect(classes('SELECT 1 FROM hba_view')).toBe('read admin')
})

test('a view that makes JSON runs casts to json, whose type no text names', () => {
  const routines = [...PARTS.routines, routine(3176, 'pg_catalog', 'to_json')]
  const view = (calls: number[], tree: string) =>
    PARTS.relations.map((one) => (one.name === 'user_view' ? { ...one, calls, tree } : one))
  const cast = { source: 40001, target: 114, routine: 30001, context: 'e' }
  const of = (calls: number[], tree: string, casts = [cast]) =>
    classes('SELECT 1 FROM user_view', {
      names: namesOf({ relations: view(calls, tree), routines, casts }),
    })
  expect(of([3176], '()')).toBe('read execute')
  expect(of([], '({JSONCONSTRUCTOREXPR})')).toBe('read execute')
  expect(of([], '()')).toBe('read')
  expect(of([3176], '()', [])).toBe('read')
  const initdb = relation(12000, 'pg_stats', { schema: 'pg_catalog', kind: 'v' })
  const relations = [...PARTS.relations, initdb]
  const names = namesOf({ relations, casts: [cast] })
  expect(classes('SELECT 1 FROM pg_stats', { names })).toBe('read')
  expect(of([3176], '()', [{ ...cast, target: 25 }])).toBe('read')
})

test('an unknown function is code', () => {
  expect(classes('SELECT nobody_knows(1, 2)')).toBe('read execute')
})

test('columns are no functions in attribute notation', () => {
  expect(classes('SELECT u.email, s.peek FROM users u, (SELECT 1 AS peek) s')).toBe('read')
  expect(classes('SELECT u.peek FROM users u')).toBe('read execute')
  expect(classes("SELECT ('s'::regclass).nextval")).toBe('read write')
})

test('a cast that runs code counts where its types may turn up', () => {
  const names = namesOf({ casts: [{ source: 40001, target: 25, routine: 30001, context: 'i' }] })
  expect(classes('SELECT 1', { names })).toBe('read')
  expect(classes("SELECT 'a'::mood", { names })).toBe('read execute')
  expect(classes('SELECT $1', { names })).toBe('read execute')
})

test('a view that calls set_config may change what names mean', () => {
  const names = namesOf({
    relations: [relation(21000, 'setter', { kind: 'v', calls: [2078] })],
    routines: [
      {
        oid: 2078,
        schema: 'pg_catalog',
        name: 'set_config',
        kind: 'f',
        volatility: 'v',
        extension: undefined,
        asOwner: false,
      },
    ],
  })
  expect(judge('SELECT * FROM setter', { names })).toMatchObject({
    classes: ['read', 'admin'],
    effect: { dirties: true, dirtiesAtEnd: true },
  })
})
