import { expect, test } from 'vitest'
import { list, numbered, placeOf, plainColumn, qualified } from '../../src/policy/schema-tree.ts'

test('names without a schema are in public', () => {
  expect(placeOf({ relname: 'a' })).toEqual(['public', 'a'])
  expect(placeOf({ schemaname: 's', relname: 'a' })).toEqual(['s', 'a'])
  expect(qualified(['f'])).toEqual(['public', 'f'])
  expect(qualified(['s', 'f'])).toEqual(['s', 'f'])
})

test('what is no list is an empty one, and columns count from one', () => {
  expect(list(undefined)).toEqual([])
  expect(list([{ a: 1 }, 'b'])).toEqual([{ a: 1 }])
  expect(numbered([plainColumn('a'), plainColumn('b')]).map(({ number }) => number)).toEqual([1, 2])
})
