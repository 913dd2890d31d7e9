/**
 * Pure. What naming a relation means: which one it is, what reading it runs, and what a write to it reaches by
 * declaration (semantics §1, "tables_written").
 */
import type { Relation } from './catalogue.ts'
import { judgeView } from './functions.ts'
import type { Gathered } from './gathered.ts'
import type { Part } from './nodes.ts'
import { homeSchema, plainSchema, relationOf } from './resolve.ts'
import { nested, relationItem, type Scope } from './scope.ts'

/** A relation as a text names it. */
export interface Place {
  /** `schema.name`, guessed where the catalogue does not know it. */
  readonly name: string
  readonly schema: string
  /** Without its schema. */
  readonly bare: string
  readonly relation: Relation | undefined
  readonly temporary: boolean
}

/** `part`: the inside of a RangeVar. */
export function placeOf(g: Gathered, part: Part): Place {
  const schema = typeof part.schemaname === 'string' ? part.schemaname : undefined
  return placeNamed(g, schema, String(part.relname ?? ''), part.relpersistence === 't')
}

export function placeNamed(
  g: Gathered,
  schema: string | undefined,
  name: string,
  temporary = false,
): Place {
  const { names } = g.trust
  if (schema === undefined) g.unqualified()
  const relation = relationOf(names, schema, name)
  if (relation === undefined) {
    const home = schema === undefined ? homeSchema(names) : plainSchema(names, schema)
    return unknownPlace(temporary ? 'pg_temp' : home, name)
  }
  g.relationOids.add(relation.oid)
  return {
    name: `${relation.schema}.${relation.name}`,
    schema: relation.schema,
    bare: relation.name,
    relation,
    temporary: relation.temporary,
  }
}

function unknownPlace(schema: string, bare: string): Place {
  const temporary = schema === 'pg_temp'
  return { name: `${schema}.${bare}`, schema, bare, relation: undefined, temporary }
}

/** A relation that the statement makes: it stands in the first schema of the path, whatever has its name now. */
export function placeMade(g: Gathered, part: Part): Place {
  const { names } = g.trust
  const schema = typeof part.schemaname === 'string' ? part.schemaname : undefined
  if (schema === undefined) g.unqualified()
  const home = schema === undefined ? homeSchema(names) : plainSchema(names, schema)
  return unknownPlace(part.relpersistence === 't' ? 'pg_temp' : home, String(part.relname ?? ''))
}

/** The columns of a table that a statement hangs something on. */
export function tableScope(place: Place): Scope {
  const scope = nested(undefined)
  const as = { name: place.bare, schema: undefined, renames: [] }
  scope.items.push(relationItem(place.relation ?? { unknown: place.name }, as))
  return scope
}

/** Counts the relation as read, with what a view runs. */
export function reads(g: Gathered, place: Place): void {
  g.tables.add(place.name)
  g.objects.add(place.name)
  if (place.relation === undefined) return
  g.readOids.add(place.relation.oid)
  judgeView(g, place.relation)
}

/** Names a relation without reading or writing rows: COMMENT, LOCK, CREATE INDEX. */
export function names(g: Gathered, place: Place): void {
  g.tables.add(place.name)
  g.objects.add(place.name)
}

export interface WriteForm {
  readonly bounded: boolean
  /** UPDATE, DELETE and MERGE set off foreign keys that others have onto the table. */
  readonly cascades: boolean
  /** TRUNCATE … CASCADE empties every table that refers to it. */
  readonly references?: boolean
}

/** Counts rows of the relation as written, with all that this reaches. */
export function writes(g: Gathered, place: Place, form: WriteForm): void {
  names(g, place)
  if (g.dry > 0) {
    if (place.relation !== undefined) judgeView(g, place.relation)
    return
  }
  g.tablesWritten.add(place.name)
  inCatalogue(g, place.name)
  if (place.relation !== undefined) reach(g, place.relation, { form, seen: new Set() })
  else if (!place.temporary) g.change(form)
}

/** Counts a relation as changed by ALTER or DROP, with its partitions and children. */
export function alters(g: Gathered, place: Place): void {
  g.tablesWritten.add(place.name)
  if (place.relation !== undefined) descend(g, place.relation, new Set())
}

function descend(g: Gathered, relation: Relation, seen: Set<number>): void {
  if (seen.has(relation.oid)) return
  seen.add(relation.oid)
  g.tablesWritten.add(`${relation.schema}.${relation.name}`)
  for (const oid of relation.children) {
    const child = g.trust.names.catalogue.relation(oid)
    if (child !== undefined) descend(g, child, seen)
  }
}

function inCatalogue(g: Gathered, whole: string): void {
  if (!whole.startsWith('pg_catalog.') && !whole.startsWith('information_schema.')) return
  g.run('admin', `${whole} belongs to the server's catalogue`)
  g.changesNames({ shared: true })
  if (whole !== 'pg_catalog.pg_settings') return
  // Its rewrite rules are a set_config for every row, and a SELECT that answers.
  g.effect.dirtiesAtEnd = true
  g.returnsRows = true
  if (g.identityParameter !== undefined)
    g.refuse('a write to pg_settings could set what the gateway sets')
}

function reach(
  g: Gathered,
  relation: Relation,
  walk: { form: WriteForm; seen: Set<number> },
): void {
  if (walk.seen.has(relation.oid)) return
  walk.seen.add(relation.oid)
  const whole = `${relation.schema}.${relation.name}`
  g.tablesWritten.add(whole)
  // A temporary view writes through to tables that are not.
  if (!relation.temporary) g.change(walk.form)
  inCatalogue(g, whole)
  for (const trigger of relation.triggers) g.triggers.add(`${whole}.${trigger}`)
  if (relation.insteadOfTriggers)
    g.run('execute', `a write to ${whole} runs its INSTEAD OF trigger`)
  if (relation.rules) {
    g.run('execute', `a write to ${whole} runs its rewrite rules`)
    g.returnsRows = true
  }
  if (relation.kind === 'v') judgeView(g, relation)
  for (const oid of reached(relation, walk.form)) {
    const next = g.trust.names.catalogue.relation(oid)
    if (next !== undefined) reach(g, next, walk)
  }
}

function reached(relation: Relation, form: WriteForm): readonly number[] {
  // A view writes through to what it reads, one level at a time.
  if (relation.kind === 'v') return relation.reads.map((one) => one.relation)
  return [
    ...relation.children,
    ...relation.parents,
    ...(form.cascades ? relation.cascades : []),
    ...(form.references === true ? (relation.referencedBy ?? []) : []),
  ]
}
