import { expect, test } from 'vitest'
import {
  derivedItem,
  lookUp,
  nested,
  relationItem,
  wholeRow,
} from '../../../../src/protocols/postgres/sql/scope.ts'
import { relation } from './catalogue-sample.ts'

const users = relationItem(relation(1, 'users'), { name: 'u', schema: undefined, renames: [] })
const unknown = relationItem({ unknown: 'public.x' }, { name: 'x', schema: 'public', renames: [] })

function scopeOf(...items: Parameters<typeof wholeRow>[0][]) {
  const scope = nested(undefined)
  scope.items.push(...items)
  return scope
}

test('what is no column may be a function', () => {
  expect(lookUp(scopeOf(users), ['u', 'email'])).toEqual({
    columns: ['public.users.email'],
    attribute: undefined,
  })
  expect(lookUp(scopeOf(users), ['u', 'peek'])).toMatchObject({ attribute: 'peek' })
  expect(lookUp(scopeOf(users), ['u', 'ctid']).attribute).toBeUndefined()
  expect(lookUp(scopeOf(users), ['z', 'peek'])).toEqual({ columns: [], attribute: 'peek' })
})

test('an unknown relation may have any column', () => {
  expect(lookUp(scopeOf(unknown), ['a']).columns).toEqual(['public.x.a'])
  expect(wholeRow(unknown)).toEqual(['public.x.*'])
})

test("inner names hide outer ones, and computed columns are no table's", () => {
  const inner = nested(scopeOf(users))
  inner.items.push(derivedItem('s', ['email'], []))
  expect(lookUp(inner, ['email']).columns).toEqual([])
  expect(lookUp(inner, ['id']).columns).toEqual(['public.users.id'])
})
