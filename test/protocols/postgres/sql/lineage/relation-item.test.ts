import { expect, test } from 'vitest'
import type { Relation } from '../../../../../src/protocols/postgres/sql/catalogue.ts'
import {
  conflictMarks,
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

test('ON CONFLICT without a target may mean any key, of partitions too', () => {
  const told = (name: string, changed: Partial<Relation> = {}) => {
    const relation = { ...resolve(undefined, name)!, ...changed }
    return labels(conflictMarks(relation, rangeItem({ relname: name }, world), world))
  }
  const all = ['public.customers.email', 'public.customers.ssn', 'public.customers.card']
  expect(told('customers')).toEqual(['public.customers.email'])
  expect(told('customers', { uniqueKeys: [[1]] })).toEqual([])
  expect(told('customers', { uniqueKeys: [[1], [6, 0]] })).toEqual(all)
  expect(told('customers', { kind: 'v', uniqueKeys: [] })).toEqual(all)
  // Its partition has a masked column, and a key of another.
  expect(told('events')).toEqual([])
  const keyed = {
    ...world,
    relation: () => ({ ...resolve(undefined, 'events_1')!, uniqueKeys: [[2]] }),
  }
  const events = resolve(undefined, 'events')!
  expect(labels(conflictMarks(events, rangeItem({ relname: 'events' }, world), keyed))).toEqual([
    'public.events.body',
  ])
})

test('a foreign key refers to plain keys', () => {
  const customers = { ...resolve(undefined, 'customers')!, uniqueKeys: [[1], [3, 0]] }
  expect(uniqueMarks(customers, rangeItem({ relname: 'customers' }, world))).toEqual([])
})
