/**
 * Pure. What an expression depends on. Kinds of expressions that are not known here depend on everything inside them in
 * a way that nobody knows.
 *
 * In a value, a masked column may only go through what the committed list names (total-functions.ts). In a predicate
 * each column is judged where it is named, and what is done with it is the target's business.
 */
import { dotted, isPart, stringOf } from '../nodes.ts'
import type { A_Expr, Node, SubLink, TypeName } from '../parse.ts'
import { call } from './calls.ts'
import { besidesMasks } from './document-reads.ts'
import { castIsTotal, isArray, isListed, type Kind, kindNamed, unified } from './kinds.ts'
import { columnRef, steady, whole } from './scope.ts'
import { castShows, widens } from './sizes.ts'
import { computed, meeting, other, type Spot } from './spot.ts'
import { totalOperator } from './total-functions.ts'
import {
  CLEAR,
  constant,
  derived,
  hidesNull,
  isTelling,
  record,
  UNBOUNDED,
  type Value,
} from './value.ts'
import type { Walk } from './walk.ts'

export function valueIn(walk: Walk, node: Node | undefined, at: Spot): Value {
  if (node === undefined || !walk.step()) return CLEAR
  if ('ColumnRef' in node) {
    const value = columnRef(node.ColumnRef.fields, at.place.level)
    if (at.use === 'predicate') walk.decides(value)
    else walk.note(value.marks)
    return computed(walk, value, at)
  }
  if ('A_Const' in node) return literal(node)
  if ('ParamRef' in node || 'SQLValueFunction' in node || 'SetToDefault' in node) return CLEAR
  const beside = besidesMasks(walk, node, at.place)
  if (beside !== undefined) {
    if (at.use === 'predicate') walk.decides(beside)
    return beside
  }
  if ('FuncCall' in node) return call(walk, node.FuncCall, at)
  if ('A_Expr' in node) return operation(walk, node.A_Expr, at)
  if ('TypeCast' in node) return cast(walk, node.TypeCast.arg, node.TypeCast.typeName, at)
  if ('SubLink' in node) return subLink(walk, node.SubLink, at)
  if ('CaseExpr' in node) return branches(walk, node, at)
  if ('CoalesceExpr' in node) return coalesced(walk, node.CoalesceExpr.args ?? [], at)
  if ('NullTest' in node) return nullTest(walk, node.NullTest.arg, at)
  if ('RowExpr' in node)
    return computed(
      walk,
      record((node.RowExpr.args ?? []).map((one) => valueIn(walk, one, at))),
      at,
    )
  if ('A_ArrayExpr' in node) return array(walk, node.A_ArrayExpr.elements, at)
  if ('CollateClause' in node) {
    const inner = valueIn(walk, node.CollateClause.arg, at)
    // Of a column it is known that it may have a collation of its own (total-functions.ts).
    const isTold =
      inner.columns.length > 0 && !hidesNull(inner) && isCalm(node.CollateClause.collname)
    return derived([inner], { how: 'total', kind: isTold ? inner.kind : undefined })
  }
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'NOT_EXPR')
    return derived([valueIn(walk, node.BoolExpr.args?.[0], at)], { how: 'total', kind: 'bool' })
  if ('A_Indirection' in node) return indirection(walk, node, at)
  if ('SelectStmt' in node) return whole(walk.select(node.SelectStmt, at.place, 'inner'))
  return unknown(walk, node, at)
}

/** Other collations turn letters into more or fewer bytes: an `i` where it is Turkish (total-functions.ts). */
function isCalm(collation: readonly Node[] | undefined): boolean {
  const names = dotted(collation) ?? []
  if (names.length === 2 && names[0] !== 'pg_catalog') return false
  return names.length <= 2 && ['C', 'POSIX', 'default'].includes(names.at(-1) ?? '')
}

/** Whatever expressions stand anywhere in a part of the tree. */
function unknown(walk: Walk, part: unknown, at: Spot): Value {
  return other(walk, inside(walk, part, at), at)
}

function inside(walk: Walk, part: unknown, at: Spot): Value[] {
  if (Array.isArray(part)) return part.flatMap((one: unknown) => inside(walk, one, at))
  if (!isPart(part)) return []
  const values: Value[] = []
  for (const key in part) {
    const field = part[key]
    if (KNOWN.has(key) && isPart(field))
      values.push(valueIn(walk, { [key]: field } as unknown as Node, at))
    else if (key === 'RangeVar')
      values.push(
        whole(walk.select({ fromClause: [part as Node], targetList: [STAR] }, at.place, 'inner')),
      )
    else values.push(...inside(walk, field, at))
  }
  return values
}

const STAR: Node = { ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } }

/** What `valueIn` reads by itself. */
const KNOWN = new Set([
  'ColumnRef',
  'A_Const',
  'FuncCall',
  'A_Expr',
  'TypeCast',
  'SubLink',
  'CaseExpr',
  'CoalesceExpr',
  'NullTest',
  'RowExpr',
  'A_ArrayExpr',
  'CollateClause',
  'A_Indirection',
  'SelectStmt',
])

function literal(node: Extract<Node, { A_Const: unknown }>): Value {
  const { ival, boolval } = node.A_Const
  if (ival !== undefined) return constant('int4')
  if (boolval !== undefined) return constant('bool')
  const isText = node.A_Const.sval !== undefined || node.A_Const.isnull === true
  return constant(isText ? 'literal' : undefined)
}

/** Values of which one comes out, whichever is there. */
function met(walk: Walk, nodes: readonly Node[] | undefined, at: Spot): Value {
  return meeting(
    walk,
    (nodes ?? []).map((one) => valueIn(walk, one, at)),
    at,
  )
}

/**
 * What stands behind a column is worked out only where that is NULL: if it can fail, that tells what the mask `null` hides.
 * A column that is named there may be any expression of a query in FROM.
 */
function coalesced(walk: Walk, nodes: readonly Node[], at: Spot): Value {
  const values = nodes.map((one) => valueIn(walk, one, at))
  const hidden = values.findIndex(hidesNull)
  const fails = hidden >= 0 && nodes.some((node, place) => place > hidden && !('A_Const' in node))
  return fails ? other(walk, values, at) : meeting(walk, values, at)
}

function array(walk: Walk, nodes: readonly Node[] | undefined, at: Spot): Value {
  const parts = (nodes ?? []).map((one) => valueIn(walk, one, at))
  const kind = unified(parts.map((one) => one.kind))
  const listed = kind !== undefined && isListed(kind) && !isArray(kind)
  const hidden = parts.some((one) => one.marks.length > 0)
  const shows = kind === 'numeric' && widens(parts)
  if (hidden && (!listed || shows || isTelling(parts))) return other(walk, parts, at)
  const element = kind === 'literal' ? 'text' : kind
  return derived(parts, { how: 'total', kind: listed ? `${element}[]` : undefined })
}

function branches(walk: Walk, node: Extract<Node, { CaseExpr: unknown }>, at: Spot): Value {
  const { arg, args, defresult } = node.CaseExpr
  walk.decide(arg, at.place)
  const results: Node[] = []
  for (const one of args ?? []) {
    if (!('CaseWhen' in one)) continue
    walk.decide(one.CaseWhen.expr, at.place)
    if (one.CaseWhen.result !== undefined) results.push(one.CaseWhen.result)
  }
  if (defresult !== undefined) results.push(defresult)
  return met(walk, results, at)
}

/** NULL or not NULL stays visible unless the mask is `null` (semantics §5, Predicates). */
function nullTest(walk: Walk, arg: Node | undefined, at: Spot): Value {
  if (arg !== undefined && 'ColumnRef' in arg) {
    const value = columnRef(arg.ColumnRef.fields, at.place.level)
    const shows = ({ mask }: Value['marks'][number]) =>
      mask !== undefined && mask.transform.type !== 'null' && mask.fallible !== true
    // A row of nothing but NULLs is NULL as well.
    if (value.how === 'identity' && isListed(value.kind) && value.marks.every(shows)) {
      walk.note(value.marks)
      return constant('bool')
    }
  }
  return derived([valueIn(walk, arg, at)], { how: 'total', kind: 'bool' })
}

function operation(walk: Walk, part: A_Expr, at: Spot): Value {
  const { kind, name, lexpr, rexpr } = part
  if (at.use === 'predicate') {
    if (isEquality(walk, part, at)) return constant('bool')
    const sides = [...sidesOf(walk, lexpr, at), ...sidesOf(walk, rexpr, at)]
    return derived(sides, { how: 'other', kind: undefined })
  }
  const parts = dotted(name)
  if (kind === 'AEXPR_OP' && parts !== undefined && lexpr !== undefined && rexpr !== undefined) {
    const left = valueIn(walk, lexpr, at)
    const right = valueIn(walk, rexpr, at)
    const plain = parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog')
    const found = plain ? totalOperator(parts.at(-1)!, left, right) : undefined
    if (found === undefined) return other(walk, [left, right], at)
    const value = derived([left, right], { how: 'total', kind: found.kind, copies: found.copies })
    return computed(walk, value, at)
  }
  if (kind === 'AEXPR_OP')
    return other(walk, [...sidesOf(walk, lexpr, at), ...sidesOf(walk, rexpr, at)], at)
  // Patterns, IN, BETWEEN, NULLIF, ANY and ALL: what they say is which values are there.
  const judged = { place: at.place, use: 'predicate' as const }
  return other(walk, [...sidesOf(walk, lexpr, judged), ...sidesOf(walk, rexpr, judged)], at)
}

/** With constants that stand for pseudonyms of the column: `=`, IN, `= ANY`. */
function isEquality(walk: Walk, { kind, name, lexpr, rexpr }: A_Expr, at: Spot): boolean {
  const names = dotted(name) ?? []
  const plain = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog')
  if (!plain || names.at(-1) !== '=') return false
  const column = (node: Node | undefined) =>
    node !== undefined && 'ColumnRef' in node
      ? columnRef(node.ColumnRef.fields, at.place.level)
      : CLEAR
  const [left, right] = [column(lexpr), column(rexpr)]
  if (kind === 'AEXPR_OP') return walk.opensWith(left, [rexpr]) || walk.opensWith(right, [lexpr])
  if (kind === 'AEXPR_IN' && rexpr !== undefined && 'List' in rexpr)
    return walk.opensWith(left, rexpr.List.items ?? [])
  if (kind !== 'AEXPR_OP_ANY' || rexpr === undefined) return false
  if ('A_ArrayExpr' in rexpr) return walk.opensWith(left, rexpr.A_ArrayExpr.elements ?? [])
  return walk.opensWith(left, [rexpr], true)
}

function sidesOf(walk: Walk, node: Node | undefined, at: Spot): Value[] {
  if (node === undefined) return []
  if ('List' in node) return (node.List.items ?? []).map((one) => valueIn(walk, one, at))
  return [valueIn(walk, node, at)]
}

function cast(walk: Walk, arg: Node | undefined, type: TypeName | undefined, at: Spot): Value {
  const value = valueIn(walk, arg, at)
  const kind = kindOfName(walk, type)
  // A parameter may be as long as a message.
  if (value.how === 'constant')
    return { ...constant(kind), copies: isWritten(arg) ? value.copies : UNBOUNDED }
  const sized = (type?.typmods ?? []).length > 0
  if (castIsTotal(value.kind, kind, sized) && !castShows(value, kind))
    return derived([value], { how: 'total', kind })
  // Without a mask in it, only what it turns into matters.
  if (value.marks.length === 0) return derived([value], { how: 'other', kind })
  return other(walk, [value], at)
}

/** It stands in the statement's text. */
function isWritten(node: Node | undefined): boolean {
  if (node !== undefined && 'TypeCast' in node) return isWritten(node.TypeCast.arg)
  return node === undefined || 'A_Const' in node
}

function kindOfName(walk: Walk, type: TypeName | undefined): Kind {
  const names = dotted(type?.names) ?? []
  const name = names.at(-1) ?? ''
  if (names.length > 2 || type?.setof === true || !walk.world.isBuiltInType(names.at(-2), name))
    return undefined
  const kind = kindNamed(name)
  return kind !== undefined && type?.arrayBounds !== undefined ? `${kind}[]` : kind
}

function subLink(walk: Walk, link: SubLink, at: Spot): Value {
  const { subselect, subLinkType, testexpr } = link
  if (subselect === undefined) return CLEAR
  const outputs = steady(walk.statement(subselect, at.place, 'inner'))
  const values = outputs.list.map((one) => one.value)
  if (outputs.open !== undefined) values.push(outputs.open)
  if (subLinkType === 'EXISTS_SUBLINK') return constant('bool')
  const only = values.length === 1 ? values[0]! : undefined
  if (subLinkType === 'EXPR_SUBLINK' && only !== undefined) {
    if (at.use === 'predicate') walk.decides(only)
    return only
  }
  if (subLinkType === 'ARRAY_SUBLINK' && only !== undefined) {
    if (at.use === 'predicate') walk.decides(only)
    const scalar = isListed(only.kind) && !isArray(only.kind)
    if (!scalar) return other(walk, [only], at)
    return derived([only], { how: 'total', kind: `${only.kind}[]` })
  }
  // IN, ANY, ALL, and comparisons of rows: what they say is which values are there.
  const tested = sidesOf(walk, testexpr, { place: at.place, use: 'predicate' })
  for (const value of values) walk.decides(value)
  return other(walk, [...tested, ...values], at)
}

/** `(t).f`, `(x).f`, `a[1]`, `a[1:2]`. */
function indirection(walk: Walk, node: Extract<Node, { A_Indirection: unknown }>, at: Spot): Value {
  const { arg, indirection: steps = [] } = node.A_Indirection
  const first = stringOf(steps[0])
  // `(t).f` is read as `t.f`.
  if (arg !== undefined && 'ColumnRef' in arg && first !== undefined && steps.length === 1) {
    const fields = [...(arg.ColumnRef.fields ?? []), steps[0]!]
    return valueIn(walk, { ColumnRef: { fields } }, at)
  }
  const value = valueIn(walk, arg, at)
  // The place of an element decides which one comes out; which field is read is not followed.
  const positions = steps.filter((step) => stringOf(step) === undefined)
  inside(walk, positions, { place: at.place, use: 'predicate' })
  return other(walk, [value], at)
}
