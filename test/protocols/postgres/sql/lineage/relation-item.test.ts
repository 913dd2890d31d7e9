import { expect, test } from 'vitest'
import {
  marksNamed,
  marksOf,
  rangeItem,
  relationOutputs,
  uniqueMarks,
} from '../../../../../src/protocols/postgres/sql/lineage/relation-item.ts'
import type { World } from '../../../../../src/protocols/postgres/sql/lineage/walk.ts'
import { MASKED, NAMES, resolve } from '../sample.ts'

const world = {
  mask: (relation: number, column: number) => MASKED.column(relation, column),
  relation: (oid: number) => NAMES.catalogue.relation(oid),
  relationOf: resolve,
} as World

const labels = (marks: readonly { label: string }[]) => marks.map((one) => one.label)

test('a relation offers its columns, masked ones marked', () => {
  const item = rangeItem({ relname: 'customers' }, world)
  expect(item.outputs.shaky).toBe(true)
  expect(labels(marksOf(item))).toEqual([
    'public.customers.email',
    'public.customers.ssn',
    'public.customers.card',
  ])
  expect(labels(marksNamed(item, 'ssn'))).toEqual(['public.customers.ssn'])
  expect(labels(uniqueMarks(resolve(undefined, 'customers')!, item))).toEqual([
    'public.customers.email',
  ])
})

test('one that nobody knows may hold anything', () => {
  const item = rangeItem({ relname: 'nosuch' }, world)
  expect(marksNamed(item, 'x')).toMatchObject([{ label: 'nosuch', unknown: true }])
})

test('what a child hides, its parent hides', () => {
  const { list, shaky } = relationOutputs(resolve(undefined, 'events')!, world)
  expect(shaky).toBe(true)
  expect(list.map(({ value }) => value.marks.length)).toEqual([0, 1])
})
