import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('the table of a DROP, ALTER or RENAME counts as written', () => {
  for (const text of [
    'DROP TABLE users',
    'ALTER TABLE users RENAME email TO mail',
    'ALTER TABLE users SET SCHEMA app',
    'DROP TRIGGER t ON users',
    'DROP POLICY p ON public.users',
  ])
    expect(judge(text).facts.tables_written, text).toEqual(['public.users'])
})

test('every DDL makes names and catalogue stale, temporary ones only names', () => {
  expect(judge('CREATE TABLE t (id int)').effect).toMatchObject({
    dirties: true,
    changesCatalogue: true,
  })
  expect(judge('CREATE TEMP TABLE t (id int) ON COMMIT DROP').effect).toMatchObject({
    dirties: true,
    changesCatalogue: false,
    dirtiesAtEnd: true,
  })
})

test('objects that are no tables are named too', () => {
  expect(judge('DROP FUNCTION app.upper(text)').objects).toEqual(['app.upper'])
  expect(judge('DROP INDEX i').objects).toEqual(['i'])
})

test('a range type with functions of its own plants code', () => {
  expect(classes('CREATE TYPE r AS RANGE (SUBTYPE = int4)')).toBe('schema')
  expect(classes('CREATE TYPE r AS RANGE (SUBTYPE = int4, SUBTYPE_DIFF = evil)')).toBe(
    'schema execute',
  )
})

test('the actions of a rule count as parts', () => {
  expect(
    judge('CREATE RULE r AS ON INSERT TO users DO ALSO DELETE FROM orders').facts.commands,
  ).toEqual(['CREATE', 'DELETE'])
})
