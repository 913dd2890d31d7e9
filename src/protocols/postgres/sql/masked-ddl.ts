/**
 * Pure. Definitions and masked columns: what makes, changes or moves objects (semantics §5).
 *
 * A masked value must not be stored where no mask covers it, decide whether a definition succeeds, or lose its mask
 * because its column is renamed, re-typed, moved or attached elsewhere. A kind of statement that is not known here is
 * walked as an expression, so that it is refused when it names a relation with masked columns.
 */

import { FIRST_USER_OID, type Relation } from './catalogue.ts'
import {
  marksNamed,
  marksOf,
  rangeItem,
  relationOutputs,
  uniqueMarks,
} from './lineage/relation-item.ts'
import { type Item, itemOf, type Level, NO_OUTPUTS } from './lineage/scope.ts'
import { NOWHERE, type Place, type Walk } from './lineage/walk.ts'
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
  ViewStmt,
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

export function definition(walk: Walk, stmt: Node): void {
  const kind = Object.keys(stmt)[0] ?? ''
  if (HARMLESS_KINDS.has(kind)) return
  if ('CreateTableAsStmt' in stmt) createAs(walk, stmt.CreateTableAsStmt.query)
  else if ('ViewStmt' in stmt) view(walk, stmt.ViewStmt)
  else if ('IndexStmt' in stmt) index(walk, stmt.IndexStmt)
  else if ('CreateStmt' in stmt) create(walk, stmt.CreateStmt)
  else if ('AlterTableStmt' in stmt) alter(walk, stmt.AlterTableStmt)
  else if ('RenameStmt' in stmt) rename(walk, stmt.RenameStmt)
  else if ('ClusterStmt' in stmt) cluster(walk, stmt.ClusterStmt.relation)
  else if ('AlterDomainStmt' in stmt) domain(walk, stmt.AlterDomainStmt.subtype)
  else if ('AlterObjectSchemaStmt' in stmt) moved(walk, stmt.AlterObjectSchemaStmt.relation)
  else if ('CreateStatsStmt' in stmt) {
    const { relations, exprs } = stmt.CreateStatsStmt
    const items = (relations ?? []).flatMap((one) =>
      'RangeVar' in one ? [rangeItem(one.RangeVar, walk.world)] : [],
    )
    named(walk, exprs, { kind: 'StatsElem', items })
  } else walk.value({ Unknown: stmt } as unknown as Node, NOWHERE)
}

/** What a definition sees of these relations. */
function seeing(items: readonly Item[]): Place {
  const star = items[0]?.outputs ?? NO_OUTPUTS
  const level: Level = { items, star, definite: true, parent: undefined }
  return { ...NOWHERE, level }
}

function stored(walk: Walk, query: Node | undefined): void {
  if (query !== undefined) walk.statement(query, NOWHERE, 'stored')
}

/** What a materialised view has stored of a view stays when that view becomes another, and nothing would cover it then. */
function view(walk: Walk, { view: range, query, replace }: ViewStmt): void {
  const isTemporary = range?.relpersistence === 't'
  if (replace === true) moved(walk, isTemporary ? { ...range, schemaname: 'pg_temp' } : range)
  stored(walk, query)
}

function createAs(walk: Walk, query: Node | undefined): void {
  if (query !== undefined && 'ExecuteStmt' in query)
    walk.refuse(
      'What a prepared statement returns cannot be stored while columns are masked.',
      'Write the query itself into CREATE TABLE … AS.',
    )
  stored(walk, query)
}

/** Elements that name a column by a bare name or hold an expression. */
function named(
  walk: Walk,
  elements: readonly Node[] | undefined,
  { kind, items }: { kind: string; items: readonly Item[] },
): void {
  each(elements, (key, inside) => {
    const name = key === kind && isPart(inside) ? inside.name : undefined
    if (typeof name === 'string') for (const item of items) walk.guard(marksNamed(item, name))
    return true
  })
  walk.decide(elements, seeing(items))
}

/** What an index only carries along decides too: one that is too long for it makes the statement fail. */
function index(walk: Walk, part: IndexStmt): void {
  const items = [rangeItem(part.relation ?? {}, walk.world)]
  named(walk, part.indexParams, { kind: 'IndexElem', items })
  named(walk, part.indexIncludingParams, { kind: 'IndexElem', items })
  walk.decide(part.whereClause, seeing(items))
}

function create(walk: Walk, part: CreateStmt): void {
  for (const parent of part.inhRelations ?? [])
    if ('RangeVar' in parent) moved(walk, parent.RangeVar)
  each([part.tableElts, part.constraints], (key, inside) => {
    if (key === 'Constraint' && isPart(inside)) references(walk, inside as Constraint)
    return true
  })
}

/** A foreign key onto a masked column answers, row by row, whether a value exists. */
function references(walk: Walk, constraint: Constraint): void {
  const range = constraint.pktable
  if (range === undefined) return
  const item = rangeItem(range, walk.world)
  const names = (constraint.pk_attrs ?? []).map((one) => stringOf(one) ?? '')
  for (const name of names) walk.guard(marksNamed(item, name))
  const relation = walk.world.relationOf(range.schemaname, range.relname ?? '')
  if (names.length === 0 && relation !== undefined) walk.guard(uniqueMarks(relation, item))
}

/** Rows put into the order of an index come out in it. Which columns the index has is not known here. */
function cluster(walk: Walk, range: RangeVar | undefined): void {
  const relation = walk.world.relationOf(range?.schemaname, range?.relname ?? '')
  const oids = relation === undefined ? walk.world.maskedRelations() : [relation.oid]
  for (const oid of oids) {
    const one = walk.world.relation(oid)
    if (one !== undefined) walk.guard(marksOf(itemOf('', relationOutputs(one, walk.world))))
  }
}

/** Default, DROP NOT NULL, DROP CONSTRAINT. */
const LOOSENING = new Set(['T', 'N', 'X'])

/**
 * A constraint of a domain is tried on all columns of it, and its failure tells of their values. Which columns those are is
 * not known here (the domain may be inside a row or an array): those of a user's type.
 */
function domain(walk: Walk, change: string | undefined): void {
  if (change !== undefined && LOOSENING.has(change)) return
  for (const oid of walk.world.maskedRelations()) {
    const relation = walk.world.relation(oid)
    if (relation === undefined) continue
    const item = itemOf('', relationOutputs(relation, walk.world))
    for (const { name, typeOid } of relation.columns)
      if (typeOid >= FIRST_USER_OID) walk.guard(marksNamed(item, name))
  }
}

/** What is done to an attribute of a row type is done to that column of all tables OF it, which are not known here. */
function attribute(walk: Walk, name: string): void {
  for (const oid of walk.world.maskedRelations()) {
    const relation = walk.world.relation(oid)
    if (
      relation?.columns.some(
        (column) => column.name === name && walk.world.mask(oid, column.number),
      )
    )
      moved(walk, { schemaname: relation.schema, relname: relation.name })
  }
}

function alter(walk: Walk, part: AlterTableStmt): void {
  const item = rangeItem(part.relation ?? {}, walk.world)
  const known = walk.world.relationOf(part.relation?.schemaname, part.relation?.relname ?? '')
  const marked = known !== undefined && item.hasMarks
  for (const one of part.cmds ?? []) {
    if (!('AlterTableCmd' in one)) continue
    const { subtype, def, name = '' } = one.AlterTableCmd
    if (part.objtype === 'OBJECT_TYPE') attribute(walk, name)
    if (subtype === 'AT_ColumnDefault' && def !== undefined) defaulted(walk, item, name)
    // It fails where a value is NULL, which only the mask `null` hides.
    if (subtype === 'AT_SetNotNull')
      walk.guard(marksNamed(item, name).filter((one) => one.mask?.transform.type === 'null'))
    if (marked && (subtype === undefined || !HARMLESS_CHANGES.has(subtype)))
      moved(walk, part.relation)
    if (subtype === 'AT_DropColumn' && marksNamed(item, name).length > 0 && leaves(part, known))
      moved(walk, part.relation)
    each(def, (key, inside) => {
      if (key === 'Constraint' && isPart(inside)) constraint(walk, inside as Constraint, item)
      // ATTACH PARTITION and INHERIT name the other table.
      if (key === 'PartitionCmd' && isPart(inside) && isPart(inside.name)) moved(walk, inside.name)
      if (key === 'RangeVar' && isPart(inside)) moved(walk, inside)
      return key !== 'Constraint' && key !== 'RangeVar' && key !== 'PartitionCmd'
    })
    const rest = def === undefined ? undefined : withoutRanges(def)
    const place = seeing([item])
    if (rest !== undefined)
      walk.forbid(walk.value({ Unknown: rest } as unknown as Node, place).marks)
  }
}

/**
 * Dropped from a parent alone, or where a child has it of its own or from another parent too, a column stays in the
 * children with its values, and what tied them to the mask is gone. Partitions have none of their own.
 */
function leaves(part: AlterTableStmt, relation: Relation | undefined): boolean {
  if (relation?.kind === 'p') return false
  return part.relation?.inh !== true || (relation?.children.length ?? 0) > 0
}

/** A default is a value that is written without being looked at: under pseudonyms it would be a guess that comes back. */
function defaulted(walk: Walk, item: Item, column: string): void {
  const marks = marksNamed(item, column).filter((mark) => mark.mask?.monitor === false)
  if (marks.length === 0) return
  walk.note(marks)
  walk.refuse(`${marks[0]!.label} is masked and takes no default.`, KEEP)
}

/** Foreign keys are judged by `references`; the rest of a constraint reads its own table. */
function constraint(walk: Walk, part: Constraint, item: Item): void {
  references(walk, part)
  const own = [...(part.keys ?? []), ...(part.including ?? []), ...(part.fk_attrs ?? [])]
  for (const name of own.map((one) => stringOf(one) ?? ''))
    walk.guard(item.byName.get(name)?.marks ?? [])
  // Which columns the index has is not known here; as a primary key it takes no NULL.
  if (part.contype === 'CONSTR_PRIMARY' && part.indexname !== undefined)
    walk.guard(marksOf(item).filter((one) => one.mask?.transform.type === 'null'))
  named(walk, part.exclusions, { kind: 'IndexElem', items: [item] })
  walk.decide(part.raw_expr, seeing([item]))
  walk.decide(part.where_clause, seeing([item]))
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

function moved(walk: Walk, range: RangeVar | undefined): void {
  if (range === undefined) return
  const item = rangeItem(range, walk.world)
  // An unknown relation holds nothing that is masked by name yet; the target will say that it does not exist.
  const marks = marksOf(item).filter((mark) => mark.mask?.monitor === false)
  if (marks.length === 0) return
  walk.note(marks)
  walk.refuse(`${marks[0]!.label} is masked: this could take its mask away.`, KEEP)
}

function rename(walk: Walk, part: RenameStmt): void {
  if (part.renameType === 'OBJECT_SCHEMA') {
    renameSchema(walk, part.subname ?? '')
    return
  }
  if (part.relation === undefined) return
  if (part.renameType === 'OBJECT_ATTRIBUTE') attribute(walk, part.subname ?? '')
  const column = part.renameType === 'OBJECT_COLUMN' || part.renameType === 'OBJECT_ATTRIBUTE'
  const item = rangeItem(part.relation, walk.world)
  if (column && marksNamed(item, part.subname ?? '').length === 0) return
  if (part.renameType === 'OBJECT_TABCONSTRAINT' || part.renameType === 'OBJECT_TRIGGER') return
  moved(walk, part.relation)
}

function renameSchema(walk: Walk, schema: string): void {
  for (const oid of walk.world.maskedRelations()) {
    const relation = walk.world.relation(oid)
    if (relation === undefined || relation.schema !== schema) continue
    moved(walk, { schemaname: schema, relname: relation.name })
  }
}
