import { expect, test } from 'vitest'
import {
  functionMeaning,
  isBuiltInFunction,
  pathIsPlain,
  relationOf,
} from '../../../../src/protocols/postgres/sql/resolve.ts'
import { NAMES, namesOf, PARTS, relation } from './catalogue-sample.ts'

test("the path decides, and the session's own come where the path has them", () => {
  const own = [relation(50001, 'users', { schema: 'pg_temp', temporary: true })]
  const names = namesOf(
    {},
    { own, searchPath: ['pg_temp', 'pg_catalog', 'public'], temporarySchema: 'pg_temp_7' },
  )
  expect(relationOf(names, undefined, 'users')?.oid).toBe(50001)
  expect(relationOf(names, 'public', 'users')?.oid).toBe(20001)
  expect(relationOf(names, 'pg_temp_7', 'users')?.oid).toBe(50001)
  expect(relationOf(NAMES, undefined, 'other')).toBeUndefined()
})

test('a function is built in only if all that its name can mean are', () => {
  const ask = (name: string, schema?: string) =>
    isBuiltInFunction(NAMES, { schema, name }, ['public.p*k'])
  expect(ask('upper')).toBe(true)
  expect(ask('upper', 'app')).toBe(false)
  expect(ask('similarity')).toBe(true)
  expect(ask('dblink')).toBe(false)
  expect(ask('peek')).toBe(true)
  expect(ask('nobody')).toBe(false)
})

test('a function with the rights of its owner is harmless only where its whole name is given', () => {
  const peek = PARTS.routines.find(({ name }) => name === 'peek')!
  const names = namesOf({ routines: [{ ...peek, asOwner: true }] })
  const ask = (...read: string[]) =>
    isBuiltInFunction(names, { schema: undefined, name: 'peek' }, read)
  expect(ask('public.p*k', 'public.*', '*')).toBe(false)
  expect(ask('public.peek')).toBe(true)
  const meaning = functionMeaning({ names, functionsRead: ['*'] }, undefined, 'peek')
  expect(meaning).toMatchObject({ foreign: ['public.peek'], asOwner: ['public.peek'] })
})

test('pg_catalog must come first, but for pg_temp', () => {
  expect(pathIsPlain(NAMES)).toBe(true)
  expect(pathIsPlain(namesOf({}, { searchPath: ['pg_temp', 'pg_catalog'] }))).toBe(true)
  expect(pathIsPlain(namesOf({}, { searchPath: ['public', 'pg_catalog'] }))).toBe(false)
})
