import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge, namesOf, PARTS, relation } from './catalogue-sample.ts'

beforeAll(loadParser)

test('a write through a view reaches its tables, their kin and their cascades', () => {
  expect(judge('DELETE FROM user_view').facts.tables_written).toEqual([
    'public.user_view',
    'public.users',
    'public.orders',
    'public.all_orders',
  ])
})

test("a write through a view to the server's catalogue is administration", () => {
  expect(judge('UPDATE settings_view SET email = 1 WHERE id = 1').classes).toContain('admin')
  expect(judge('UPDATE user_view SET email = 1 WHERE id = 1').classes).not.toContain('admin')
})

test('temporary rows are no write', () => {
  expect(judge('INSERT INTO pg_temp.t VALUES (1)')).toMatchObject({
    classes: ['write'],
    facts: { writes: false, tables: ['pg_temp.t'] },
  })
})

test('writing the settings view could set what the gateway sets', () => {
  expect(judge("UPDATE pg_settings SET setting = 'x'").refused).toBeDefined()
})

test('a write through a temporary view is one to the tables below', () => {
  const mine = relation(21000, 'mine', {
    schema: 'pg_temp',
    kind: 'v',
    temporary: true,
    reads: [{ relation: 20001, column: 1 }],
  })
  const names = namesOf({ relations: [...PARTS.relations, mine] })
  expect(judge('DELETE FROM pg_temp.mine', { names }).facts).toMatchObject({
    writes: true,
    bounded: false,
  })
})

test('a write to the settings view may change what names mean, and answers with rows', () => {
  for (const text of [
    "UPDATE pg_settings SET email = 'x' WHERE id = 'search_path'",
    "UPDATE settings_view SET email = 'x'",
  ])
    expect(judge(text)).toMatchObject({
      returnsRows: true,
      effect: { dirties: true, dirtiesAtEnd: true },
    })
})

test('rules of a table may answer with rows', () => {
  expect(judge('DELETE FROM ruled').returnsRows).toBe(true)
  expect(judge('DELETE FROM users').returnsRows).toBe(false)
})
