/** Pure. Small questions about the trees of DDL, for schema-draft.ts. */
import type { Column, Relation, Routine } from '../protocols/postgres/sql/catalogue.ts'
import { attributesOf, dotted, each, isPart, type Part } from '../protocols/postgres/sql/nodes.ts'
import type { Node } from '../protocols/postgres/sql/parse.ts'

const TEXT_OID = 25
/** Where names without a schema are. */
const HOME = 'public'

export function list(value: unknown): readonly Part[] {
  return Array.isArray(value) ? value.filter(isPart) : []
}

export function placeOf(place: unknown): [schema: string, name: string] {
  const part = isPart(place) ? place : {}
  const schema = typeof part.schemaname === 'string' ? part.schemaname : HOME
  return [schema, String(part.relname ?? '')]
}

export function qualified(names: readonly string[]): [schema: string, name: string] {
  const bare = names.at(-1) ?? ''
  return names.length > 1 ? [names[0]!, bare] : [HOME, bare]
}

/** A list of names. */
export function words(nodes: unknown): string[] {
  return list(nodes).map((one) => String(Object(one.String).sval ?? ''))
}

/** OIDs of those of the routines that are called anywhere in it. */
export function calledIn(tree: unknown, routines: readonly Routine[]): number[] {
  const names = new Set<string>()
  each(tree, (kind, inside) => {
    if (kind === 'FuncCall' && isPart(inside))
      names.add(qualified(dotted(inside.funcname as Node[]) ?? []).join('.'))
    return true
  })
  return routines.filter((one) => names.has(`${one.schema}.${one.name}`)).map(({ oid }) => oid)
}

export function plainColumn(name: string): Column {
  return { number: 0, name, typeOid: TEXT_OID, notNull: false, generatedFrom: [] }
}

/** PostgreSQL takes no more for a table (MaxHeapAttributeNumber). */
const COLUMNS_MAX = 1600

/** Columns of the same name are one, as where two parents have it. Throws RangeError where there are too many. */
export function numbered(all: readonly Column[]): Column[] {
  const byName = new Map<string, Column>()
  for (const column of all) if (!byName.has(column.name)) byName.set(column.name, column)
  const columns = [...byName.values()]
  if (columns.length > COLUMNS_MAX) throw new RangeError(`it has more than ${COLUMNS_MAX} columns`)
  return columns.map((column, at) => ({ ...column, number: at + 1 }))
}

/** Columns that a GENERATED … STORED column names. */
export function sources(element: Part, relation: Relation): number[] {
  const generated = list(Object(element.ColumnDef).constraints).find(
    (one) => Object(one.Constraint).contype === 'CONSTR_GENERATED',
  )
  if (generated === undefined) return []
  const named = new Set<string>()
  each(generated, (kind, inside) => {
    if (kind === 'ColumnRef' && isPart(inside))
      for (const name of dotted(inside.fields as Node[]) ?? attributesOf(kind, inside))
        named.add(name)
    return true
  })
  const found = relation.columns.filter(({ name }) => named.has(name)).map(({ number }) => number)
  return found.length > 0 ? found : [0]
}

/** Names of a query's outputs; `*` stands for the columns of the tables it reads. */
export function outputNames(query: Part, tables: readonly Relation[]): string[] {
  let select = isPart(query.SelectStmt) ? query.SelectStmt : query
  while (isPart(select.larg)) select = select.larg
  return list(select.targetList).flatMap((target) => {
    const { name, val } = Object(target.ResTarget)
    if (typeof name === 'string') return [name]
    const fields = list(Object(val).ColumnRef?.fields)
    const last = fields.at(-1)
    if (last === undefined) return [functionName(val) ?? '?column?']
    if (last.A_Star === undefined) return [String(Object(last.String).sval ?? '?column?')]
    const of = fields.length > 1 ? String(Object(fields[0]!.String).sval) : undefined
    const meant = tables.filter((table) => of === undefined || table.name === of)
    return (meant.length > 0 ? meant : tables).flatMap(({ columns }) =>
      columns.map((column) => column.name),
    )
  })
}

function functionName(value: unknown): string | undefined {
  const call = Object(value).FuncCall
  return isPart(call) ? dotted(call.funcname as Node[])?.at(-1) : undefined
}
