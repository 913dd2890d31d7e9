import { expect, test } from 'vitest'
import { objects, type Scope } from '../../../../src/protocols/postgres/sql/catalogue-objects.ts'

const SCOPE: Scope = {
  relations: 'relations_here',
  routines: 'routines_here',
  operators: 'operators_here',
  types: 'types_here',
  casts: 'casts_here',
  few: false,
}

test.each([true, false])('each part asks for what its condition chooses, once (few: %s)', (few) => {
  const parts = ['relations', 'routines', 'operators', 'types', 'casts'] as const
  for (const part of parts) {
    const text = objects({ ...SCOPE, few }, [part])
    expect(text.split('_here').length - 1).toBe(1)
    expect(text).toContain(`${part}_here`)
  }
})

test('lists of many objects are joined, those of few are looked up by index', () => {
  expect(objects(SCOPE)).toMatch(/LEFT JOIN \(SELECT h\.inhparent AS owner/)
  const few = objects({ ...SCOPE, few: true })
  expect(few).toContain('h.inhparent OPERATOR(pg_catalog.=) c.oid')
  expect(few).not.toContain('LEFT JOIN (SELECT')
})
