import { expect, test } from 'vitest'
import {
  CLEAR,
  columnValue,
  constant,
  derived,
  either,
  isMark,
  record,
  type Source,
} from '../../../../../src/protocols/postgres/sql/lineage/value.ts'

const source = (column: number, unknown = false): Source => ({
  label: `t.c${column}`,
  relation: 1,
  column,
  mask: undefined,
  unknown,
})
const one = columnValue(source(1), 'text')
const two = columnValue(source(2, true), 'text')

test('a column is itself, and a mark where it may be anything', () => {
  expect(one).toMatchObject({ how: 'identity', marks: [] })
  expect(two.marks).toEqual([source(2, true)])
  expect([isMark(source(1)), isMark(source(2, true))]).toEqual([false, true])
})

test('what is derived depends on all parts, in the worst of their ways', () => {
  const value = derived([one, two, one], { how: 'total', kind: 'text' })
  expect(value.columns).toHaveLength(2)
  expect(value.how).toBe('total')
  expect(
    derived([value, derived([one], { how: 'other', kind: undefined })], {
      how: 'total',
      kind: 'int4',
    }).how,
  ).toBe('other')
  expect(derived([], { how: 'constant', kind: 'int4' })).toEqual(constant('int4'))
})

test('one of several is a column itself only where all are that one', () => {
  expect(either([one, columnValue(source(1), 'text')]).how).toBe('identity')
  expect(either([one, two]).how).toBe('total')
  expect(either([two, columnValue(source(3), 'int4')]).how).toBe('other')
  expect(either([])).toBe(CLEAR)
})

test('a row knows its fields', () => {
  expect(record([one, two])).toMatchObject({ kind: 'record', how: 'total', fields: [one, two] })
})
