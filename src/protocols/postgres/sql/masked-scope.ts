/**
 * Pure. Which masked columns a name in a statement may mean.
 *
 * The rule throughout: a name means everything that it could mean. Only where it is certain that it is a column
 * that no mask hides does it count as clear. Columns of sub-selects, CTEs and functions are clear, because their
 * outputs are judged where they are made (masked-query.ts).
 */

import type { ColumnMask, MaskedColumns } from '../../../mask/plan.ts'
import { FIRST_USER_OID, type Relation } from './catalogue.ts'
import { dotted, refName, stringOf } from './nodes.ts'
import type { Node, RangeVar } from './parse.ts'

/** A masked column as a statement may reach it. */
export interface Mark {
  /** `public.customers.email`, or the relation where it is not known which column. */
  readonly label: string
  /** undefined: a relation that the catalogue cannot explain; hidden whole. */
  readonly mask: ColumnMask | undefined
  /** The target says (relation OID, attribute number) for it in a row description, so that it can be masked there. */
  readonly plain: boolean
}

/** One thing that FROM offers columns of. */
export interface Item {
  readonly ref: string
  /** `schema.name` may qualify it: it is a relation without an alias. */
  readonly qualified: string | undefined
  /** Visible column names; undefined: not known. */
  readonly columns: ReadonlySet<string> | undefined
  readonly marks: ReadonlyMap<string, Mark>
  /** Marks that any use of it has, whatever the column: views and what is not known. */
  readonly whole: readonly Mark[]
}

export interface Level {
  readonly items: readonly Item[]
  /** A column found here hides those of the levels above. False where only a part of `items` may be visible. */
  readonly definite: boolean
  readonly parent: Level | undefined
}

export interface Meant {
  readonly marks: readonly Mark[]
  /** It is certain that it names exactly one column. */
  readonly exact: boolean
}

export interface Refusal {
  readonly reason: string
  readonly hint: string
}

export interface World {
  readonly masked: MaskedColumns
  relationOf(schema: string | undefined, name: string): Relation | undefined
  relation(oid: number): Relation | undefined
}

const SYSTEM_COLUMNS = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax'])
const STORED = 'rpf'
const CLEAR: Meant = { marks: [], exact: true }

/** What reading `relation` may show. Views count as what they read; partitions and children as their root. */
export function exposureOf(relation: Relation, world: World): Pick<Item, 'marks' | 'whole'> {
  const label = `${relation.schema}.${relation.name}`
  const direct = world.masked.byRelation.get(relation.oid)
  const marks = new Map<string, Mark>()
  if (STORED.includes(relation.kind) || relation.oid < FIRST_USER_OID) {
    for (const column of relation.columns) {
      const mask = direct?.get(column.number)
      if (mask !== undefined) marks.set(column.name, { label: mask.name, mask, plain: true })
    }
    for (const [name, mask] of inherited(relation, world))
      if (!marks.has(name)) marks.set(name, { label: `${label}.${name}`, mask, plain: false })
    return { marks, whole: [] }
  }
  const mask = readsMasked(relation, world, new Set())
  if (mask === undefined) return { marks, whole: [] }
  return { marks, whole: [{ label, mask: mask === 'unknown' ? undefined : mask, plain: false }] }
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
      const mask = world.masked.column(oid, column.number)
      if (mask !== undefined) found.set(column.name, mask)
    }
    if (child !== undefined) next.push(...child.children)
  }
  return found
}

/** The first mask that a view's columns or what it reads fall under. */
function readsMasked(
  relation: Relation,
  world: World,
  seen: Set<number>,
): ColumnMask | 'unknown' | undefined {
  if (seen.has(relation.oid)) return undefined
  seen.add(relation.oid)
  for (const mask of world.masked.byRelation.get(relation.oid)?.values() ?? []) return mask
  for (const { relation: oid, column } of relation.reads) {
    const masks = world.masked.byRelation.get(oid)
    const mask = column === 0 ? masks?.values().next().value : masks?.get(column)
    if (mask !== undefined) return mask
    const read = world.relation(oid)
    if (read === undefined && oid >= FIRST_USER_OID) return 'unknown'
    if (read === undefined) continue
    const name = read.columns.find((each) => each.number === column)?.name
    const below = inherited(read, world)
    const child = name === undefined ? below.values().next().value : below.get(name)
    if (child !== undefined) return child
    if (!'vm'.includes(read.kind)) continue
    const deeper = readsMasked(read, world, seen)
    if (deeper !== undefined) return deeper
  }
  return undefined
}

/** A relation in FROM, or as the target of a write. */
export function itemOf(range: RangeVar, world: World): Item {
  const name = range.relname ?? ''
  const relation = world.relationOf(range.schemaname, name)
  const aliased = range.alias !== undefined
  const ref = refName(range)
  if (relation === undefined) {
    const label = range.schemaname === undefined ? name : `${range.schemaname}.${name}`
    const whole = [{ label, mask: undefined, plain: false }]
    return {
      ref,
      qualified: aliased ? undefined : label,
      columns: undefined,
      marks: new Map(),
      whole,
    }
  }
  const exposure = exposureOf(relation, world)
  const renamed = new Map<string, string>()
  const given = (range.alias?.colnames ?? []).map(stringOf)
  const ordered = [...relation.columns].sort((one, other) => one.number - other.number)
  for (const [at, column] of ordered.entries()) renamed.set(column.name, given[at] ?? column.name)
  const marks = new Map<string, Mark>()
  for (const [column, mark] of exposure.marks) marks.set(renamed.get(column) ?? column, mark)
  // A name by position means the next column as soon as one before it is dropped.
  const first = marks.values().next().value
  if (first !== undefined)
    for (const one of given) if (one !== undefined && !marks.has(one)) marks.set(one, first)
  const qualified = aliased ? undefined : `${relation.schema}.${relation.name}`
  return { ref, qualified, columns: new Set(renamed.values()), marks, whole: exposure.whole }
}

/** Something whose columns are clear. */
export function clearItem(ref: string, columns: ReadonlySet<string> | undefined): Item {
  return { ref, qualified: undefined, columns, marks: new Map(), whole: [] }
}

export function isClear(item: Item): boolean {
  return item.marks.size === 0 && item.whole.length === 0
}

export function allMarks(items: readonly Item[]): Mark[] {
  return items.flatMap((item) => [...item.whole, ...item.marks.values()])
}

/** The same columns under another roof (a join's alias, OLD, NEW): not told apart in row descriptions. */
export function hideOrigin(mark: Mark): Mark {
  return { ...mark, plain: false }
}

/** Every masked column that `fields` of a column reference may mean; stars and whole rows mean all. */
export function meant(fields: readonly Node[] | undefined, level: Level | undefined): Meant {
  const nodes = fields ?? []
  const last = nodes.at(-1)
  if (last !== undefined && 'A_Star' in last)
    return starred(dotted(nodes.filter((one) => one !== last)), level)
  const parts = dotted(nodes)
  if (parts === undefined || parts.length === 0) return unknown(level)
  if (parts.length === 1) return unqualified(parts[0]!, level)
  const column = parts.pop()
  return qualified(parts, column, level)
}

function starred(path: readonly string[] | undefined, level: Level | undefined): Meant {
  if (path === undefined) return unknown(level)
  if (path.length > 0) return qualified(path, undefined, level)
  return { marks: allMarks(level?.items ?? []), exact: false }
}

function unqualified(name: string, level: Level | undefined): Meant {
  const marks: Mark[] = []
  const rows: Mark[] = []
  let found = 0
  let isRow = false
  for (let at = level; at !== undefined; at = at.parent) {
    const before = found
    for (const item of at.items) {
      if (item.columns?.has(name)) {
        found++
        marks.push(...item.whole)
        const mark = item.marks.get(name)
        if (mark !== undefined) marks.push(mark)
      }
      if (item.ref === name) {
        isRow = true
        rows.push(...allMarks([item]))
      }
    }
    if (found > before && at.definite) {
      // Before the target reads the text the column may be gone, and the name mean what stands behind it.
      const behind = [...rows, ...sameName(name, at.parent)].filter(
        (one) => !marks.some((mark) => mark.label === one.label),
      )
      return {
        marks: [...marks, ...behind.map(hideOrigin)],
        exact: found === 1 && behind.length === 0,
      }
    }
  }
  if (isRow) return { marks: [...marks, ...rows], exact: false }
  if (found > 0) return { marks, exact: false }
  return SYSTEM_COLUMNS.has(name) ? CLEAR : unknown(level)
}

/** Everything masked that a name means further out. */
function sameName(name: string, from: Level | undefined): Mark[] {
  const marks: Mark[] = []
  for (let at = from; at !== undefined; at = at.parent)
    for (const item of at.items) {
      const mark = item.marks.get(name)
      if (item.ref === name) marks.push(...allMarks([item]))
      else if (mark !== undefined) marks.push(mark)
      else if (item.columns?.has(name)) marks.push(...item.whole)
    }
  return marks
}

function qualified(
  path: readonly string[],
  column: string | undefined,
  level: Level | undefined,
): Meant {
  const ref = path.at(-1)!
  const schema = path.at(-2)
  const marks: Mark[] = []
  let found = 0
  let isColumn = column !== undefined
  for (let at = level; at !== undefined; at = at.parent) {
    const before = found
    for (const item of at.items) {
      if (item.ref !== ref) continue
      if (schema !== undefined && !matches(item, schema, ref)) continue
      found++
      isColumn &&= item.columns?.has(column ?? '') === true
      marks.push(...marksIn(item, column))
    }
    if (found > before && at.definite) return { marks, exact: found === 1 && isColumn }
  }
  return found > 0 ? { marks, exact: false } : unknown(level)
}

/** An unknown relation carries only what the text called it. */
function matches(item: Item, schema: string, name: string): boolean {
  return (
    item.qualified === `${schema}.${name}` || (item.columns === undefined && item.whole.length > 0)
  )
}

function marksIn(item: Item, column: string | undefined): Mark[] {
  if (column === undefined) return allMarks([item])
  const mark = item.marks.get(column)
  if (mark !== undefined) return [...item.whole, mark]
  if (SYSTEM_COLUMNS.has(column)) return []
  // `c.f` is f(c) where c has no column f: the whole row.
  return item.columns?.has(column) ? [...item.whole] : allMarks([item])
}

/** A name that is no known column counts as all of them. */
function unknown(level: Level | undefined): Meant {
  const marks: Mark[] = []
  for (let at = level; at !== undefined; at = at.parent) marks.push(...allMarks(at.items))
  return { marks, exact: false }
}

/** Masked columns that stand in a unique key, so that its violation tells whether a value exists. */
export function uniqueMarks(relation: Relation, item: Item): Mark[] {
  const numbers = new Set(relation.uniqueKeys.flat())
  return relation.columns.flatMap((column) => {
    const mark = numbers.has(column.number) ? item.marks.get(column.name) : undefined
    return mark === undefined ? [] : [mark]
  })
}
