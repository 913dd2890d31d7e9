/**
 * Pure. Which columns a reference in a query can mean: FROM items with their columns, nested as queries are.
 *
 * Where it cannot tell, it names more than PostgreSQL would find, never less.
 * https://www.postgresql.org/docs/current/queries-table-expressions.html
 */
import type { Relation } from './catalogue.ts'

/** Names of a query's columns in order; undefined when they are not known. */
export type Outputs = readonly string[] | undefined

/** One thing in FROM. */
export interface Item {
  readonly name: string
  /** Schema by which `schema.table.column` may name it; undefined under an alias. */
  readonly schema: string | undefined
  /** Column name → `schema.table.column`, or undefined for a computed one. */
  readonly columns: ReadonlyMap<string, string | undefined>
  /** May have columns beyond those: `schema.table` of an unknown relation, '' for anything else. */
  readonly open: string | undefined
}

export interface Cte {
  readonly name: string
  readonly outputs: Outputs
  readonly next: Cte | undefined
}

export interface Scope {
  readonly items: Item[]
  readonly parent: Scope | undefined
  readonly ctes: Cte | undefined
  /** Set in `FROM pg_settings WHERE name = 'literal'`: what `name` is there. */
  readonly setting: string | undefined
}

export function nested(parent: Scope | undefined, ctes = parent?.ctes): Scope {
  return { items: [], parent, ctes, setting: undefined }
}

export function cteNamed(scope: Scope | undefined, name: string): Cte | undefined {
  for (let at = scope?.ctes; at !== undefined; at = at.next) if (at.name === name) return at
  return undefined
}

/** `renames` are the column names of an alias: `users AS u(a, b)`. */
export function relationItem(
  relation: Relation | { readonly unknown: string },
  as: { name: string; schema: string | undefined; renames: readonly string[] },
): Item {
  const columns = new Map<string, string | undefined>()
  const { name, schema } = as
  if ('unknown' in relation) {
    for (const one of as.renames) columns.set(one, undefined)
    return { name, schema, columns, open: relation.unknown }
  }
  for (const [at, column] of relation.columns.entries())
    columns.set(as.renames[at] ?? column.name, `${relation.schema}.${relation.name}.${column.name}`)
  return { name, schema, columns, open: undefined }
}

export function derivedItem(name: string, outputs: Outputs, renames: readonly string[]): Item {
  const columns = new Map<string, string | undefined>()
  for (const one of renames) columns.set(one, undefined)
  for (const [at, one] of (outputs ?? []).entries())
    if (at >= renames.length) columns.set(one, undefined)
  return { name, schema: undefined, columns, open: outputs === undefined ? '' : undefined }
}

/** What a reference means. `attribute`: it may be a function in attribute notation (`t.f` for `f(t)`). */
export interface Found {
  readonly columns: readonly string[]
  readonly attribute: string | undefined
}

const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** `fields` as written, without a star: 1 to 4 names. */
export function lookUp(scope: Scope, fields: readonly string[]): Found {
  if (fields.length === 1) return { columns: unqualified(scope, fields[0]!), attribute: undefined }
  const column = fields.at(-1)!
  const item = itemNamed(scope, fields.at(-2)!, fields.at(-3))
  if (item === undefined) return { columns: [], attribute: column }
  const fact = item.columns.get(column)
  if (item.columns.has(column))
    return { columns: fact === undefined ? [] : [fact], attribute: undefined }
  if (SYSTEM_COLUMNS.has(column)) return { columns: [], attribute: undefined }
  if (item.open !== undefined)
    return { columns: item.open === '' ? [] : [`${item.open}.${column}`], attribute: column }
  return { columns: wholeRow(item), attribute: column }
}

function unqualified(scope: Scope, name: string): string[] {
  const found = new Set<string>()
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    let certain = false
    for (const item of at.items) {
      const fact = item.columns.get(name)
      if (item.columns.has(name)) certain = true
      if (fact !== undefined) found.add(fact)
      else if (item.open !== undefined && item.open !== '' && !item.columns.has(name))
        found.add(`${item.open}.${name}`)
    }
    if (certain) return [...found]
  }
  const item = itemNamed(scope, name, undefined)
  if (item !== undefined) for (const one of wholeRow(item)) found.add(one)
  return [...found]
}

export function itemNamed(
  scope: Scope,
  name: string,
  schema: string | undefined,
): Item | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent)
    for (const item of at.items)
      if (item.name === name && (schema === undefined || item.schema === schema)) return item
  return undefined
}

/** Everything an item stands for; `schema.table.*` where its columns are not known. */
export function wholeRow(item: Item): string[] {
  const all = [...item.columns.values()].filter((one) => one !== undefined)
  if (item.open !== undefined && item.open !== '') all.push(`${item.open}.*`)
  return all
}

/** Items that a bare `*` reaches: those of the innermost query. */
export function starred(scope: Scope, qualifier: readonly string[]): readonly Item[] {
  if (qualifier.length === 0) return scope.items
  const item = itemNamed(scope, qualifier.at(-1)!, qualifier.at(-2))
  return item === undefined ? [] : [item]
}
