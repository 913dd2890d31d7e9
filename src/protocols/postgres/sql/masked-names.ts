/**
 * Pure. The column names that sub-selects, CTEs and aliases offer, as far as the text tells; undefined elsewhere, and
 * then any name may be one of them.
 */

import type { Item } from './masked-scope.ts'
import { dotted, stringOf } from './nodes.ts'
import type { Node, SelectStmt } from './parse.ts'

export interface Alias {
  readonly aliasname?: string
  readonly colnames?: Node[]
}

/** Column names under an alias; undefined where they are not known. */
export function columnsOf(
  alias: Alias | undefined,
  own: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  const given = (alias?.colnames ?? []).map((one) => stringOf(one) ?? '')
  if (given.length === 0) return own
  if (own === undefined) return new Set(given)
  return new Set([...given, ...[...own].filter((_, at) => at >= given.length)])
}

export function union(items: readonly Item[]): ReadonlySet<string> | undefined {
  const names = new Set<string>()
  for (const item of items) {
    if (item.columns === undefined) return undefined
    for (const name of item.columns) names.add(name)
  }
  return names
}

/** Names of a query's outputs; undefined where a star or an expression leaves them open. */
export function outputNames(query: Node | undefined): ReadonlySet<string> | undefined {
  if (query === undefined || !('SelectStmt' in query)) return undefined
  let select: SelectStmt | undefined = query.SelectStmt
  while (select?.larg !== undefined) select = select.larg
  const values = select?.valuesLists?.[0]
  if (values !== undefined) {
    const count = 'List' in values ? (values.List.items ?? []).length : 0
    return new Set(Array.from({ length: count }, (_, at) => `column${at + 1}`))
  }
  const names = new Set<string>()
  for (const target of select?.targetList ?? []) {
    const name = outputName(target)
    if (name === undefined) return undefined
    names.add(name)
  }
  return names
}

/** Name of one output; undefined for stars and where it is not plain to see. */
export function outputName(target: Node): string | undefined {
  if (!('ResTarget' in target)) return undefined
  const { name, val } = target.ResTarget
  if (name !== undefined) return name
  return val === undefined ? undefined : nameOf(val)
}

/** The name that PostgreSQL makes for an output without one; undefined where that is not plain to see. */
function nameOf(value: Node): string | undefined {
  if ('ColumnRef' in value) return stringOf(value.ColumnRef.fields?.at(-1))
  if ('FuncCall' in value) return dotted(value.FuncCall.funcname)?.at(-1)
  if ('A_Const' in value || 'A_Expr' in value || 'ParamRef' in value) return '?column?'
  if ('CoalesceExpr' in value) return 'coalesce'
  return undefined
}

export function isStarred(target: Node): boolean {
  const value = 'ResTarget' in target ? target.ResTarget.val : undefined
  const last =
    value !== undefined && 'ColumnRef' in value ? value.ColumnRef.fields?.at(-1) : undefined
  return last !== undefined && 'A_Star' in last
}
