import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('types, defaults and checks of a new table are judged', () => {
  for (const text of [
    'CREATE TABLE t (a checked)',
    'CREATE TABLE t (a int DEFAULT evil())',
    'CREATE TABLE t (a int CHECK (evil()))',
    'CREATE TABLE t (a int, CHECK (evil()))',
    'CREATE TABLE t (a int GENERATED ALWAYS AS (evil()) STORED)',
    'CREATE TABLE t (a int) PARTITION BY RANGE (evil(a))',
    'CREATE TABLE t PARTITION OF all_orders FOR VALUES IN (evil())',
    'CREATE TYPE c AS (a checked)',
    'CREATE DOMAIN d AS text DEFAULT evil()',
    'CREATE DOMAIN d AS checked',
    'ALTER DOMAIN d ADD CHECK (evil())',
  ])
    expect(judge(text).classes, text).toContain('execute')
})

test('serial is no type, and other tables are named', () => {
  const statement = judge('CREATE TABLE t (id bigserial, u int REFERENCES users, LIKE app.other)')
  expect(statement.classes).toEqual(['schema'])
  expect(statement.facts.tables).toEqual(['public.t', 'public.users', 'app.other'])
})
