import { expect, test } from 'vitest'
import { catalogueOf, overlay } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { PARTS, relation } from './catalogue-sample.ts'

const shared = catalogueOf(PARTS)
const NOTHING = { relations: [], routines: [], operators: [], types: [], casts: [], gone: [] }

test('objects are found by name and by OID', () => {
  expect(shared.relationByName('app', 'other')?.oid).toBe(20009)
  expect(shared.relation(20009)?.name).toBe('other')
  expect(shared.routines('public', 'evil')).toHaveLength(1)
  expect(shared.builtInRoutine('pg_catalog', 'upper')).toBe(true)
  expect(shared.builtInRoutine('public', 'upper')).toBe(false)
  expect(shared.builtInVolatile('nextval')).toBe(true)
})

test('names of objects and of JavaScript do not meet', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect(shared.relationByName('public', name)).toBeUndefined()
    expect(shared.routines('public', name)).toEqual([])
  }
})

test('what a session renamed, dropped or made hides what is shared', () => {
  const mine = overlay(shared, {
    ...NOTHING,
    relations: [relation(20001, 'people')],
    gone: [20002],
  })
  expect(mine.relationByName('public', 'users')).toBeUndefined()
  expect(mine.relationByName('public', 'people')?.oid).toBe(20001)
  expect(mine.relation(20002)).toBeUndefined()
  expect(mine.relationByName('app', 'other')).toBeDefined()
  expect([...mine.relations()].map((one) => one.oid)).not.toContain(20002)
})
