/**
 * Pure. INSERT, UPDATE, DELETE and MERGE: what they read, what they write, and what that reaches.
 * https://www.postgresql.org/docs/current/dml.html
 */
import { expression } from './expressions.ts'
import type { Gathered } from './gathered.ts'
import { isPart, type Part } from './nodes.ts'
import { fromClause, withClause } from './queries.ts'
import { type Place, placeOf, writes } from './relations.ts'
import { type Item, nested, type Outputs, relationItem, type Scope, wholeRow } from './scope.ts'

export const CHANGES: ReadonlySet<string> = new Set([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
])

const TAGS: Readonly<Record<string, string>> = {
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
}

/** Gives the names of RETURNING's columns: never known here. */
export function change(
  g: Gathered,
  outer: Scope | undefined,
  one: { kind: string; inside: Part },
): Outputs {
  const { kind, inside } = one
  const tag = TAGS[kind] ?? kind
  const scope = nested(outer, withClause(g, outer, inside.withClause))
  const relation = isPart(inside.relation) ? inside.relation : {}
  const place = placeOf(g, relation)
  g.tag(tag)
  g.give('write', `${tag} is a write`)
  writes(g, place, { bounded: true, cascades: kind !== 'InsertStmt' || hasUpdate(inside) })
  const target = targetItem(place, relation)
  if (kind === 'InsertStmt') insert(g, scope, { inside, target })
  else if (kind === 'MergeStmt') merge(g, scope, { inside, target })
  else {
    scope.items.push(target)
    fromClause(g, scope, inside.fromClause ?? inside.usingClause)
    assignments(g, scope, { list: inside.targetList, target })
    expression(g, scope, inside.whereClause)
  }
  returning(g, scope, { clause: inside.returningClause, target })
  return undefined
}

function hasUpdate(insert: Part): boolean {
  return isPart(insert.onConflictClause) && insert.onConflictClause.action === 'ONCONFLICT_UPDATE'
}

function targetItem(place: Place, part: Part): Item {
  const alias = isPart(part.alias) ? part.alias.aliasname : undefined
  const as = {
    name: typeof alias === 'string' ? alias : String(part.relname ?? ''),
    schema: alias === undefined ? place.schema : undefined,
    renames: [],
  }
  return relationItem(place.relation ?? { unknown: place.name }, as)
}

function insert(g: Gathered, scope: Scope, one: { inside: Part; target: Item }): void {
  const { inside, target } = one
  if (inside.cols === undefined) for (const column of wholeRow(target)) g.columns.add(column)
  else assignments(g, scope, { list: inside.cols, target })
  const select = isPart(inside.selectStmt) ? inside.selectStmt.SelectStmt : undefined
  // Plain VALUES are no query of their own.
  if (isPart(select) && isBareValues(select)) expression(g, scope, select.valuesLists)
  else if (isPart(select)) g.walkers.query(g, scope, select)
  scope.items.push(target)
  const conflict = inside.onConflictClause
  if (!isPart(conflict)) return
  expression(g, scope, conflict.infer)
  inferredColumns(g, conflict.infer, target)
  const both = nested(scope)
  both.items.push({ ...target, name: 'excluded', schema: undefined })
  assignments(g, both, { list: conflict.targetList, target })
  expression(g, both, conflict.whereClause)
}

function isBareValues(select: Part): boolean {
  const { valuesLists, withClause, sortClause, limitCount, limitOffset, lockingClause } = select
  return (
    valuesLists !== undefined &&
    [withClause, sortClause, limitCount, limitOffset, lockingClause].every(
      (one) => one === undefined,
    )
  )
}

/** ON CONFLICT (a, b) names its columns without a ColumnRef. */
function inferredColumns(g: Gathered, infer: unknown, target: Item): void {
  const elements = isPart(infer) && Array.isArray(infer.indexElems) ? infer.indexElems : []
  for (const one of elements)
    if (isPart(one) && isPart(one.IndexElem)) columnOf(g, target, one.IndexElem.name)
}

function columnOf(g: Gathered, target: Item, name: unknown): void {
  if (typeof name !== 'string') return
  const fact = target.columns.get(name)
  if (fact !== undefined) g.columns.add(fact)
  else if (target.open !== undefined && target.open !== '') g.columns.add(`${target.open}.${name}`)
}

/** `SET a = …`, `(a, b) = …`, and the column list of INSERT. */
function assignments(g: Gathered, scope: Scope, one: { list: unknown; target: Item }): void {
  if (!Array.isArray(one.list)) return
  for (const node of one.list) {
    const target = isPart(node) ? node.ResTarget : undefined
    if (!isPart(target)) g.notUnderstood('An assignment could not be read.')
    else {
      columnOf(g, one.target, target.name)
      expression(g, scope, target.indirection)
      expression(g, scope, target.val)
    }
  }
}

function merge(g: Gathered, scope: Scope, one: { inside: Part; target: Item }): void {
  const { inside, target } = one
  scope.items.push(target)
  fromClause(g, scope, [inside.sourceRelation])
  expression(g, scope, inside.joinCondition)
  for (const node of Array.isArray(inside.mergeWhenClauses) ? inside.mergeWhenClauses : []) {
    const clause = isPart(node) ? node.MergeWhenClause : undefined
    if (!isPart(clause)) g.notUnderstood('A WHEN clause could not be read.')
    else mergeWhen(g, scope, { clause, target })
  }
}

const MERGE_COMMANDS: Readonly<Record<string, string>> = {
  CMD_INSERT: 'INSERT',
  CMD_UPDATE: 'UPDATE',
  CMD_DELETE: 'DELETE',
}

function mergeWhen(g: Gathered, scope: Scope, one: { clause: Part; target: Item }): void {
  const { clause, target } = one
  const command = MERGE_COMMANDS[String(clause.commandType)]
  if (command !== undefined) g.tag(command)
  if (command === 'INSERT' && clause.targetList === undefined)
    for (const column of wholeRow(target)) g.columns.add(column)
  expression(g, scope, clause.condition)
  assignments(g, scope, { list: clause.targetList, target })
  expression(g, scope, clause.values)
}

function returning(g: Gathered, scope: Scope, one: { clause: unknown; target: Item }): void {
  if (!isPart(one.clause)) return
  g.give('read', 'RETURNING is a read')
  const names = { old: 'old', new: 'new' }
  for (const node of Array.isArray(one.clause.options) ? one.clause.options : []) {
    const option = isPart(node) && isPart(node.ReturningOption) ? node.ReturningOption : {}
    if (option.option === 'RETURNING_OPTION_OLD') names.old = String(option.value ?? '')
    if (option.option === 'RETURNING_OPTION_NEW') names.new = String(option.value ?? '')
  }
  // A table that is called `old` or `new` itself comes first.
  const versions = nested(scope.parent, scope.ctes)
  for (const name of [names.old, names.new])
    versions.items.push({ ...one.target, name, schema: undefined })
  expression(g, { ...scope, parent: versions }, one.clause.exprs)
  g.returnsRows = true
}
