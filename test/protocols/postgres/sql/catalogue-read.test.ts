import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  buildCatalogue,
  idleNamesFrom,
  namesFrom,
} from '../../../../src/protocols/postgres/sql/catalogue-read.ts'
import { NAMES } from './catalogue-sample.ts'

const EMPTY = { relations: [], routines: [], operators: [], types: [], casts: [] }
const ANSWER = {
  version: 150004,
  builtIn: { routines: 'upper lower', volatile: 'nextval', operators: '= <', types: 'int4 text' },
  ...EMPTY,
  relations: [
    [
      1,
      'public',
      't',
      'r',
      false,
      [
        [2, 'b', 25, true, null],
        [1, 'a', 25, false, [2]],
        [3, 'c', 25, false, [[1, 2], '{VAR}']],
      ],
      [[1]],
      null,
      null,
      [7, 7],
      [['x', 64, 1291]],
      null,
      [[9, 1]],
      [5],
      [8],
    ],
  ],
}
const NAMES_ANSWER = {
  path: ['pg_temp_3', 'pg_catalog', 'public'],
  user: 'u',
  setting: 'x',
  version: 150004,
  client: 'UTF8',
  server: 'UTF8',
  strings: 'on',
  temporary: 'pg_temp_3',
  gone: [],
  ...EMPTY,
}
const read = (change: object) =>
  namesFrom(JSON.stringify({ ...NAMES_ANSWER, ...change }), NAMES.catalogue)

test('rows become relations', () => {
  const found = buildCatalogue(JSON.stringify(ANSWER), 3)?.relationByName('public', 't')
  expect(found).toMatchObject({
    cascades: [7],
    insteadOfTriggers: true,
    triggers: ['x'],
    skipsEqual: true,
    rules: false,
    calls: [5],
  })
  expect(found?.columns.map((one) => one.name)).toEqual(['a', 'b', 'c'])
  expect(found?.columns[0]?.generatedFrom).toEqual([2])
  expect(found?.columns[0]?.computed).toBeUndefined()
  expect(found?.columns[2]).toMatchObject({ generatedFrom: [1, 2], computed: '{VAR}' })
})

test('whose rights a routine has that does not say counts as one of its owner', () => {
  const routines = [
    [20001, 'public', 'mine', 'f', 'v', null, false],
    [20002, 'public', 'definer', 'f', 'v', null, true],
    [20003, 'public', 'silent', 'f', 'v', null],
  ]
  const found = buildCatalogue(JSON.stringify({ ...ANSWER, routines }), 3)
  expect(routines.map(([oid]) => found?.routine(Number(oid))?.asOwner)).toEqual([false, true, true])
})

test('an answer of another shape is not taken', () => {
  for (const wrong of ['', '[]', '{}', 'null', JSON.stringify({ ...ANSWER, relations: [[1]] })])
    expect(buildCatalogue(wrong, 1)).toBeUndefined()
  fc.assert(fc.property(fc.json(), (json) => buildCatalogue(json, 1) === undefined))
})

test("the session's own temporary schema is pg_temp", () => {
  expect(read({})).toMatchObject({
    searchPath: ['pg_temp', 'pg_catalog', 'public'],
    temporarySchema: 'pg_temp_3',
    encoding: 'utf8',
  })
})

test('only UTF8 on a UTF8 database is read alike', () => {
  expect(read({ client: 'SQL_ASCII' })?.encoding).toBe('utf8')
  expect(read({ client: 'LATIN1' })?.encoding).toBe('other')
  expect(read({ server: 'LATIN1' })?.encoding).toBe('other')
  expect(read({ strings: 'off' })?.standardConformingStrings).toBe(false)
})

test('keys differ when anything does', () => {
  expect(read({})?.key).toBe(read({})?.key)
  expect(read({ path: ['pg_catalog'] })?.key).not.toBe(read({})?.key)
})

const BARE = { path: ['pg_catalog', 'public'], usable: null, temporary: null }
const IDLE_ANSWER = {
  path: ['pg_catalog', 'public'],
  user: 'u',
  setting: 'x',
  version: '150004',
  client: 'UTF8',
  server: 'UTF8',
  strings: 'on',
  temporary: '0',
}
const idle = (change: object) =>
  idleNamesFrom(JSON.stringify({ ...IDLE_ANSWER, ...change }), NAMES.catalogue)

test('a session that has nothing of its own sees the same, whichever question it was asked', () => {
  // As the target orders them.
  const { gone, ...rest } = NAMES_ANSWER
  const { path, user, setting, version, client, server, strings } = { ...rest, ...BARE }
  const settings = { path, usable: null, user, setting, version, client, server, strings }
  const all = { ...settings, temporary: null, gone, ...EMPTY }
  const names = namesFrom(JSON.stringify(all), NAMES.catalogue)
  expect(idle({})).toEqual(names)
  expect(names?.searchPath).toEqual(['pg_catalog', 'public'])
  const others = [{ user: 'v' }, { setting: 'y' }, { client: 'LATIN1' }, { strings: 'off' }]
  for (const change of [...others, { path: ['pg_catalog'] }, { server: 'LATIN1' }])
    expect(idle(change)).not.toMatchObject({ key: names?.key })
})

test('of one that has, or may get, a temporary schema more is asked', () => {
  expect(idle({ temporary: '16384' })).toBe('more')
  expect(idle({ path: null })).toBe('more')
  for (const temporary of [0, null, [], undefined]) expect(idle({ temporary })).toBeUndefined()
  fc.assert(fc.property(fc.json(), (json) => idleNamesFrom(json, NAMES.catalogue) === undefined))
})

test.each([
  ['UTF8', 'UTF8', undefined],
  ['UTF8', 'SQL_ASCII', undefined],
  ['UTF8', 'LATIN1', 'fails'],
  ['LATIN1', 'LATIN1', undefined],
  ['LATIN1', 'UTF8', undefined],
  ['LATIN1', 'LATIN2', 'fails'],
  ['SQL_ASCII', 'UTF8', 'cuts'],
  ['SQL_ASCII', 'SQL_ASCII', undefined],
  ['SQL_ASCII', 'LATIN1', 'fails'],
])('texts of %s are sent in %s: %s', (server, client, wanted) => {
  expect(read({ server, client })?.sending).toBe(wanted)
})
