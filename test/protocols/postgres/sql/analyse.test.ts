import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { analyse } from '../../../../src/protocols/postgres/sql/analyse.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge, judgeAll, namesOf, OPTIONS } from './catalogue-sample.ts'

beforeAll(loadParser)

const opaqueOf = (text: string, options = OPTIONS) => analyse(text, options).opaque

test('each statement has its bytes, whatever they are', () => {
  const text = "SELECT 'é'; ; SELECT 2"
  const bytes = Buffer.from(text)
  const parts = judgeAll(text).map(({ start, end }) => bytes.subarray(start, end).toString().trim())
  expect(parts).toEqual(["SELECT 'é'", 'SELECT 2'])
})

test('an empty text has no statements', () => {
  expect(analyse(' -- nothing', OPTIONS)).toEqual({ statements: [], opaque: undefined })
})

test('what the parser rejects is opaque as a whole', () => {
  expect(opaqueOf('SELECT 1; SELEC')).toEqual({
    reason: 'syntax error at or near "SELEC"',
    position: 11,
  })
})

test('bytes that the target may read in another way make the text opaque', () => {
  const off = { ...OPTIONS, names: namesOf({}, { standardConformingStrings: false }) }
  const other = { ...OPTIONS, names: namesOf({}, { encoding: 'other' }) }
  expect(opaqueOf('SELECT 1', off)).toBeDefined()
  expect(opaqueOf("SELECT 'é'", other)).toBeDefined()
  expect(opaqueOf('SELECT 1', other)).toBeUndefined()
  // Sixty-three bytes of UTF-8 are more than sixty-three of Latin 1: two names there, one here.
  expect(opaqueOf(String.raw`SELECT 1 AS U&"\00e9"`, other)).toBeDefined()
  expect(opaqueOf(String.raw`SELECT 1 AS U&"\00e9"`)).toBeUndefined()
})

test('after a change of names the rest of the message is opaque, unless it names nothing', () => {
  for (const first of [
    'SET search_path = app',
    'RESET ALL',
    'ROLLBACK',
    'COMMIT',
    'CREATE TABLE t (id int)',
    'SELECT evil()',
    'CREATE TEMP TABLE t (id int)',
    "SELECT set_config('search_path', 'app', true)",
  ]) {
    const [, named, silent] = judgeAll(`${first}; SELECT * FROM users; SET application_name = 'x'`)
    expect(named!.classes, first).toContain('opaque')
    expect(silent!.classes, first).toEqual(['read'])
  }
})

test('harmless settings and reads leave the rest of the message as it is', () => {
  const all = judgeAll(
    "SET statement_timeout = 0; BEGIN; SELECT 1; UPDATE users SET email = 'x' WHERE id = 1",
  )
  for (const one of all) expect(one.opaque).toBeUndefined()
})

test('pg_catalog behind another schema makes unqualified names opaque', () => {
  const names = namesOf({}, { searchPath: ['public', 'pg_catalog'] })
  for (const text of [
    'SELECT * FROM users',
    'SELECT upper($1)',
    'SELECT 1 + 1',
    'SELECT 1::mood',
    'DROP TABLE users',
  ])
    expect(classes(text, { names }), text).toContain('opaque')
  expect(classes('SELECT pg_catalog.upper($1) FROM public.users', { names })).toBe('read')
})

test('PREPARE and DECLARE carry the analysis of what they hold', () => {
  expect(judge('PREPARE p AS DELETE FROM users WHERE id = $1').effect.prepares).toMatchObject({
    name: 'p',
    body: { classes: ['write'], parameters: 1, verb: 'DELETE' },
  })
  expect(judge('DECLARE c CURSOR FOR SELECT 1').effect.declares).toMatchObject({
    name: 'c',
    body: { classes: ['read'], returnsRows: true },
  })
})

test("the verb is the statement's own", () => {
  expect(judge('WITH d AS (DELETE FROM users) SELECT 1').verb).toBe('SELECT')
  expect(judge('DROP TABLE users').verb).toBe('DROP')
})

test('writes by function are not bounded, however the rest is', () => {
  expect(judge("UPDATE users SET email = evil('x') WHERE id = 1").facts).toMatchObject({
    writes: true,
    bounded: false,
  })
  expect(judge('UPDATE users SET email = $1 WHERE id = $2').facts).toMatchObject({
    writes: true,
    bounded: true,
    by_key: true,
  })
})

test('nesting beyond all measure is opaque, and nothing throws', () => {
  expect(
    opaqueOf(`SELECT ${'('.repeat(3000)}1${')'.repeat(3000)}${'+1'.repeat(3000)}`)?.reason ?? '',
  ).toBeTypeOf('string')
})

const WORDS =
  "SELECT DELETE FROM users u WHERE id = $1 ( ) , . * evil WITH d AS INSERT INTO VALUES 'x' ; SET search_path TO EXPLAIN ANALYZE CREATE TABLE FUNCTION".split(
    ' ',
  )

test('it is total and always gives the same answer', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 4 })), { maxLength: 14 }),
      (words) => {
        const text = words.join(' ')
        expect(analyse(text, OPTIONS)).toEqual(analyse(text, OPTIONS))
      },
    ),
  )
})
