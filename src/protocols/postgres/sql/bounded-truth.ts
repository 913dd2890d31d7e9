/**
 * Pure. Conditions that are true of every row, as far as one look tells: `true`, `1=1`, `id = id`, `NOT false`.
 *
 * Best effort, for the fact `where_always_true`. What guards is `bounded`, which lists what is good instead.
 */

import { same, stringOf } from './nodes.ts'
import type { A_Const, A_Expr, BoolExpr, Node } from './parse.ts'

/** undefined: not known. */
export function truthOf(node: Node | undefined): boolean | undefined {
  if (node === undefined) return undefined
  if ('A_Const' in node) return node.A_Const.boolval && node.A_Const.boolval.boolval === true
  if ('BoolExpr' in node) return ofBoolean(node.BoolExpr)
  if ('A_Expr' in node) return ofComparison(node.A_Expr)
  if ('TypeCast' in node) return ofCast(node)
  if ('NullTest' in node) {
    const { arg, nulltesttype } = node.NullTest
    if (arg === undefined || !('A_Const' in arg)) return undefined
    return (arg.A_Const.isnull === true) === (nulltesttype === 'IS_NULL')
  }
  if ('BooleanTest' in node) {
    const truth = truthOf(node.BooleanTest.arg)
    if (truth === undefined) return undefined
    const wanted = node.BooleanTest.booltesttype
    if (wanted === 'IS_TRUE' || wanted === 'IS_NOT_FALSE') return truth
    return wanted === 'IS_FALSE' || wanted === 'IS_NOT_TRUE' ? !truth : undefined
  }
  if ('SubLink' in node) {
    const { subLinkType, subselect } = node.SubLink
    if (subLinkType !== 'EXISTS_SUBLINK' || !subselect || !('SelectStmt' in subselect))
      return undefined
    const { fromClause, whereClause, havingClause, valuesLists } = subselect.SelectStmt
    const plain =
      fromClause === undefined && whereClause === undefined && havingClause === undefined
    return plain || valuesLists !== undefined ? true : undefined
  }
  return undefined
}

function ofBoolean({ boolop, args = [] }: BoolExpr): boolean | undefined {
  const truths = args.map(truthOf)
  if (boolop === 'NOT_EXPR') return truths[0] === undefined ? undefined : !truths[0]
  if (boolop === 'AND_EXPR') {
    if (truths.includes(false)) return false
    return truths.every((truth) => truth === true) ? true : undefined
  }
  if (truths.includes(true) || hasOpposites(args)) return true
  return truths.every((truth) => truth === false) ? false : undefined
}

/** `x IS NULL OR x IS NOT NULL`, `x = 1 OR x <> 1` (but for NULL), `p OR NOT p`. */
function hasOpposites(args: readonly Node[]): boolean {
  return args.some((one) => args.some((other) => areOpposites(one, other)))
}

function areOpposites(one: Node, other: Node): boolean {
  if ('NullTest' in one && 'NullTest' in other)
    return (
      one.NullTest.nulltesttype !== other.NullTest.nulltesttype &&
      same(one.NullTest.arg, other.NullTest.arg)
    )
  if ('BoolExpr' in other && other.BoolExpr.boolop === 'NOT_EXPR')
    return same(one, other.BoolExpr.args?.[0])
  if (!('A_Expr' in one && 'A_Expr' in other)) return false
  const names = [stringOf(one.A_Expr.name?.[0]), stringOf(other.A_Expr.name?.[0])]
  return (
    names.includes('=') &&
    names.includes('<>') &&
    same(one.A_Expr.lexpr, other.A_Expr.lexpr) &&
    same(one.A_Expr.rexpr, other.A_Expr.rexpr)
  )
}

function ofComparison({ kind, name, lexpr, rexpr }: A_Expr): boolean | undefined {
  if (lexpr === undefined || rexpr === undefined) return undefined
  const operator = stringOf(name?.at(-1))
  if (kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') {
    const pattern = 'A_Const' in rexpr ? rexpr.A_Const.sval?.sval : undefined
    return pattern !== undefined && /^%+$/.test(pattern) && operator?.startsWith('~')
      ? true
      : undefined
  }
  if (kind === 'AEXPR_IN') {
    const items = 'List' in rexpr ? (rexpr.List.items ?? []) : []
    return operator === '=' && items.some((item) => same(lexpr, item)) ? true : undefined
  }
  if (kind === 'AEXPR_OP_ANY' && 'A_ArrayExpr' in rexpr) {
    const items = rexpr.A_ArrayExpr.elements ?? []
    return operator === '=' && items.some((item) => same(lexpr, item)) ? true : undefined
  }
  if (kind === 'AEXPR_NOT_DISTINCT') return same(lexpr, rexpr) ? true : undefined
  if (kind === 'AEXPR_BETWEEN') {
    const ends = 'List' in rexpr ? (rexpr.List.items ?? []) : []
    return ends.length === 2 && ends.every((end) => same(end, lexpr)) ? true : undefined
  }
  if (kind !== 'AEXPR_OP') return undefined
  return compare(operator, lexpr, rexpr)
}

function compare(operator: string | undefined, left: Node, right: Node): boolean | undefined {
  if (same(left, right) && !('ParamRef' in left && 'SubLink' in right))
    return operator === '=' || operator === '>=' || operator === '<=' ? true : undefined
  const one = 'A_Const' in left ? plain(left.A_Const) : undefined
  const other = 'A_Const' in right ? plain(right.A_Const) : undefined
  if (one === undefined || other === undefined || typeof one !== typeof other) return undefined
  if (operator === '=') return one === other
  if (operator === '<>') return one !== other
  if (typeof one === 'string') return undefined // Order is the collation's business.
  if (operator === '<') return one < other
  if (operator === '>') return one > other
  if (operator === '<=') return one <= other
  return operator === '>=' ? one >= other : undefined
}

function plain(constant: A_Const): number | string | boolean | undefined {
  if (constant.ival !== undefined) return constant.ival.ival ?? 0
  if (constant.fval !== undefined) return Number(constant.fval.fval)
  if (constant.sval !== undefined) return constant.sval.sval ?? ''
  return constant.boolval === undefined ? undefined : constant.boolval.boolval === true
}

function ofCast(node: Extract<Node, { TypeCast: unknown }>): boolean | undefined {
  const { arg, typeName } = node.TypeCast
  const name = stringOf(typeName?.names?.at(-1))
  if (arg === undefined || !('A_Const' in arg) || (name !== 'bool' && name !== 'boolean'))
    return undefined
  const value = plain(arg.A_Const)
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase()
    if (word === '1' || word === 'on') return true
    if (word !== '' && ('true'.startsWith(word) || 'yes'.startsWith(word))) return true
    return ['0', 'of', 'off', 'f', 'fa', 'fal', 'fals', 'false', 'n', 'no'].includes(word)
      ? false
      : undefined
  }
  return typeof value === 'number' ? value !== 0 : value
}
