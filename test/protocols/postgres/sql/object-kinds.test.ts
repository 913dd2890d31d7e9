import { expect, test } from 'vitest'
import { familyOf, objectWords } from '../../../../src/protocols/postgres/sql/object-kinds.ts'

test('an unknown kind of object is administration', () => {
  expect(familyOf('OBJECT_TABLE')).toBe('schema')
  expect(familyOf('OBJECT_FUNCTION')).toBe('code')
  expect(familyOf('OBJECT_ROLE')).toBe('admin')
  expect(familyOf('OBJECT_OF_POSTGRESQL_30')).toBe('admin')
})

test("tags have PostgreSQL's words", () => {
  expect(objectWords('OBJECT_MATVIEW')).toBe('MATERIALIZED VIEW')
  expect(objectWords('OBJECT_FOREIGN_TABLE')).toBe('FOREIGN TABLE')
  expect(objectWords('OBJECT_TABLE')).toBe('TABLE')
})
