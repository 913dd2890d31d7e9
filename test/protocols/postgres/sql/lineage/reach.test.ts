import { expect, test } from 'vitest'
import type { Relation } from '../../../../../src/protocols/postgres/sql/catalogue.ts'
import { reach, readByView } from '../../../../../src/protocols/postgres/sql/lineage/reach.ts'
import { RELATIONS, resolve } from '../sample.ts'

const world = { relation: (oid: number) => RELATIONS.find((one) => one.oid === oid) }

function names(from: string, next: (one: Relation) => Iterable<number>): string[] {
  return [...reach(resolve('public', from), next, world)].map(({ name }) => name).sort()
}

test('what a view reads is followed through views, and a table reads nothing', () => {
  expect(names('over_view', readByView)).toEqual(['customer_mails', 'customers', 'over_view'])
  expect(names('customers', readByView)).toEqual(['customers'])
})

test('each is found once, however it is led to, and one that nobody knows is left out', () => {
  const kin = (one: Relation) => [...one.children, ...one.parents, 4_000_000]
  expect(names('quiet_1', kin)).toEqual(['quiet', 'quiet_1', 'quiet_2'])
  expect(reach(undefined, kin, world).size).toBe(0)
})
