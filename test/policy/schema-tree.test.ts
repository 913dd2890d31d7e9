import { expect, test } from 'vitest'
import {
  calledIn,
  list,
  numbered,
  placeOf,
  plainColumn,
  qualified,
  words,
} from '../../src/policy/schema-tree.ts'

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

test('names, and the routines that are called anywhere', () => {
  const name = (sval: string) => ({ String: { sval } })
  expect(words([name('a'), name('b')])).toEqual(['a', 'b'])
  const routine = (oid: number, schema: string, called: string) =>
    ({ oid, schema, name: called }) as Parameters<typeof calledIn>[1][number]
  const routines = [routine(1, 'public', 'f'), routine(2, 's', 'f'), routine(3, 'public', 'g')]
  const calls = [
    {
      FuncCall: {
        funcname: [name('f')],
        args: [{ FuncCall: { funcname: [name('s'), name('f')] } }],
      },
    },
  ]
  expect(calledIn(calls, routines)).toEqual([1, 2])
})
