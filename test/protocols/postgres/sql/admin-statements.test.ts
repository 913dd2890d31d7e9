import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('what stands in no row of the table is administration', () => {
  for (const text of [
    'CREATE SERVER s FOREIGN DATA WRAPPER f',
    'CREATE LANGUAGE plx',
    'SECURITY LABEL ON TABLE users IS NULL',
  ])
    expect(judge(text).classes).toContain('admin')
})

test('an event trigger plants code as well', () => {
  expect(classes('CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION evil()')).toBe(
    'execute admin',
  )
})

test('extensions and foreign objects make the catalogue stale', () => {
  expect(judge('CREATE EXTENSION citext').effect).toMatchObject({
    dirties: true,
    changesCatalogue: true,
  })
  expect(judge('GRANT SELECT ON users TO x').effect.changesCatalogue).toBe(false)
})

test('VACUUM names its tables', () => {
  expect(judge('VACUUM users, app.other').facts.tables).toEqual(['public.users', 'app.other'])
})
