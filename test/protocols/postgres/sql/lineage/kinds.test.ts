import { expect, test } from 'vitest'
import {
  castIsTotal,
  isArray,
  isListed,
  isString,
  kindNamed,
  kindOf,
  oidOf,
  unified,
} from '../../../../../src/protocols/postgres/sql/lineage/kinds.ts'

test('types have names, and names their types', () => {
  expect(kindOf(25)).toBe('text')
  expect(kindOf(1009)).toBe('text[]')
  expect(kindOf(99999)).toBe('#99999')
  expect(['text', 'int4[]', '#99999', 'record', undefined].map(oidOf)).toEqual([
    25, 1007, 99999, 0, 0,
  ])
  expect([kindNamed('int8'), kindNamed('citext')]).toEqual(['int8', undefined])
  expect([isListed('uuid'), isListed('#5'), isListed('record')]).toEqual([true, false, false])
  expect([isArray('text[]'), isArray('text'), isString('varchar')]).toEqual([true, false, true])
})

test.each([
  [['int4', 'int8'], 'int8'],
  [['int8', 'int2', 'numeric'], 'numeric'],
  [['varchar', 'bpchar'], 'text'],
  [['literal', 'date'], 'date'],
  [['#7', '#7'], '#7'],
  [['date', 'timestamp'], undefined],
  [['numeric', 'float8'], undefined],
  [['text', 'int4'], undefined],
  [['text', undefined], undefined],
] as const)('%j meet in %s', (kinds, wanted) => {
  expect(unified(kinds)).toBe(wanted)
})

test.each([
  ['int4', 'text', false, true],
  ['int4', 'int8', false, true],
  ['text', 'varchar', true, true],
  ['numeric', 'numeric', true, false],
  ['text', 'int4', false, false],
  ['int8', 'int4', false, false],
  ['date', 'timestamp', false, false],
  ['#7', 'text', false, false],
  ['json', 'jsonb', false, false],
] as const)('%s to %s, sized %s: %s', (from, to, sized, wanted) => {
  expect(castIsTotal(from, to, sized)).toBe(wanted)
})
