import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('written and named columns are told, and what the write reaches', () => {
  const { facts } = judge(
    'UPDATE users u SET email = o.email FROM app.other o WHERE o.id = u.id RETURNING u.owner_id',
  )
  expect(facts.columns.toSorted()).toEqual([
    'app.other.email',
    'app.other.id',
    'public.users.email',
    'public.users.id',
    'public.users.owner_id',
  ])
  expect(facts.tables_written).toEqual(['public.users', 'public.orders', 'public.all_orders'])
  expect(facts.triggers).toEqual(['public.orders.audit'])
})

test('INSERT without a list reaches all columns and sets off no cascade', () => {
  const { facts } = judge('INSERT INTO users VALUES (1)')
  expect(facts.columns).toHaveLength(3)
  expect(facts.tables_written).toEqual(['public.users'])
})

test('ON CONFLICT DO UPDATE is an update, and excluded is the table', () => {
  const { facts } = judge(
    'INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = excluded.owner_id',
  )
  expect(facts.columns.toSorted()).toEqual([
    'public.users.email',
    'public.users.id',
    'public.users.owner_id',
  ])
  expect(facts.tables_written).toContain('public.orders')
})

test('old and new in RETURNING are the table', () => {
  expect(judge('DELETE FROM users WHERE id = 1 RETURNING old.email').facts.columns).toContain(
    'public.users.email',
  )
  expect(
    judge('DELETE FROM users WHERE id = 1 RETURNING WITH (OLD AS o) o.email').facts.columns,
  ).toContain('public.users.email')
})

test('functions are judged wherever they stand', () => {
  for (const text of [
    'INSERT INTO users VALUES (evil())',
    'UPDATE users SET email = evil()',
    'DELETE FROM users USING evil() x',
    'MERGE INTO users u USING orders o ON evil() WHEN MATCHED THEN DO NOTHING',
    'MERGE INTO users u USING orders o ON true WHEN NOT MATCHED THEN INSERT VALUES (evil())',
    'INSERT INTO users VALUES (1) ON CONFLICT DO UPDATE SET id = evil()',
    'DELETE FROM users RETURNING evil()',
  ])
    expect(judge(text).classes, text).toContain('execute')
})
