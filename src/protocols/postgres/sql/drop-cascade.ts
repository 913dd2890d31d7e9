/**
 * Pure. What `DROP … CASCADE` takes along besides what it names: tables of a schema, columns of a type, tables that
 * were made of one, generated columns, materialised views (semantics §1, "tables_written").
 *
 * Most dependencies stand in no catalogue that the gateway reads, so tables that only may be meant count as well.
 * https://www.postgresql.org/docs/current/ddl-depend.html
 */
import { FIRST_USER_OID, type Relation } from './catalogue.ts'
import type { Gathered } from './gathered.ts'
import { familyOf, RELATIONS } from './object-kinds.ts'
import { plainSchema, relationOf, typeOf } from './resolve.ts'

/** Kinds of relations that hold values. */
const STORED = 'rpmf'

/** `kind`: an ObjectType of the parser; `parts`: the object's dotted name. */
export function takenAlong(
  g: Gathered,
  dropped: { readonly kind: string; readonly parts: readonly string[] },
): void {
  const goes = condition(g, dropped)
  for (const relation of g.trust.names.catalogue.relations())
    if (
      relation.oid >= FIRST_USER_OID &&
      STORED.includes(relation.kind) &&
      // Its query may name whatever is dropped.
      (relation.kind === 'm' || goes(relation))
    )
      g.tablesWritten.add(`${relation.schema}.${relation.name}`)
}

/** Tables that were made `OF` a composite type change with it: they have its columns. */
export function madeOf(g: Gathered, type: Relation): void {
  for (const relation of g.trust.names.catalogue.relations())
    if (relation.kind === 'r' && hasColumnsOf(relation, type))
      g.tablesWritten.add(`${relation.schema}.${relation.name}`)
}

function condition(
  g: Gathered,
  { kind, parts }: { kind: string; parts: readonly string[] },
): (relation: Relation) => boolean {
  const { names } = g.trust
  const name = parts.at(-1) ?? ''
  if (kind === 'OBJECT_SCHEMA') {
    const schema = plainSchema(names, name)
    return (one) => one.schema === schema || uses(g, one, (type) => type.schema === schema)
  }
  if (kind === 'OBJECT_TYPE' || kind === 'OBJECT_DOMAIN' || RELATIONS.has(kind)) {
    const schema = parts.at(-2)
    const type = typeOf(names, schema, name)
    const relation = relationOf(names, schema, name)
    const oid = typeof type === 'object' ? type.oid : -1
    return (one) =>
      uses(g, one, (used) => used.oid === oid) ||
      (kind === 'OBJECT_TYPE' && relation !== undefined && hasColumnsOf(one, relation))
  }
  // It may be what a generated column is computed by.
  if (familyOf(kind) === 'code')
    return (one) => one.columns.some((column) => column.generatedFrom.length > 0)
  // Collations, extensions, access methods and the like: columns or tables of them.
  return () => true
}

type TypeTest = (type: { readonly oid: number; readonly schema: string }) => boolean

/** A column is of such a type, or of one that is made of it. */
function uses(g: Gathered, relation: Relation, test: TypeTest): boolean {
  const { catalogue } = g.trust.names
  const seen = new Set<number>()
  const holds = (oid: number): boolean => {
    if (seen.has(oid)) return false
    seen.add(oid)
    const type = catalogue.type(oid)
    return type !== undefined && (test(type) || type.uses.some(holds))
  }
  return relation.columns.some((column) => holds(column.typeOid))
}

function hasColumnsOf(relation: Relation, type: Relation): boolean {
  return (
    type.kind === 'c' &&
    relation.columns.length === type.columns.length &&
    relation.columns.every(({ name, typeOid }, at) => {
      const attribute = type.columns[at]!
      return attribute.name === name && attribute.typeOid === typeOid
    })
  )
}
