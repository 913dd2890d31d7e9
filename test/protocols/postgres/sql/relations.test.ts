import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge } from './catalogue-sample.ts'

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
