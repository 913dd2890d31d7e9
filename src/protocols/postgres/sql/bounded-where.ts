/**
 * Pure. Whether a condition pins a table's rows down to named values (the list of semantics §1, "bounded").
 *
 * Everything that is not on the list counts as not pinned: unknown kinds, functions, casts of the column, columns
 * of other relations. A wrong answer here must only ever be "not pinned".
 */

import type { Relation } from './catalogue.ts'
import { dotted, refName, stringOf } from './nodes.ts'
import type { A_Expr, ColumnRef, Node, RangeVar } from './parse.ts'

/** The table whose rows are meant, and what stands beside it. */
export interface Pinned {
  readonly range: RangeVar
  /** undefined: no catalogue; any name but a system column's is taken for an ordinary column. */
  readonly relation: Relation | undefined
  /** Nothing else stands in FROM or USING, so that an unqualified name can only be this table's. */
  readonly alone: boolean
  /** Aliases of constant VALUES lists and of `unnest(parameter)` that are joined in plainly. */
  readonly constants: ReadonlySet<string>
}

export interface Cover {
  readonly bounded: boolean
  /** Columns that every matching row has one of the named values in. */
  readonly columns: ReadonlySet<string>
}

const NOTHING: Cover = { bounded: false, columns: new Set() }
/** System columns other than ctid, which names one row. */
const SYSTEM_COLUMNS = new Set(['tableoid', 'xmin', 'xmax', 'cmin', 'cmax', 'oid'])
/** Relations whose columns are stored: not views, whose columns may be computed. */
const STORED = 'rpf'
const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '||'])

/** What `where` pins down. */
export function coverOf(where: Node | undefined, table: Pinned): Cover {
  if (where === undefined) return NOTHING
  if ('BoolExpr' in where) {
    const arms = (where.BoolExpr.args ?? []).map((arm) => coverOf(arm, table))
    if (where.BoolExpr.boolop === 'AND_EXPR') return all(arms)
    if (where.BoolExpr.boolop === 'OR_EXPR') return any(arms)
    return NOTHING
  }
  if ('A_Expr' in where) return term(where.A_Expr, table)
  return NOTHING
}

function all(arms: readonly Cover[]): Cover {
  const columns = new Set<string>()
  for (const arm of arms) for (const column of arm.columns) columns.add(column)
  return { bounded: arms.some((arm) => arm.bounded), columns }
}

function any(arms: readonly Cover[]): Cover {
  if (arms.length === 0 || !arms.every((arm) => arm.bounded)) return NOTHING
  const columns = [...arms[0]!.columns].filter((one) => arms.every((arm) => arm.columns.has(one)))
  return { bounded: true, columns: new Set(columns) }
}

function term(expression: A_Expr, table: Pinned): Cover {
  if (!isEquality(expression.name)) return NOTHING
  const { lexpr, rexpr } = expression
  if (lexpr === undefined || rexpr === undefined) return NOTHING
  switch (expression.kind) {
    case 'AEXPR_OP':
      return equality(lexpr, rexpr, table)
    case 'AEXPR_IN':
      return 'List' in rexpr
        ? any((rexpr.List.items ?? []).map((item) => equality(lexpr, item, table)))
        : NOTHING
    case 'AEXPR_OP_ANY':
      return isArray(rexpr) ? one(columnOf(lexpr, table)) : NOTHING
    default:
      return NOTHING
  }
}

function equality(left: Node, right: Node, table: Pinned): Cover {
  if ('RowExpr' in left && 'RowExpr' in right) {
    const lefts = left.RowExpr.args ?? []
    const rights = right.RowExpr.args ?? []
    if (lefts.length !== rights.length) return NOTHING
    return all(lefts.map((part, at) => equality(part, rights[at]!, table)))
  }
  if (isValue(right, table)) return one(columnOf(left, table))
  if (isValue(left, table)) return one(columnOf(right, table))
  return NOTHING
}

function one(column: string | undefined): Cover {
  return column === undefined ? NOTHING : { bounded: true, columns: new Set([column]) }
}

function isEquality(name: readonly Node[] | undefined): boolean {
  const parts = dotted(name)
  if (parts === undefined || parts.at(-1) !== '=') return false
  return parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog')
}

/** Name of the ordinary column (or ctid) of the table that `node` is, and nothing else. */
function columnOf(node: Node, table: Pinned): string | undefined {
  if (!('ColumnRef' in node)) return undefined
  const parts = dotted(node.ColumnRef.fields)
  const column = parts?.at(-1)
  if (parts === undefined || column === undefined || !isMeant(parts, table)) return undefined
  if (column === 'ctid') return column
  if (SYSTEM_COLUMNS.has(column)) return undefined
  if (table.relation === undefined) return column
  if (!STORED.includes(table.relation.kind)) return undefined
  const found = table.relation.columns.find((each) => each.name === column)
  return found !== undefined && found.generatedFrom.length === 0 ? column : undefined
}

function isMeant(parts: readonly string[], table: Pinned): boolean {
  // A column alias list renames columns; which is which is not worth following.
  if ((table.range.alias?.colnames ?? []).length > 0) return false
  if (parts.length === 1) return table.alone
  if (parts.length === 2) return parts[0] === refName(table.range)
  if (parts.length !== 3 || table.range.alias !== undefined) return false
  return parts[1] === table.range.relname && parts[0] === table.range.schemaname
}

/** Holds no column of a relation, no sub-select, nothing that is not known to be constant. */
function isValue(node: Node, table: Pinned): boolean {
  if ('ColumnRef' in node) return isConstantColumn(node.ColumnRef, table)
  return isConstant(node)
}

export function isConstant(node: Node | undefined): boolean {
  if (node === undefined) return false
  if ('A_Const' in node || 'ParamRef' in node || 'SQLValueFunction' in node) return true
  if ('TypeCast' in node) return isConstant(node.TypeCast.arg)
  if ('CollateClause' in node) return isConstant(node.CollateClause.arg)
  if ('A_Expr' in node) {
    const { kind, name, lexpr, rexpr } = node.A_Expr
    if (kind !== 'AEXPR_OP' || !ARITHMETIC.has(stringOf(name?.[0]) ?? '') || name?.length !== 1)
      return false
    return (lexpr === undefined || isConstant(lexpr)) && isConstant(rexpr)
  }
  return false
}

function isConstantColumn(reference: ColumnRef, table: Pinned): boolean {
  const parts = dotted(reference.fields)
  return parts !== undefined && parts.length === 2 && table.constants.has(parts[0]!)
}

function isArray(node: Node): boolean {
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isConstant)
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isArray(node.TypeCast.arg)
  return 'ParamRef' in node || ('A_Const' in node && node.A_Const.sval !== undefined)
}

/** Aliases of what `FROM` or `USING` holds that can have no rows but those the text or its parameters name. */
export function constantItems(items: readonly Node[] | undefined): Set<string> {
  const names = new Set<string>()
  for (const item of items ?? []) {
    const name = constantItem(item)
    if (name !== undefined) names.add(name)
  }
  return names
}

export function constantItem(item: Node): string | undefined {
  if ('RangeSubselect' in item) {
    const { subquery, alias, lateral } = item.RangeSubselect
    const query =
      subquery !== undefined && 'SelectStmt' in subquery ? subquery.SelectStmt : undefined
    if (lateral === true || query?.valuesLists === undefined || query.withClause) return undefined
    const rows = query.valuesLists
    const constant = rows.every((row) => 'List' in row && (row.List.items ?? []).every(isConstant))
    return constant ? alias?.aliasname : undefined
  }
  if ('RangeFunction' in item) {
    const { functions, alias } = item.RangeFunction
    const constant = (functions ?? []).every(
      (each) => 'List' in each && isUnnest(each.List.items?.[0]),
    )
    return constant ? alias?.aliasname : undefined
  }
  return undefined
}

function isUnnest(node: Node | undefined): boolean {
  if (node === undefined || !('FuncCall' in node)) return false
  const name = dotted(node.FuncCall.funcname)
  const plain = name?.at(-1) === 'unnest' && (name.length === 1 || name[0] === 'pg_catalog')
  return plain && (node.FuncCall.args ?? []).every(isParameter)
}

function isParameter(node: Node): boolean {
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isParameter(node.TypeCast.arg)
  return 'ParamRef' in node
}
