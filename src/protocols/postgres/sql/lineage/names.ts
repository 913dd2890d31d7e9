/**
 * Pure. The name that an output gets: its own, or the one that PostgreSQL makes of the expression (FigureColname in
 * parse_target.c); undefined where that is not plain to see, and then it may be any.
 */

import { dotted, isPart, stringOf } from '../nodes.ts'
import type { Node } from '../parse.ts'

export function isStar(value: Node | undefined): boolean {
  const last =
    value !== undefined && 'ColumnRef' in value ? value.ColumnRef.fields?.at(-1) : undefined
  return last !== undefined && 'A_Star' in last
}

/** Of a ResTarget's value. */
export function nameOf(value: Node | undefined): string | undefined {
  return figured(value)?.name
}

interface Figured {
  readonly name: string | undefined
  /** A better one of something inside takes its place: `'x'::text` is called text, `a::text` a. */
  readonly weak: boolean
}

const UNNAMED: Figured = { name: '?column?', weak: true }

function figured(value: Node | undefined): Figured | undefined {
  if (value === undefined) return undefined
  const strong = (name: string | undefined): Figured => ({ name, weak: false })
  if ('ColumnRef' in value) return strong(stringOf(value.ColumnRef.fields?.at(-1)))
  if ('FuncCall' in value) return strong(dotted(value.FuncCall.funcname)?.at(-1))
  if ('A_Indirection' in value) {
    const names = (value.A_Indirection.indirection ?? []).flatMap((one) => stringOf(one) ?? [])
    return names.length > 0 ? strong(names.at(-1)) : figured(value.A_Indirection.arg)
  }
  if ('TypeCast' in value) {
    const inner = figured(value.TypeCast.arg)
    if (inner === undefined || !inner.weak) return inner
    const name = dotted(value.TypeCast.typeName?.names)?.at(-1)
    return name === undefined ? inner : { name, weak: true }
  }
  if ('CollateClause' in value) return figured(value.CollateClause.arg)
  if ('CaseExpr' in value) {
    const other = figured(value.CaseExpr.defresult)
    return other !== undefined && !other.weak ? other : { name: 'case', weak: true }
  }
  if ('SubLink' in value) return subLink(value)
  if ('A_Expr' in value) return value.A_Expr.kind === 'AEXPR_NULLIF' ? strong('nullif') : UNNAMED
  if ('MinMaxExpr' in value)
    return strong(value.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest')
  const [kind, inside] = Object.entries(value)[0] ?? ['', undefined]
  const fixed = FIXED.get(kind)
  if (fixed !== undefined) return fixed
  if (kind === 'SQLValueFunction' && isPart(inside)) return strong(sqlValue(String(inside.op)))
  return undefined
}

const FIXED: ReadonlyMap<string, Figured> = new Map([
  ['A_Const', UNNAMED],
  ['ParamRef', UNNAMED],
  ['BoolExpr', UNNAMED],
  ['NullTest', UNNAMED],
  ['BooleanTest', UNNAMED],
  ['CoalesceExpr', { name: 'coalesce', weak: false }],
  ['A_ArrayExpr', { name: 'array', weak: false }],
  ['RowExpr', { name: 'row', weak: false }],
  ['GroupingFunc', { name: 'grouping', weak: false }],
])

function subLink(value: Extract<Node, { SubLink: unknown }>): Figured | undefined {
  const { subLinkType, subselect } = value.SubLink
  if (subLinkType === 'EXISTS_SUBLINK') return { name: 'exists', weak: false }
  if (subLinkType === 'ARRAY_SUBLINK') return { name: 'array', weak: false }
  if (subLinkType !== 'EXPR_SUBLINK') return UNNAMED
  if (subselect === undefined || !('SelectStmt' in subselect)) return undefined
  let select = subselect.SelectStmt
  while (select.larg !== undefined) select = select.larg
  const first = select.targetList?.[0]
  if (first === undefined || !('ResTarget' in first)) return undefined
  const { name, val } = first.ResTarget
  if (name !== undefined) return { name, weak: false }
  return isStar(val) ? undefined : figured(val)
}

/** SVFOP_CURRENT_TIMESTAMP_N → current_timestamp. */
function sqlValue(op: string): string {
  return op
    .replace(/^SVFOP_/, '')
    .replace(/_N$/, '')
    .toLowerCase()
}
