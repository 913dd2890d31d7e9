import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('each sub-command counts: commands, columns, values', () => {
  const { facts } = judge(
    'ALTER TABLE users ALTER email SET NOT NULL, DROP COLUMN email, DROP CONSTRAINT c',
  )
  expect(facts.commands).toEqual(['ALTER', 'DROP'])
  expect(facts.tags).toEqual(['ALTER TABLE', 'DROP COLUMN', 'DROP CONSTRAINT'])
  expect(facts.columns).toEqual(['public.users.email'])
  expect(facts.tables_written).toEqual(['public.users'])
  expect(facts.writes).toBe(true)
})

test('what is switched on or off in silence is code', () => {
  for (const what of [
    'ENABLE ALWAYS TRIGGER t',
    'DISABLE RULE r',
    'DISABLE ROW LEVEL SECURITY',
    'NO FORCE ROW LEVEL SECURITY',
  ])
    expect(classes(`ALTER TABLE users ${what}`)).toBe('schema execute')
})

test('a column of a temporary table is no schema', () => {
  expect(classes('ALTER TABLE pg_temp.t ADD c int')).toBe('write')
})

test('expressions that it brings along are judged', () => {
  for (const what of [
    'ADD c text DEFAULT evil()',
    'ALTER email SET DEFAULT evil()',
    'ALTER email TYPE text USING evil(email)',
    'ADD CHECK (evil(email) IS NULL)',
    'ADD c text GENERATED ALWAYS AS (evil(email)) STORED',
    'ADD EXCLUDE USING gist (email WITH @@@)',
  ])
    expect(judge(`ALTER TABLE users ${what}`).classes, what).toContain('execute')
})

test('a type may bring a default along', () => {
  for (const type of ['serial', 'bigserial', 'checked', 'public.checked'])
    expect(judge(`ALTER TABLE users ADD n ${type}`).facts.writes, type).toBe(true)
  for (const type of ['int', 'mood'])
    expect(judge(`ALTER TABLE users ADD n ${type}`).facts.writes, type).toBe(false)
})
