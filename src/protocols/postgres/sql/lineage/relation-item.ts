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
import { reach } from './reach.ts'
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
  for (const child of reach(relation, (one) => one.children, world)) {
    if (child === relation) continue
    for (const column of child.columns) {
      const mask = world.mask(child.oid, column.number)
      if (mask !== undefined) found.set(column.name, mask)
    }
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

/** Masked columns that stand in a plain unique key, which a foreign key may refer to. */
export function uniqueMarks(relation: Relation, item: Item): Source[] {
  const keys = relation.uniqueKeys.filter((key) => !key.includes(0))
  return marksOfNumbers(relation, item, new Set(keys.flat()))
}

/**
 * Masked columns of which ON CONFLICT without a target tells whether their values are there already. Which columns decide
 * in an expression, a predicate or an exclusion is not known: all of them. So it is behind a view.
 */
export function conflictMarks(relation: Relation, item: Item, world: World): Source[] {
  if (relation.kind === 'v') return marksOf(item)
  const marks: Source[] = []
  for (const one of [relation, ...below(relation, world)]) {
    const numbers = new Set(one.uniqueKeys.flat())
    if (numbers.has(0)) return marksOf(item)
    marks.push(...marksOfNumbers(one, item, numbers))
  }
  return marks
}

/** Partitions have keys of their own. */
function below(relation: Relation, world: World): Relation[] {
  const found = new Map<number, Relation>()
  const next = [...relation.children]
  for (let oid = next.pop(); oid !== undefined; oid = next.pop()) {
    const child = found.has(oid) ? undefined : world.relation(oid)
    if (child === undefined) continue
    found.set(oid, child)
    next.push(...child.children)
  }
  return [...found.values()]
}

/** Partitions tie columns by name. */
function marksOfNumbers(relation: Relation, item: Item, numbers: ReadonlySet<number>): Source[] {
  return relation.columns.flatMap((column) =>
    numbers.has(column.number) ? (item.byName.get(column.name)?.marks ?? []) : [],
  )
}
