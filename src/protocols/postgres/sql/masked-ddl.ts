/**
 * Pure. Definitions and masked columns: what makes, changes or moves objects (semantics §5).
 *
 * A masked value must not be stored where no mask covers it, decide whether a definition succeeds, or lose its mask
 * because its column is renamed, re-typed, moved or attached elsewhere. A kind of statement that is not known here is
 * walked as an expression, so that it is refused when it names a relation with masked columns.
 */

import type { At } from './masked-query.ts'
import { allMarks, type Item, itemOf, uniqueMarks } from './masked-scope.ts'
import { each, isPart, stringOf } from './nodes.ts'
import type {
  AlterTableStmt,
  AlterTableType,
  Constraint,
  CreateStmt,
  IndexStmt,
  Node,
  RangeVar,
  RenameStmt,
} from './parse.ts'

/** Changes to a table that neither show, store nor uncover a value of it. */
const HARMLESS_CHANGES = new Set<AlterTableType>([
  'AT_AddColumn',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_DropColumn',
  'AT_DropConstraint',
  'AT_AddConstraint',
  'AT_ChangeOwner',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetTableSpace',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_EnableRowSecurity',
  'AT_ForceRowSecurity',
])

/** Statements that name relations without touching what their columns hold. */
const HARMLESS_KINDS = new Set([
  'TruncateStmt',
  'DropStmt',
  'VacuumStmt',
  'ClusterStmt',
  'ReindexStmt',
  'LockStmt',
  'CommentStmt',
  'GrantStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'RefreshMatViewStmt',
  'AlterOwnerStmt',
  'TransactionStmt',
  'VariableSetStmt',
  'VariableShowStmt',
])

const KEEP = 'What a mask covers keeps its name, type and place while a mask applies to your role.'

export function definition(stmt: Node, at: At): void {
  const kind = Object.keys(stmt)[0] ?? ''
  if (HARMLESS_KINDS.has(kind)) return
  if ('CreateTableAsStmt' in stmt) createAs(stmt.CreateTableAsStmt.query, at)
  else if ('ViewStmt' in stmt) stored(stmt.ViewStmt.query, at)
  else if ('IndexStmt' in stmt) index(stmt.IndexStmt, at)
  else if ('CreateStmt' in stmt) create(stmt.CreateStmt, at)
  else if ('AlterTableStmt' in stmt) alter(stmt.AlterTableStmt, at)
  else if ('RenameStmt' in stmt) rename(stmt.RenameStmt, at)
  else if ('AlterObjectSchemaStmt' in stmt) moved(stmt.AlterObjectSchemaStmt.relation, at)
  else if ('CreateStatsStmt' in stmt) {
    const { relations, exprs } = stmt.CreateStatsStmt
    const items = at.walk.from(relations, at.place, [])
    named(exprs, 'StatsElem', { items, at })
  } else at.walk.expression(stmt, at.place, 'value')
}

function stored(query: Node | undefined, at: At): void {
  if (query !== undefined) at.walk.inner(query, at.place, 'inner')
}

function createAs(query: Node | undefined, at: At): void {
  if (query !== undefined && 'ExecuteStmt' in query)
    at.walk.refuse(
      'What a prepared statement returns cannot be stored while columns are masked.',
      'Write the query itself into CREATE TABLE … AS.',
    )
  stored(query, at)
}

/** Elements that name a column by a bare name or hold an expression. */
function named(
  elements: readonly Node[] | undefined,
  kind: string,
  { items, at }: { items: readonly Item[]; at: At },
): void {
  each(elements, (key, inside) => {
    const name = key === kind && isPart(inside) ? inside.name : undefined
    if (typeof name === 'string')
      for (const item of items) at.walk.judge(marksOf(item, name), 'predicate')
    return true
  })
  const level = { items, definite: true, parent: undefined }
  at.walk.expression(elements, { ...at.place, level }, 'predicate')
}

function marksOf(item: Item, name: string) {
  const mark = item.marks.get(name)
  return mark === undefined ? item.whole : [mark]
}

function index(part: IndexStmt, at: At): void {
  const items = [itemOf(part.relation ?? {}, at.walk.world)]
  named(part.indexParams, 'IndexElem', { items, at })
  const level = { items, definite: true, parent: undefined }
  at.walk.expression(part.whereClause, { ...at.place, level }, 'predicate')
}

function create(part: CreateStmt, at: At): void {
  for (const parent of part.inhRelations ?? []) if ('RangeVar' in parent) moved(parent.RangeVar, at)
  each([part.tableElts, part.constraints], (key, inside) => {
    if (key === 'Constraint' && isPart(inside)) references(inside as Constraint, at)
    return true
  })
}

/** A foreign key onto a masked column answers, row by row, whether a value exists. */
function references(constraint: Constraint, at: At): void {
  const range = constraint.pktable
  if (range === undefined) return
  const item = at.walk.relation(itemOf(range, at.walk.world))
  const names = (constraint.pk_attrs ?? []).map((one) => stringOf(one) ?? '')
  for (const name of names) at.walk.judge(marksOf(item, name), 'predicate')
  const relation = at.walk.world.relationOf(range.schemaname, range.relname ?? '')
  if (names.length === 0 && relation !== undefined)
    at.walk.judge(uniqueMarks(relation, item), 'predicate')
}

function alter(part: AlterTableStmt, at: At): void {
  const { walk } = at
  const item = itemOf(part.relation ?? {}, walk.world)
  const known = walk.world.relationOf(part.relation?.schemaname, part.relation?.relname ?? '')
  const marked = known !== undefined && allMarks([item]).length > 0
  const level = { items: [item], definite: true, parent: undefined }
  for (const one of part.cmds ?? []) {
    if (!('AlterTableCmd' in one)) continue
    const { subtype, def } = one.AlterTableCmd
    if (marked && (subtype === undefined || !HARMLESS_CHANGES.has(subtype)))
      moved(part.relation, at)
    each(def, (key, inside) => {
      if (key === 'Constraint' && isPart(inside)) constraint(inside as Constraint, item, at)
      // ATTACH PARTITION and INHERIT name the other table.
      if (key === 'PartitionCmd' && isPart(inside) && isPart(inside.name)) moved(inside.name, at)
      if (key === 'RangeVar' && isPart(inside)) moved(inside, at)
      return key !== 'Constraint' && key !== 'RangeVar' && key !== 'PartitionCmd'
    })
    if (def !== undefined) walk.expression(withoutRanges(def), { ...at.place, level }, 'value')
  }
}

/** Foreign keys are judged by `references`; the rest of a constraint reads its own table. */
function constraint(part: Constraint, item: Item, at: At): void {
  references(part, at)
  const own = [...(part.keys ?? []), ...(part.fk_attrs ?? [])]
  for (const name of own.map((one) => stringOf(one) ?? ''))
    at.walk.judge(item.marks.get(name) === undefined ? [] : marksOf(item, name), 'predicate')
  named(part.exclusions, 'IndexElem', { items: [item], at })
  const level = { items: [item], definite: true, parent: undefined }
  at.walk.expression(part.raw_expr, { ...at.place, level }, 'predicate')
  at.walk.expression(part.where_clause, { ...at.place, level }, 'predicate')
}

/** Constraints and the other table are judged on their own. */
function withoutRanges(def: Node): unknown {
  if ('Constraint' in def || 'PartitionCmd' in def || 'RangeVar' in def) return undefined
  if (!('ColumnDef' in def)) return def
  const constraints = (def.ColumnDef.constraints ?? []).flatMap((one) =>
    'Constraint' in one ? [one.Constraint.raw_expr] : [],
  )
  return [def.ColumnDef.raw_default, constraints]
}

function moved(range: RangeVar | undefined, at: At): void {
  if (range === undefined) return
  const item = itemOf(range, at.walk.world)
  // An unknown relation holds nothing that is masked by name yet; the target will say that it does not exist.
  const marks = allMarks([item]).filter((mark) => mark.mask !== undefined && !mark.mask.monitor)
  if (marks.length === 0) return
  at.walk.note(marks)
  at.walk.refuse(`${marks[0]!.label} is masked: this could take its mask away.`, KEEP)
}

function rename(part: RenameStmt, at: At): void {
  const { walk } = at
  if (part.renameType === 'OBJECT_SCHEMA') {
    renameSchema(part.subname ?? '', at)
    return
  }
  if (part.relation === undefined) return
  const column = part.renameType === 'OBJECT_COLUMN' || part.renameType === 'OBJECT_ATTRIBUTE'
  const item = itemOf(part.relation, walk.world)
  if (column && item.whole.length === 0 && !item.marks.has(part.subname ?? '')) return
  if (part.renameType === 'OBJECT_TABCONSTRAINT' || part.renameType === 'OBJECT_TRIGGER') return
  moved(part.relation, at)
}

function renameSchema(schema: string, at: At): void {
  for (const oid of at.walk.world.masked.byRelation.keys()) {
    const relation = at.walk.world.relation(oid)
    if (relation === undefined || relation.schema !== schema) continue
    moved({ schemaname: schema, relname: relation.name }, at)
  }
}
