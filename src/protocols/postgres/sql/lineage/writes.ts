/**
 * Pure. INSERT, UPDATE, DELETE, MERGE: what they store must not be a masked value, and what RETURNING shows are outputs
 * like those of a query.
 */
import { dotted, stringOf } from '../nodes.ts'
import type {
  DeleteStmt,
  InferClause,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from '../parse.ts'
import { withClause } from './ctes.ts'
import { storesInside } from './document-reads.ts'
import { skipsEqual } from './equal-updates.ts'
import { from } from './from.ts'
import { targets } from './query.ts'
import { conflictMarks, marksNamed, marksOf, rangeItem } from './relation-item.ts'
import { type Item, itemOf, type Level, NO_OUTPUTS, type Outputs } from './scope.ts'
import { CLEAR, type Value } from './value.ts'
import type { Place, Walk } from './walk.ts'
import { wholeRows } from './whole-rows.ts'

function target(walk: Walk, range: RangeVar | undefined): Item {
  return rangeItem(range ?? {}, walk.world)
}

function inside(items: readonly Item[], outer: Place): Place {
  const level: Level = { items, star: starOf(items), definite: true, parent: outer.level }
  return { ...outer, level }
}

function starOf(items: readonly Item[]): Outputs {
  const opens = items.flatMap((item) => item.outputs.open ?? [])
  return {
    list: items.flatMap((item) => item.outputs.list),
    open: opens[0],
    shaky: items.some((item) => item.outputs.shaky),
  }
}

/** Columns that are written by name: the statement names them, its literals may be what a mask hides. */
function noteWritten(walk: Walk, nodes: readonly Node[] | undefined, item: Item): void {
  for (const one of nodes ?? []) {
    const name = 'ResTarget' in one ? one.ResTarget.name : stringOf(one)
    if (name !== undefined) walk.note(item.byName.get(name)?.marks ?? [])
  }
}

/** What is written to masked columns: pseudonyms, and nothing that a mask has shown. */
function check(walk: Walk, nodes: readonly Node[] | undefined, item: Item): void {
  for (const one of nodes ?? []) {
    if (!('ResTarget' in one)) continue
    const { name = '', val, indirection } = one.ResTarget
    const value = item.byName.get(name)
    if (value !== undefined && storesInside(value, indirection)) walk.forbid(value.marks)
    if (value !== undefined && value.marks.length > 0 && !isExcluded(val, name))
      walk.opens.written(value, val)
  }
}

/** Where rows that are left as they were are not counted, whoever writes a guess learns whether it is right. */
function compared(
  walk: Walk,
  nodes: readonly Node[] | undefined,
  to: { readonly item: Item; readonly range: RangeVar | undefined },
): void {
  if (!skipsEqual(to.range, walk.world)) return
  for (const one of nodes ?? [])
    if ('ResTarget' in one) walk.guard(marksNamed(to.item, one.ResTarget.name ?? ''))
}

/** `EXCLUDED.name`: what the INSERT itself would have written there. */
function isExcluded(node: Node | undefined, name: string): boolean {
  const parts = node !== undefined && 'ColumnRef' in node ? dotted(node.ColumnRef.fields) : []
  return parts?.length === 2 && parts[0] === 'excluded' && parts[1] === name
}

function isTranslated({ marks }: Value): boolean {
  return marks.some(({ mask, unknown }) => unknown || mask?.transform.type === 'pseudonym')
}

/** The same of rows: of VALUES, or of a query, whose values nobody can tell apart. */
function checkRows(
  walk: Walk,
  rows: readonly (readonly (Node | undefined)[] | undefined)[],
  to: { readonly item: Item; readonly columns: readonly (Node | string)[] },
): void {
  for (const [at, column] of to.columns.entries()) {
    const isName = typeof column === 'string'
    const name = isName ? column : 'ResTarget' in column ? column.ResTarget.name : stringOf(column)
    const value = to.item.byName.get(name ?? '')
    if (value === undefined || value.marks.length === 0) continue
    for (const row of rows) {
      // A row that is shorter leaves the rest to their defaults.
      if (row === undefined) walk.opens.written(value, undefined)
      else if (at < row.length) walk.opens.written(value, row[at])
    }
  }
}

function columnsOf(nodes: readonly Node[] | undefined, item: Item): readonly (Node | string)[] {
  return nodes ?? item.outputs.list.flatMap(({ name }) => name ?? [])
}

function rowsOf(query: Node): readonly (readonly Node[] | undefined)[] {
  const lists = 'SelectStmt' in query ? query.SelectStmt.valuesLists : undefined
  return lists?.map((row) => ('List' in row ? (row.List.items ?? []) : [])) ?? [undefined]
}

/** `SET a = x`, `SET (a, b) = (x, y)`, and rows of VALUES. */
function store(walk: Walk, nodes: readonly (Node | undefined)[] | undefined, place: Place): void {
  for (const one of nodes ?? []) {
    const target = one !== undefined && 'ResTarget' in one ? one.ResTarget : undefined
    const node = target === undefined ? one : target.val
    // `SET a[x] = 1` stores x by the place it takes.
    positions(walk, target?.indirection, place)
    if (node !== undefined) walk.forbid(stored(walk, node, place).marks)
  }
}

function positions(walk: Walk, nodes: readonly Node[] | undefined, place: Place): void {
  if (nodes === undefined) return
  walk.forbid(walk.value({ Unknown: nodes } as unknown as Node, place).marks)
}

function stored(walk: Walk, node: Node, place: Place): Value {
  // The row on the right stands once for each column on the left.
  return walk.value('MultiAssignRef' in node ? node.MultiAssignRef.source : node, place)
}

export function insert(walk: Walk, part: InsertStmt, place: Place): Outputs {
  const outer = withClause(walk, part.withClause, place)
  const item = target(walk, part.relation)
  if (part.cols === undefined) walk.note(marksOf(item))
  noteWritten(walk, part.cols, item)
  if (part.selectStmt !== undefined) {
    checkRows(walk, rowsOf(part.selectStmt), { item, columns: columnsOf(part.cols, item) })
    walk.statement(part.selectStmt, outer, 'stored')
  }
  const conflict = part.onConflictClause
  if (conflict !== undefined) {
    // EXCLUDED holds what the client itself sent, or what its pseudonyms stand for; its columns must be qualified.
    const list = item.outputs.list.map(({ name, value }) => ({
      name,
      value: isTranslated(value) ? value : CLEAR,
    }))
    const excluded = itemOf('excluded', { list, open: CLEAR, shaky: false })
    const at = inside([item, excluded], outer)
    conflicts(walk, part, conflict.infer)
    walk.decide(conflict.infer?.indexElems, at)
    walk.decide(conflict.infer?.whereClause, at)
    noteWritten(walk, conflict.targetList, item)
    check(walk, conflict.targetList, item)
    compared(walk, conflict.targetList, { item, range: part.relation })
    const others = conflict.targetList?.filter(
      (one) => !('ResTarget' in one && isExcluded(one.ResTarget.val, one.ResTarget.name ?? '')),
    )
    store(walk, others, at)
    walk.decide(conflict.whereClause, at)
  }
  return returning(walk, part.returningClause, { items: [item], written: item, outer })
}

/** ON CONFLICT tells whether a row with these values exists. Without columns it may mean any unique index. */
function conflicts(walk: Walk, part: InsertStmt, infer: InferClause | undefined): void {
  const range = part.relation ?? {}
  const item = target(walk, range)
  const elements = infer?.indexElems ?? []
  for (const element of elements) {
    const name = 'IndexElem' in element ? element.IndexElem.name : undefined
    if (name !== undefined) walk.guard(marksNamed(item, name))
  }
  if (elements.length > 0) return
  const relation = walk.world.relationOf(range.schemaname, range.relname ?? '')
  walk.guard(relation === undefined ? marksOf(item) : conflictMarks(relation, item, walk.world))
}

export function update(walk: Walk, part: UpdateStmt, place: Place): Outputs {
  const outer = withClause(walk, part.withClause, place)
  const item = target(walk, part.relation)
  const items = [item, ...from(walk, part.fromClause, { outer, beside: [item] }).items]
  wholeRows(walk, part.fromClause)
  const at = inside(items, outer)
  noteWritten(walk, part.targetList, item)
  check(walk, part.targetList, item)
  compared(walk, part.targetList, { item, range: part.relation })
  store(walk, part.targetList, at)
  walk.decide(part.whereClause, at)
  return returning(walk, part.returningClause, { items, written: item, outer })
}

export function remove(walk: Walk, part: DeleteStmt, place: Place): Outputs {
  const outer = withClause(walk, part.withClause, place)
  const item = target(walk, part.relation)
  const items = [item, ...from(walk, part.usingClause, { outer, beside: [item] }).items]
  wholeRows(walk, part.usingClause)
  walk.decide(part.whereClause, inside(items, outer))
  return returning(walk, part.returningClause, { items, written: item, outer })
}

export function merge(walk: Walk, part: MergeStmt, place: Place): Outputs {
  const outer = withClause(walk, part.withClause, place)
  const item = target(walk, part.relation)
  const source = part.sourceRelation === undefined ? [] : [part.sourceRelation]
  const items = [...from(walk, source, { outer, beside: [] }).items, item]
  wholeRows(walk, source)
  const at = inside(items, outer)
  walk.decide(part.joinCondition, at)
  for (const one of part.mergeWhenClauses ?? []) {
    if (!('MergeWhenClause' in one)) continue
    const branch = one.MergeWhenClause
    walk.decide(branch.condition, at)
    noteWritten(walk, branch.targetList, item)
    if (branch.commandType === 'CMD_UPDATE')
      compared(walk, branch.targetList, { item, range: part.relation })
    if (branch.values === undefined) check(walk, branch.targetList, item)
    else checkRows(walk, [branch.values], { item, columns: columnsOf(branch.targetList, item) })
    store(walk, branch.targetList, at)
    store(walk, branch.values, at)
  }
  return returning(walk, part.returningClause, { items, written: item, outer })
}

/** RETURNING sees the written row, which in MERGE stands behind its source, as OLD and NEW too (PostgreSQL 18). */
function returning(
  walk: Walk,
  clause: ReturningClause | undefined,
  { items, written, outer }: { items: readonly Item[]; written: Item; outer: Place },
): Outputs {
  if (clause === undefined) return NO_OUTPUTS
  const names = ['old', 'new']
  for (const option of clause.options ?? [])
    if ('ReturningOption' in option) names.push(option.ReturningOption.value ?? '')
  const versions = names.map((ref) => itemOf(ref, written.outputs))
  // Second, so that a table that is itself called "new" is meant first.
  const below = {
    items: versions,
    star: NO_OUTPUTS,
    definite: false,
    parent: outer.level,
  }
  const level: Level = { items, star: starOf(items), definite: true, parent: below }
  return targets(walk, clause.exprs, { ...outer, level })
}
