/**
 * Pure. FROM: relations, CTEs, sub-selects, functions and joins, each with the columns that it offers.
 * https://www.postgresql.org/docs/current/queries-table-expressions.html
 */
import { dotted, isPart, stringOf } from '../nodes.ts'
import type { JoinExpr, Node, RangeFunction } from '../parse.ts'
import { rangeItem } from './relation-item.ts'
import {
  type Item,
  itemOf,
  type Level,
  mixture,
  type Named,
  NO_OUTPUTS,
  type Outputs,
  renamed,
} from './scope.ts'
import { CLEAR, constant } from './value.ts'
import type { Place, Walk } from './walk.ts'

/** What a part of FROM offers: by name, and to a star. */
export interface Offer {
  readonly items: readonly Item[]
  readonly star: Outputs
}

/** `beside`: items to the left, which LATERAL sees. */
export function from(
  walk: Walk,
  nodes: readonly Node[] | undefined,
  at: { outer: Place; beside: readonly Item[] },
): Offer {
  if (nodes?.length === 1) return one(walk, nodes[0]!, at)
  let offer: Offer = { items: [], star: NO_OUTPUTS }
  for (const node of nodes ?? []) {
    const next = one(walk, node, { ...at, beside: [...at.beside, ...offer.items] })
    offer = { items: [...offer.items, ...next.items], star: appended(offer.star, next.star) }
  }
  return offer
}

function appended(left: Outputs, right: Outputs): Outputs {
  const opens = [left.open, right.open].filter((open) => open !== undefined)
  return {
    list: left.list.length === 0 ? right.list : [...left.list, ...right.list],
    open: opens.length === 0 ? undefined : mixture(opens),
    shaky: left.shaky || right.shaky,
  }
}

interface Beside {
  readonly outer: Place
  readonly beside: readonly Item[]
}

function offered(item: Item): Offer {
  return { items: [item], star: item.outputs }
}

function levelOf(items: readonly Item[], outer: Place): Level {
  return { items, star: NO_OUTPUTS, definite: false, parent: outer.level }
}

function one(walk: Walk, node: Node, at: Beside): Offer {
  const { outer, beside } = at
  const lateral = { ...outer, level: levelOf(beside, outer) }
  if ('RangeVar' in node) {
    const range = node.RangeVar
    const name = range.relname ?? ''
    const cte = range.schemaname === undefined ? outer.ctes.get(name) : undefined
    if (cte === undefined) return offered(rangeItem(range, walk.world))
    return offered(aliased(cte.outputs(), range.alias, name))
  }
  if ('RangeSubselect' in node) {
    const { subquery, alias, lateral: sees } = node.RangeSubselect
    if (subquery === undefined) return { items: [], star: NO_OUTPUTS }
    const outputs = walk.statement(subquery, sees === true ? lateral : outer, 'inner')
    return offered(aliased(outputs, alias, ''))
  }
  if ('JoinExpr' in node) return joined(walk, node.JoinExpr, at)
  if ('RangeTableSample' in node) {
    const { relation, args, repeatable } = node.RangeTableSample
    walk.decide(args, lateral)
    walk.decide(repeatable, lateral)
    return relation === undefined ? { items: [], star: NO_OUTPUTS } : one(walk, relation, at)
  }
  if ('RangeFunction' in node) return offered(functionItem(walk, node.RangeFunction, lateral))
  // XMLTABLE, JSON_TABLE and what is not known: nothing masked may go in.
  const inside = Object.values(node)[0] as unknown
  const { alias, ...rest } = isPart(inside) ? inside : { alias: undefined }
  walk.forbid(walk.value({ Unknown: rest } as unknown as Node, lateral).marks)
  const isTable = 'RangeTableFunc' in node || 'JsonTable' in node
  const list = isTable ? tableColumns(rest.columns) : []
  const open = list.length === 0 ? CLEAR : undefined
  return offered(aliased({ list, open, shaky: false }, alias as Alias | undefined, ''))
}

/** Columns that XMLTABLE or JSON_TABLE say they have: nested ones stand behind the others. */
function tableColumns(columns: unknown): readonly Named[] {
  const own: Named[] = []
  const nested: Named[] = []
  for (const one of Array.isArray(columns) ? columns : []) {
    const inside = isPart(one) ? (one.RangeTableFuncCol ?? one.JsonTableColumn) : undefined
    if (!isPart(inside)) continue
    const name = inside.colname ?? inside.name
    if (typeof name === 'string') own.push({ name, value: CLEAR })
    nested.push(...tableColumns(inside.columns))
  }
  return [...own, ...nested]
}

interface Alias {
  readonly aliasname?: string
  readonly colnames?: Node[]
}

function aliased(outputs: Outputs, alias: Alias | undefined, name: string): Item {
  const names = (alias?.colnames ?? []).map((each) => stringOf(each) ?? '')
  return itemOf(alias?.aliasname ?? name, renamed(outputs, names))
}

/** Functions whose only column has the name of the table alias, or their own. */
const ONE_COLUMN = new Set([
  'generate_series',
  'unnest',
  'regexp_split_to_table',
  'string_to_table',
])

/** Nothing masked may go into a function that makes rows: how many come out would tell. */
function functionItem(walk: Walk, part: RangeFunction, place: Place): Item {
  walk.forbid(walk.value({ Unknown: part.functions } as unknown as Node, place).marks)
  const names = (part.alias?.colnames ?? []).map((each) => stringOf(each) ?? '')
  const defined = (part.coldeflist ?? []).flatMap((each) =>
    'ColumnDef' in each ? [each.ColumnDef.colname ?? ''] : [],
  )
  const called = calledName(part)
  const alias = part.alias?.aliasname
  const plain = called !== undefined && ONE_COLUMN.has(called) && part.is_rowsfrom !== true
  const known = defined.length > 0 ? defined : plain ? [alias ?? called] : []
  const list: Named[] = known.map((name, at) => ({ name: names[at] ?? name, value: CLEAR }))
  for (const name of names.toSpliced(0, known.length)) list.push({ name, value: CLEAR })
  const isClosed = defined.length > 0 || (plain && names.length <= 1 && hasOneArgument(part))
  if (part.ordinality === true && isClosed && names.length <= known.length)
    list.push({ name: 'ordinality', value: constant('int8') })
  const outputs = { list, open: isClosed ? undefined : CLEAR, shaky: false }
  return itemOf(alias ?? called ?? '', outputs)
}

function calledNode(part: RangeFunction): Extract<Node, { FuncCall: unknown }> | undefined {
  const first = part.functions?.[0]
  const items = first !== undefined && 'List' in first ? first.List.items : undefined
  const call = items?.[0]
  return call !== undefined && 'FuncCall' in call ? call : undefined
}

function calledName(part: RangeFunction): string | undefined {
  return dotted(calledNode(part)?.FuncCall.funcname)?.at(-1)
}

/** unnest(a, b) makes two columns, and unnest of rows as many as a row has. */
function hasOneArgument(part: RangeFunction): boolean {
  const { funcname, args } = calledNode(part)?.FuncCall ?? {}
  if (dotted(funcname)?.at(-1) !== 'unnest') return true
  const only = args?.length === 1 ? args[0] : undefined
  return only !== undefined && ('A_ArrayExpr' in only || isLiteralArray(only))
}

function isLiteralArray(node: Node): boolean {
  const inner = 'TypeCast' in node ? node.TypeCast.arg : undefined
  return inner !== undefined && ('A_ArrayExpr' in inner || 'A_Const' in inner)
}

function joined(walk: Walk, join: JoinExpr, { outer, beside }: Beside): Offer {
  const nothing: Offer = { items: [], star: NO_OUTPUTS }
  const left = join.larg === undefined ? nothing : one(walk, join.larg, { outer, beside })
  const right =
    join.rarg === undefined
      ? nothing
      : one(walk, join.rarg, { outer, beside: [...beside, ...left.items] })
  const items = [...left.items, ...right.items]
  walk.decide(join.quals, { ...outer, level: levelOf(items, outer) })
  const using = dotted(join.usingClause) ?? []
  const names = join.isNatural === true ? shared(left.star, right.star) : using
  const merged = mergedOf(walk, names, { left, right, isNatural: join.isNatural === true })
  const star = names.length === 0 ? appended(left.star, right.star) : starOf(merged, left, right)
  const both = join.join_using_alias?.aliasname
  const extra = both === undefined ? [] : [itemOf(both, { ...NO_OUTPUTS, list: merged })]
  const alias = join.alias
  if (alias === undefined) return { items: [...items, ...extra], star }
  // A renamed join hides what it is made of.
  const item = aliased(star, alias, '')
  return { items: [item, ...extra], star: item.outputs }
}

/** USING and NATURAL make one column of two, and compare them. */
function mergedOf(
  walk: Walk,
  names: readonly string[],
  { left, right, isNatural }: { left: Offer; right: Offer; isNatural: boolean },
): Named[] {
  // Which names two sides share may change before it runs.
  if (isNatural)
    for (const side of [left.star, right.star]) {
      if (side.open !== undefined) walk.decides(side.open)
      const other = side === left.star ? right.star : left.star
      if (other.open !== undefined) for (const { value } of side.list) walk.decides(value)
    }
  return names.map((name) => {
    const values = [left.star, right.star].flatMap((side) => {
      const found = side.list.filter((each) => each.name === name || each.name === undefined)
      const seen = found.map((each) => each.value)
      return side.open === undefined ? seen : [...seen, side.open]
    })
    for (const value of values) walk.decides(value)
    const value = mixture(values)
    // It is neither of the two any more where both are there.
    return {
      name,
      value: value.how === 'identity' && value.marks.length > 0 ? faded(value) : value,
    }
  })
}

function faded(value: Named['value']): Named['value'] {
  return { ...value, how: 'total' }
}

function shared(left: Outputs, right: Outputs): string[] {
  const names = new Set(right.list.map((each) => each.name))
  return left.list.flatMap(({ name }) => (name !== undefined && names.has(name) ? [name] : []))
}

function starOf(merged: readonly Named[], left: Offer, right: Offer): Outputs {
  const names = new Set(merged.map((each) => each.name))
  const rest = appended(left.star, right.star)
  return { ...rest, list: [...merged, ...rest.list.filter((each) => !names.has(each.name))] }
}
