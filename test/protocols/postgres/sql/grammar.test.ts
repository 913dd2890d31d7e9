import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, namesOf, PARTS } from './catalogue-sample.ts'

beforeAll(loadParser)

const on = (text: string, serverVersion: number) =>
  classes(text, { names: namesOf({ serverVersion }) })

test("what 15 reads as a user's function or column is opaque there and understood on 18", () => {
  for (const text of [
    "SELECT json_value('{}', '$.x')",
    'SELECT system_user',
    'SELECT 0x1F',
    'SELECT 1_000',
    'SELECT -0b11',
    'SELECT JSON_SCALAR(1)',
    "SELECT * FROM JSON_TABLE('{}', '$' COLUMNS (x int)) t",
    'SELECT 1 IS JSON',
    'SELECT JSON_ARRAYAGG(1)',
  ]) {
    expect(on(text, 150004), text).toContain('opaque')
    expect(on(text, 180000), text).not.toContain('opaque')
  }
})

test('ordinary numbers and strings are read alike everywhere', () => {
  expect(on("SELECT 10, 1.5e3, -7, '1_000', a_1 FROM users", 150004)).toBe('read')
})

test('json_object is looked for on the path of a server that does not qualify it', () => {
  const routines = [...PARTS.routines, { ...PARTS.routines[0]!, oid: 31000, name: 'json_object' }]
  const names = namesOf({ routines, serverVersion: 150004 })
  expect(classes("SELECT json_object('{a,b}')", { names })).toBe('read execute')
})

test('servers before 13 are not understood', () => {
  expect(on('SELECT 1', 120000)).toContain('opaque')
})
