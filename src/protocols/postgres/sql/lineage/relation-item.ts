/**
 * Pure. What a relation offers as an item of FROM, or as the target of a write: its columns, each of them a base column
 * with its mask. Views are relations like others here: which of their columns are masked is worked out once per
 * catalogue (view-columns.ts, mask/resolve-masks.ts).
 */

import type { ColumnMask } from '../../../../mask/plan.ts'
import type { Relation } from '../catalogue.ts'
import { refName, stringOf } from '../nodes.ts'
import type { RangeVar } from '../parse.ts'
import { kindOf } from './kinds.ts'
import { type Item, itemOf, type Named, type Outputs, renamed } from './scope.ts'
import { columnValue, type Source } from './value.ts'
import type { World } from './walk.ts'

/** The columns of a relation; `shaky` where one of them is masked, since another session may add and drop some. */
export function relationOutputs(relation: Relation, world: World): Outputs {
  const label = `${relation.schema}.${relation.name}`
  const below = relation.children.length === 0 ? undefined : inherited(relation, world)
  let shaky = false
  const list: Named[] = relation.columns.map(({ number, name, typeOid }) => {
    const mask = world.mask(relation.oid, number) ?? below?.get(name)
    if (mask !== undefined) shaky = true
    const source: Source = {
      label: `${label}.${name}`,
      relation: relation.oid,
      column: number,
      mask,
      unknown: false,
    }
    return { name, value: columnValue(source, kindOf(typeOid)) }
  })
  return { list, open: undefined, shaky }
}

/** Masked columns of children that the parent shows under its own number, by name. */
function inherited(relation: Relation, world: World): Map<string, ColumnMask> {
  const found = new Map<string, ColumnMask>()
  const seen = new Set<number>()
  const next = [...relation.children]
  for (let oid = next.pop(); oid !== undefined; oid = next.pop()) {
    if (seen.has(oid)) continue
    seen.add(oid)
    const child = world.relation(oid)
    for (const column of child?.columns ?? []) {
      const mask = world.mask(oid, column.number)
      if (mask !== undefined) found.set(column.name, mask)
    }
    if (child !== undefined) next.push(...child.children)
  }
  return found
}

/** The relation that a RangeVar names; one that the catalogue does not know may hold anything. */
export function rangeItem(range: RangeVar, world: World): Item {
  const name = range.relname ?? ''
  const relation = world.relationOf(range.schemaname, name)
  const aliased = range.alias !== undefined
  const ref = refName(range)
  if (relation === undefined) {
    const label = range.schemaname === undefined ? name : `${range.schemaname}.${name}`
    const source = { label, relation: 0, column: 0, mask: undefined, unknown: true }
    const open = columnValue(source, undefined)
    return itemOf(ref, { list: [], open, shaky: true }, aliased ? undefined : range.schemaname)
  }
  const names = (range.alias?.colnames ?? []).map((one) => stringOf(one) ?? '')
  const outputs = renamed(relationOutputs(relation, world), names)
  return itemOf(ref, outputs, aliased ? undefined : relation.schema)
}

/** Everything masked that reading an item may show. */
export function marksOf(item: Item): Source[] {
  const marks = new Set<Source>(item.outputs.open?.marks ?? [])
  for (const { value } of item.outputs.list) for (const mark of value.marks) marks.add(mark)
  return [...marks]
}

/** What a column's name may mean in an item; everything, where its columns are not known. */
export function marksNamed(item: Item, name: string): readonly Source[] {
  return item.byName.get(name)?.marks ?? item.outputs.open?.marks ?? []
}

/** Masked columns that stand in a unique key, so that its violation tells whether a value exists. */
export function uniqueMarks(relation: Relation, item: Item): Source[] {
  const numbers = new Set(relation.uniqueKeys.flat())
  return relation.columns.flatMap((column) =>
    numbers.has(column.number) ? (item.byName.get(column.name)?.marks ?? []) : [],
  )
}
