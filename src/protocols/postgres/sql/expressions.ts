/**
 * Pure. Walks expressions: functions, operators, casts, columns, literals and parameters, in whatever they stand.
 *
 * A kind of node that is not listed here is one that nobody has read about: it makes the statement opaque.
 */
import { constantText } from './constants.ts'
import {
  argumentsOf,
  judgeAttribute,
  judgeCall,
  judgeOperator,
  judgeTypeName,
  splitName,
} from './functions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part, stringOf } from './nodes.ts'
import type { Node } from './parse.ts'
import { itemNamed, lookUp, type Scope, starred, wholeRow } from './scope.ts'
import { judgeSetConfig } from './set-config.ts'

/** Kinds that do nothing but hold others, and kinds that hold nothing of interest. */
const PLAIN = new Set(
  `A_ArrayExpr A_Indices A_Star Alias BitString BoolExpr Boolean BooleanTest CaseWhen CoalesceExpr
  CollateClause CurrentOfExpr DefElem Float GroupingFunc GroupingSet IndexElem Integer JsonAggConstructor
  JsonArgument JsonArrayAgg JsonArrayConstructor JsonBehavior JsonFormat JsonFuncExpr
  JsonIsPredicate JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonOutput JsonParseExpr
  JsonReturning JsonScalarExpr JsonSerializeExpr JsonTableColumn JsonTablePathSpec JsonValueExpr
  List MergeSupportFunc MinMaxExpr MultiAssignRef NamedArgExpr NullTest RangeTableFuncCol ResTarget
  RowExpr SQLValueFunction JsonArrayQueryConstructor TypeCast SetToDefault String WindowDef XmlExpr XmlSerialize`.split(
    /\s+/,
  ),
)

/** Fields that hold the inside of a TypeName. */
const TYPE_FIELDS = new Set(['typeName', 'argType', 'returnType', 'ofTypename'])

/** Any value of a tree: a node, the inside of one, or a list. */
export function expression(g: Gathered, scope: Scope, value: unknown): void {
  if (Array.isArray(value)) {
    for (const one of value) expression(g, scope, one)
    return
  }
  if (!isPart(value)) return
  for (const key in value) {
    const inside = value[key]
    if (TYPE_FIELDS.has(key)) judgeTypeName(g, inside)
    else if (isKind(key)) node(g, scope, { kind: key, inside: isPart(inside) ? inside : {} })
    else expression(g, scope, inside)
  }
}

/** Kinds begin with a capital, fields do not. */
export function isKind(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 65 && first <= 90
}

type Handler = (g: Gathered, scope: Scope, inside: Part) => void

/** Kinds that mean something by themselves. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['A_Const', literal],
  ['ParamRef', parameter],
  ['ColumnRef', columnRef],
  ['FuncCall', functionCall],
  ['A_Expr', operation],
  ['SubLink', subLink],
  ['SelectStmt', (g, scope, inside) => void g.walkers.query(g, scope, inside)],
  ['TypeName', (g, _, inside) => judgeTypeName(g, inside)],
  ['A_Indirection', indirection],
  ['CaseExpr', caseExpression],
  ['SortBy', sortBy],
])

function node(g: Gathered, scope: Scope, one: { kind: string; inside: Part }): void {
  const handler = HANDLERS.get(one.kind)
  if (handler !== undefined) handler(g, scope, one.inside)
  else if (PLAIN.has(one.kind)) {
    if (one.kind === 'A_ArrayExpr') g.unifies = true
    expression(g, scope, one.inside)
  } else g.notUnderstood(`${one.kind} is a kind of expression that the gateway does not know.`)
}

function parameter(g: Gathered, _: Scope, inside: Part): void {
  g.parameters = Math.max(g.parameters, Number(inside.number ?? 0))
}

/** CASE a WHEN b compares. */
function caseExpression(g: Gathered, scope: Scope, inside: Part): void {
  if (inside.arg !== undefined) judgeOperator(g, ['='])
  expression(g, scope, inside)
}

function sortBy(g: Gathered, scope: Scope, inside: Part): void {
  if (inside.useOp !== undefined) judgeOperator(g, dotted(inside.useOp as Node[]) ?? [])
  expression(g, scope, inside.node)
}

function literal(g: Gathered, _: Scope, inside: Part): void {
  const text = constantText(inside)
  if (text !== undefined) g.literals.add(text)
}

function columnRef(g: Gathered, scope: Scope, inside: Part): void {
  const fields = (inside.fields ?? []) as readonly Node[]
  const last = fields.at(-1)
  if (last !== undefined && 'A_Star' in last) {
    const qualifier = dotted(fields.toSpliced(-1)) ?? []
    for (const item of starred(scope, qualifier))
      for (const column of wholeRow(item)) g.columns.add(column)
    return
  }
  const names = dotted(fields)
  if (names === undefined || names.length === 0) {
    g.notUnderstood('A column reference could not be read.')
    return
  }
  const found = lookUp(scope, names)
  if (itemNamed(scope, names.at(-1)!, names.at(-2)) !== undefined) g.takesRows = true
  for (const column of found.columns) g.columns.add(column)
  if (found.attribute !== undefined) judgeAttribute(g, found.attribute)
}

function functionCall(g: Gathered, scope: Scope, inside: Part): void {
  const parts = dotted(inside.funcname as Node[] | undefined)
  const count = argumentsOf(inside).length
  if (parts === undefined || parts.length === 0) {
    g.notUnderstood('A function name could not be read.')
    return
  }
  const { schema, name } = splitName(parts)
  if (name === 'set_config') judgeSetConfig(g, scope, inside)
  judgeCall(g, { schema, name, count })
  readDifferently(g, inside, { schema, name, count })
  expression(g, scope, inside.args)
  expression(g, scope, inside.agg_order)
  expression(g, scope, inside.agg_filter)
  expression(g, scope, inside.over)
}

/** Names that this grammar qualifies with pg_catalog and an older server does not. */
function readDifferently(
  g: Gathered,
  inside: Part,
  call: { schema: string | undefined; name: string; count: number },
): void {
  const { serverVersion } = g.trust.names.catalogue
  if (serverVersion >= 160000 || call.schema !== 'pg_catalog') return
  if (call.name === 'json_object') judgeCall(g, { ...call, schema: undefined })
  if (call.name === 'system_user' && inside.funcformat === 'COERCE_SQL_SYNTAX')
    g.notUnderstood('The target reads system_user as a column.')
}

/** Operators that constructs of their own spelling stand for. */
const SPELLED: Readonly<Record<string, readonly string[]>> = {
  AEXPR_BETWEEN: ['>=', '<='],
  AEXPR_NOT_BETWEEN: ['<', '>'],
  AEXPR_BETWEEN_SYM: ['>=', '<='],
  AEXPR_NOT_BETWEEN_SYM: ['<', '>'],
}

function operation(g: Gathered, scope: Scope, inside: Part): void {
  const spelled = SPELLED[String(inside.kind)]
  const parts = dotted(inside.name as Node[] | undefined)
  if (spelled !== undefined) for (const one of spelled) judgeOperator(g, [one])
  else if (parts === undefined || parts.length === 0)
    g.notUnderstood('An operator name could not be read.')
  else judgeOperator(g, parts)
  expression(g, scope, inside.lexpr)
  expression(g, scope, inside.rexpr)
}

function subLink(g: Gathered, scope: Scope, inside: Part): void {
  if (inside.subLinkType === 'ARRAY_SUBLINK') g.unifies = true
  if (inside.testexpr !== undefined) {
    const operator = dotted(inside.operName as Node[] | undefined) ?? []
    judgeOperator(g, operator.length > 0 ? operator : ['=']) // IN
    expression(g, scope, inside.testexpr)
  }
  const select = inside.subselect
  if (isPart(select) && isPart(select.SelectStmt)) g.walkers.query(g, scope, select.SelectStmt)
  else g.notUnderstood('A sub-select could not be read.')
}

function indirection(g: Gathered, scope: Scope, inside: Part): void {
  const steps = (inside.indirection ?? []) as readonly Node[]
  const arg = inside.arg
  const column = isPart(arg) && isPart(arg.ColumnRef) ? arg.ColumnRef : undefined
  const first = stringOf(steps[0])
  if (column !== undefined && first !== undefined)
    // `(t).f` is read as `t.f`.
    columnRef(g, scope, { fields: [...((column.fields ?? []) as Node[]), steps[0]!] })
  expression(g, scope, arg)
  for (const step of steps) {
    const name = stringOf(step)
    if (name === undefined) expression(g, scope, step)
    else if (column === undefined || step !== steps[0]) judgeAttribute(g, name)
  }
}
