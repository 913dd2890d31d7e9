import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('set_config is SET', () => {
  expect(classes("SELECT set_config('search_path', '', false)")).toBe('read')
  expect(classes("SELECT pg_catalog.set_config('role', 'x', false)")).toBe('read admin')
  expect(classes("SELECT set_config('search_path', $1, false)")).toBe('read admin')
  expect(classes("SELECT set_config($1, 'x', false)")).toBe('read admin')
  expect(
    classes("SELECT set_config(setting_name => 'jit', new_value => 'on', is_local => false)"),
  ).toBe('read admin')
})

test('a value given at Bind is as harmless as a literal where no value does harm', () => {
  // asyncpg puts `jit` back like this whenever it has looked at a type.
  expect(classes("SELECT set_config('jit', $1, false)")).toBe('read')
  expect(classes("SELECT set_config('enable_sort', $1::text, true)")).toBe('read')
  for (const name of ['client_encoding', 'row_security', 'role', 'work_mem', 'search_path'])
    expect(classes(`SELECT set_config('${name}', $1, false)`), name).toBe('read admin')
  expect(classes("SELECT set_config('jit', $1 || 'f', false)")).toBe('read admin')
  expect(classes("SELECT set_config('jit', email, false) FROM users")).toBe('read admin')
})

test('what hands identity on is refused in every form', () => {
  for (const text of [
    "SET sluice.subject = 'x'",
    'SET LOCAL "Sluice"."Subject" = \'x\'',
    "SELECT set_config('sluice.subject', 'x', true)",
    'SELECT set_config(email, $1, true) FROM users',
    "SELECT set_config('sluice.subject', $1, true)",
    "ALTER ROLE a SET sluice.subject = 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET sluice.subject = 'x' AS ''",
  ])
    expect(judge(text).refused, text).toBeDefined()
  expect(judge('RESET sluice.subject').refused).toBeUndefined()
})

test('what changes names makes the session dirty', () => {
  expect(judge("SELECT set_config('search_path', '', true)").effect).toMatchObject({
    dirties: true,
    dirtiesAtEnd: true,
  })
  expect(judge("SELECT set_config('jit', 'off', false)").effect.dirties).toBe(false)
})
