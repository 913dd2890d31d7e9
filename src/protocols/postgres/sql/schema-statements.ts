/**
 * Pure. CREATE, ALTER and DROP of what shapes data or plants code, with every expression that they bring along.
 *
 * What only administers stands in admin-statements.ts; ALTER TABLE in alter-table.ts.
 */
import { alterTable } from './alter-table.ts'
import { takenAlong } from './drop-cascade.ts'
import { expression } from './expressions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import {
  familyOf,
  HOLDS_VALUES,
  type ObjectFamily,
  ON_TABLES,
  objectWords,
  RELATIONS,
} from './object-kinds.ts'
import type { Node } from './parse.ts'
import { makesTable } from './queries.ts'
import {
  alters,
  names,
  type Place,
  placeMade,
  placeNamed,
  placeOf,
  tableScope,
} from './relations.ts'
import { nested, type Scope } from './scope.ts'
import { columnDefinitions } from './table-elements.ts'
import { viewRunsTypes } from './typed-code.ts'

type Handler = (g: Gathered, inside: Part) => void

/** The handlers by kind of statement; each takes the inside of its node. */
export const SCHEMA: Readonly<Record<string, Handler>> = {
  CreateStmt: (g, inside) => createTable(g, inside, 'CREATE TABLE'),
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
  IndexStmt: createIndex,
  CreateSeqStmt: (g, inside) => made(g, inside.sequence, 'CREATE SEQUENCE'),
  AlterSeqStmt: alterSequence,
  AlterTableStmt: alterTable,
  CreateSchemaStmt: createSchema,
  CreateDomainStmt: (g, inside) => created(g, inside, { tag: 'CREATE DOMAIN', family: 'schema' }),
  AlterDomainStmt: (g, inside) => created(g, inside, { tag: 'ALTER DOMAIN', family: 'schema' }),
  CompositeTypeStmt: (g, inside) => {
    columnDefinitions(g, nested(undefined), inside.coldeflist)
    made(g, inside.typevar, 'CREATE TYPE')
  },
  CreateEnumStmt: (g, inside) => created(g, inside, { tag: 'CREATE TYPE', family: 'schema' }),
  AlterEnumStmt: (g, inside) => created(g, inside, { tag: 'ALTER TYPE', family: 'schema' }),
  CreateRangeStmt: createRange,
  AlterTypeStmt: (g, inside) => created(g, inside, { tag: 'ALTER TYPE', family: 'code' }),
  AlterCollationStmt: (g, inside) =>
    created(g, inside, { tag: 'ALTER COLLATION', family: 'schema' }),
  CreateStatsStmt: createStatistics,
  AlterStatsStmt: (g, inside) => created(g, inside, { tag: 'ALTER STATISTICS', family: 'schema' }),
  AlterTSDictionaryStmt: (g, inside) =>
    created(g, inside, { tag: 'ALTER TEXT SEARCH DICTIONARY', family: 'schema' }),
  AlterTSConfigurationStmt: (g, inside) =>
    created(g, inside, { tag: 'ALTER TEXT SEARCH CONFIGURATION', family: 'schema' }),
  DefineStmt: define,
  CreateFunctionStmt: (g, inside) =>
    created(g, inside, {
      tag: inside.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION',
      family: 'code',
    }),
  AlterFunctionStmt: (g, inside) =>
    created(g, inside, { tag: `ALTER ${objectWords(String(inside.objtype))}`, family: 'code' }),
  AlterOperatorStmt: (g, inside) => created(g, inside, { tag: 'ALTER OPERATOR', family: 'code' }),
  CreateOpClassStmt: (g, inside) =>
    created(g, inside, { tag: 'CREATE OPERATOR CLASS', family: 'code' }),
  CreateOpFamilyStmt: (g, inside) =>
    created(g, inside, { tag: 'CREATE OPERATOR FAMILY', family: 'code' }),
  AlterOpFamilyStmt: (g, inside) =>
    created(g, inside, { tag: 'ALTER OPERATOR FAMILY', family: 'code' }),
  CreateCastStmt: (g, inside) => created(g, inside, { tag: 'CREATE CAST', family: 'code' }),
  CreateConversionStmt: (g, inside) =>
    created(g, inside, { tag: 'CREATE CONVERSION', family: 'code' }),
  CreateTransformStmt: (g, inside) =>
    created(g, inside, { tag: 'CREATE TRANSFORM', family: 'code' }),
  CreateTrigStmt: (g, inside) => onTable(g, inside, 'CREATE TRIGGER'),
  CreatePolicyStmt: (g, inside) => onTable(g, inside, 'CREATE POLICY'),
  AlterPolicyStmt: (g, inside) => onTable(g, inside, 'ALTER POLICY'),
  RuleStmt: createRule,
  DropStmt: drop,
  RenameStmt: (g, inside) => altered(g, inside, String(inside.renameType)),
  AlterObjectSchemaStmt: (g, inside) => altered(g, inside, String(inside.objectType)),
  AlterObjectDependsStmt: (g, inside) => altered(g, inside, String(inside.objectType)),
  AlterOwnerStmt: (g, inside) => {
    altered(g, inside, String(inside.objectType))
    g.give('admin', 'a new owner has new rights')
  },
  CommentStmt: comment,
  ReindexStmt: (g, inside) => maintain(g, inside.relation, 'REINDEX'),
  ClusterStmt: (g, inside) => maintain(g, inside.relation, 'CLUSTER'),
  RefreshMatViewStmt: refresh,
}

/** Gives the classes of a family and marks that names have changed. */
export function change(g: Gathered, tag: string, family: ObjectFamily): void {
  g.tag(tag)
  if (family === 'admin') g.give('admin', `${tag} is administration`)
  else g.give('schema', `${tag} changes the schema`)
  if (family === 'code') g.plants(`${tag} plants code`)
  g.changesNames({ shared: true })
}

function created(g: Gathered, inside: Part, options: { tag: string; family: ObjectFamily }): void {
  change(g, options.tag, options.family)
  nameObject(g, inside)
  // What code does is not looked into; what a domain checks is.
  if (options.family === 'schema') definitions(g, nested(undefined), inside)
}

/** Walks what a definition holds: types, defaults, checks. Names in it are strings and say nothing. */
function definitions(g: Gathered, scope: Scope, inside: Part): void {
  columnDefinitions(g, scope, [inside.def, inside.constraints])
  expression(g, scope, { typeName: inside.typeName })
}

function nameObject(g: Gathered, inside: Part): void {
  for (const key of [
    'funcname',
    'domainname',
    'typeName',
    'defnames',
    'opclassname',
    'opfamilyname',
  ])
    nameParts(g, inside[key])
  for (const key of ['func', 'opername']) if (isPart(inside[key])) nameParts(g, inside[key].objname)
}

function nameParts(g: Gathered, value: unknown): void {
  const parts = Array.isArray(value) ? dotted(value as Node[]) : undefined
  if (parts !== undefined && parts.length > 0) g.objects.add(parts.join('.'))
}

/** A new relation. Temporary ones are a write (semantics §1). */
function made(g: Gathered, relation: unknown, tag: string): Place {
  const place = placeMade(g, isPart(relation) ? relation : {})
  return classOf(g, place, tag)
}

function classOf(g: Gathered, place: Place, tag: string): Place {
  names(g, place)
  g.tag(tag)
  if (place.temporary) g.give('write', `${tag} of a temporary object`)
  else g.give('schema', `${tag} changes the schema`)
  g.changesNames({ shared: !place.temporary })
  return place
}

function createTable(g: Gathered, inside: Part, tag: string): void {
  const place = made(g, inside.relation, tag)
  if (place.temporary && inside.oncommit === 'ONCOMMIT_DROP') g.effect.dirtiesAtEnd = true
  const scope = tableScope(place)
  columnDefinitions(g, scope, [inside.tableElts, inside.constraints])
  expression(g, scope, { ofTypename: inside.ofTypename })
  for (const key of ['partbound', 'partspec']) columnDefinitions(g, scope, inside[key])
  for (const one of Array.isArray(inside.inhRelations) ? inside.inhRelations : [])
    if (isPart(one) && isPart(one.RangeVar)) names(g, placeOf(g, one.RangeVar))
}

function createTableAs(g: Gathered, inside: Part): void {
  const into = isPart(inside.into) ? inside.into : {}
  const tag = inside.objtype === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS'
  makesTable(g, isPart(into.rel) ? into.rel : {}, tag)
  if (into.onCommit === 'ONCOMMIT_DROP') g.effect.dirtiesAtEnd = true
  const before = g.returnsRows
  if (isPart(inside.query)) g.walkers.statement(g, undefined, inside.query)
  else g.notUnderstood('CREATE TABLE AS holds no query.')
  g.returnsRows = before
}

function createView(g: Gathered, inside: Part): void {
  made(g, inside.view, 'CREATE VIEW')
  const before = g.returnsRows
  if (isPart(inside.query)) g.walkers.statement(g, undefined, inside.query)
  else g.notUnderstood('CREATE VIEW holds no query.')
  g.returnsRows = before
}

function createIndex(g: Gathered, inside: Part): void {
  const relation = isPart(inside.relation) ? inside.relation : {}
  const place = classOf(g, placeOf(g, relation), 'CREATE INDEX')
  const scope = tableScope(place)
  for (const key of ['indexParams', 'indexIncludingParams', 'whereClause'])
    expression(g, scope, inside[key])
}

function alterSequence(g: Gathered, inside: Part): void {
  const place = classOf(
    g,
    placeOf(g, isPart(inside.sequence) ? inside.sequence : {}),
    'ALTER SEQUENCE',
  )
  g.tablesWritten.add(place.name)
  g.change({ bounded: false })
}

function createSchema(g: Gathered, inside: Part): void {
  change(g, 'CREATE SCHEMA', 'schema')
  if (typeof inside.schemaname === 'string') g.objects.add(inside.schemaname)
  for (const one of Array.isArray(inside.schemaElts) ? inside.schemaElts : [])
    if (isPart(one)) g.walkers.statement(g, undefined, one)
}

/** canonical and subtype_diff name functions that every range of the type runs. */
function createRange(g: Gathered, inside: Part): void {
  const params = Array.isArray(inside.params) ? inside.params : []
  const runs = params.some(
    (one: unknown) =>
      isPart(one) &&
      isPart(one.DefElem) &&
      one.DefElem.defname !== 'subtype' &&
      one.DefElem.defname !== 'multirange_type_name',
  )
  created(g, inside, { tag: 'CREATE TYPE', family: runs ? 'code' : 'schema' })
}

function createStatistics(g: Gathered, inside: Part): void {
  change(g, 'CREATE STATISTICS', 'schema')
  const scope = nested(undefined)
  for (const one of Array.isArray(inside.relations) ? inside.relations : [])
    if (isPart(one) && isPart(one.RangeVar)) {
      const place = placeOf(g, one.RangeVar)
      names(g, place)
      scope.items.push(...tableScope(place).items)
    }
  for (const one of Array.isArray(inside.exprs) ? inside.exprs : [])
    if (isPart(one) && isPart(one.StatsElem)) expression(g, scope, one.StatsElem.expr)
}

function define(g: Gathered, inside: Part): void {
  const kind = String(inside.kind)
  // A base type is made of functions; a shell type is its beginning.
  const family = kind === 'OBJECT_TYPE' ? 'code' : familyOf(kind)
  change(g, `CREATE ${objectWords(kind)}`, family)
  nameObject(g, inside)
}

function onTable(g: Gathered, inside: Part, tag: string): void {
  change(g, tag, 'code')
  const relation = isPart(inside.relation) ? inside.relation : inside.table
  if (!isPart(relation)) {
    g.notUnderstood(`${tag} names no table.`)
    return
  }
  const place = placeOf(g, relation)
  names(g, place)
  g.tablesWritten.add(place.name)
}

/** The actions count as parts of the statement. */
function createRule(g: Gathered, inside: Part): void {
  onTable(g, inside, 'CREATE RULE')
  for (const one of Array.isArray(inside.actions) ? inside.actions : [])
    if (isPart(one)) g.walkers.statement(g, undefined, one)
}

function drop(g: Gathered, inside: Part): void {
  const kind = String(inside.removeType)
  const places = namedPlaces(g, kind, inside.objects)
  const temporary = places.length > 0 && places.every((one) => one.temporary)
  const tag = `DROP ${objectWords(kind)}`
  g.tag(tag)
  if (temporary) g.give('write', `${tag} of a temporary object`)
  else if (familyOf(kind) === 'admin') g.give('admin', `${tag} is administration`)
  else g.give('schema', `${tag} changes the schema`)
  for (const place of places) alters(g, place)
  const cascades = inside.behavior === 'DROP_CASCADE'
  if ((HOLDS_VALUES.has(kind) || cascades) && !temporary) g.change({ bounded: false })
  if (cascades && !temporary)
    for (const one of Array.isArray(inside.objects) ? inside.objects : [])
      takenAlong(g, { kind, parts: objectParts(one) ?? [] })
  g.changesNames({ shared: !temporary })
}

/** Relations that DROP, COMMENT and their like name as lists of strings; other objects go to `objects`. */
function namedPlaces(g: Gathered, kind: string, objects: unknown): Place[] {
  const places: Place[] = []
  for (const one of Array.isArray(objects) ? objects : []) {
    const parts = objectParts(one)
    if (parts === undefined) continue
    const table = ON_TABLES.has(kind) ? parts.toSpliced(-1) : parts
    if ((RELATIONS.has(kind) || ON_TABLES.has(kind)) && table.length > 0) {
      const place = placeNamed(g, table.at(-2), table.at(-1)!)
      places.push(place)
      if (kind !== 'OBJECT_INDEX') names(g, place)
      if (kind === 'OBJECT_COLUMN') g.columns.add(`${place.name}.${parts.at(-1)}`)
    }
    g.objects.add(parts.join('.'))
  }
  return kind === 'OBJECT_INDEX' ? [] : places
}

function objectParts(node: unknown): string[] | undefined {
  if (!isPart(node)) return undefined
  const { List: list, TypeName: type, ObjectWithArgs: routine, String: text } = node
  if (isPart(list)) return dotted(list.items as Node[] | undefined)
  if (isPart(type)) return dotted(type.names as Node[] | undefined)
  if (isPart(routine)) return dotted(routine.objname as Node[] | undefined)
  if (isPart(text)) return [String(text.sval ?? '')]
  return undefined
}

/** ALTER … RENAME, SET SCHEMA, OWNER, DEPENDS. */
function altered(g: Gathered, inside: Part, kind: string): void {
  const relation = isPart(inside.relation) ? placeOf(g, inside.relation) : undefined
  const tag = `ALTER ${objectWords(kind)}`
  if (relation?.temporary === true) classOf(g, relation, tag)
  else change(g, tag, familyOf(kind))
  if (relation !== undefined) {
    names(g, relation)
    alters(g, relation)
    if (typeof inside.subname === 'string' && kind === 'OBJECT_COLUMN')
      g.columns.add(`${relation.name}.${inside.subname}`)
  }
  namedPlaces(g, kind, [inside.object])
}

function comment(g: Gathered, inside: Part): void {
  const kind = String(inside.objtype)
  g.tag('COMMENT')
  g.give('schema', 'COMMENT changes the schema')
  if (familyOf(kind) === 'admin')
    g.give('admin', `COMMENT ON ${objectWords(kind)} is administration`)
  namedPlaces(g, kind, [inside.object])
  if (typeof inside.comment === 'string') g.literals.add(inside.comment)
}

function maintain(g: Gathered, relation: unknown, tag: string): void {
  g.tag(tag)
  g.give('schema', `${tag} rebuilds what is stored`)
  if (isPart(relation)) names(g, placeOf(g, relation))
}

function refresh(g: Gathered, inside: Part): void {
  maintain(g, inside.relation, 'REFRESH MATERIALIZED VIEW')
  const place = placeOf(g, isPart(inside.relation) ? inside.relation : {})
  g.tablesWritten.add(place.name)
  g.change({ bounded: false })
  // It runs its query, which nobody has looked into since.
  const { relation } = place
  if (relation === undefined || relation.calls.length > 0 || viewRunsTypes(g.trust, relation))
    g.give('execute', 'REFRESH runs functions that the view calls')
}
