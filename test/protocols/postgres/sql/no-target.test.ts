import { beforeAll, expect, test } from 'vitest'
import { NO_TARGET } from '../../../../src/protocols/postgres/sql/no-target.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

const options = { names: NO_TARGET }

test('unqualified names are public, and built-in functions are known', () => {
  const { facts } = judge('SELECT count(*), upper(u.email) FROM users u', options)
  expect(facts).toMatchObject({
    tables: ['public.users'],
    columns: ['public.users.email'],
    functions: ['pg_catalog.count', 'pg_catalog.upper'],
  })
  expect(classes('SELECT upper($1)', options)).toBe('read')
})

test('what only a target could tell is code', () => {
  expect(classes('SELECT my_function()', options)).toBe('read execute')
})
