/**
 * Pure. Function calls: what one makes of its arguments, and what besides its arguments decides its result (ORDER BY,
 * DISTINCT, FILTER, windows).
 */
import { CARRIER_FUNCTIONS } from '../masked-code.ts'
import { dotted } from '../nodes.ts'
import type { FuncCall, Node, WindowDef } from '../parse.ts'
import { chooses } from './sizes.ts'
import { computed, other, type Spot } from './spot.ts'
import { totalCall } from './total-functions.ts'
import { constant, derived, type Value } from './value.ts'
import type { Place, Walk } from './walk.ts'

export function call(walk: Walk, node: FuncCall, at: Spot): Value {
  const names = dotted(node.funcname)
  const name = names?.at(-1) ?? ''
  // What has an effect carries away what it is given, in a predicate too.
  const spot: Spot = CARRIER_FUNCTIONS.test(name) ? { ...at, use: 'value' } : at
  const args = (node.args ?? []).map((one) => walk.value(one, spot.place, spot.use))
  const order = node.agg_order ?? []
  // WITHIN GROUP (ORDER BY x) hands x on; ORDER BY in an ordinary aggregate only sorts.
  const within = node.agg_within_group === true
  const handed = within ? order.map((one) => walk.value(one, spot.place, spot.use)) : []
  if (!within) walk.decide(order, at.place)
  if (node.agg_distinct === true) for (const one of args) walk.decides(one)
  walk.decide(node.agg_filter, at.place)
  if (node.over !== undefined) window(walk, node.over, at.place)
  if (node.agg_star === true && name === 'count') return constant('int8')
  if (spot.use === 'predicate') return derived(args, { how: 'other', kind: undefined })
  const plain = handed.length === 0 && node.func_variadic !== true && names !== undefined
  const known =
    plain &&
    names.length <= 2 &&
    walk.world.isBuiltInFunction(names.at(-2), name) &&
    !mayFail(name, node.args ?? [])
  const total = known ? totalCall(name, args) : undefined
  const weighs = chooses(name, args)
  // Rows of a window are many.
  const isMany = node.over !== undefined && (weighs || args.some((one) => one.weighs))
  if (total === undefined || isMany) return other(walk, [...args, ...handed], spot)
  const { kind, copies, isAggregate } = total
  const how = isAggregate ? 'aggregate' : 'total'
  return computed(walk, derived(args, { how, kind, copies, weighs }), spot)
}

/**
 * Functions of the committed list that fail for some constants, and then only where there is a value: NULL or not tells.
 * `escape` writes some bytes longer than others.
 */
function mayFail(name: string, args: readonly Node[]): boolean {
  const [, second, third] = args
  if (name === 'substr' || name === 'substring') return third !== undefined && !isLength(third)
  return name === 'encode' && !(second !== undefined && isEncoding(second))
}

function isLength(node: Node): boolean {
  return 'A_Const' in node && node.A_Const.ival !== undefined && (node.A_Const.ival.ival ?? 0) >= 0
}

function isEncoding(node: Node): boolean {
  const text = 'A_Const' in node ? node.A_Const.sval?.sval : undefined
  return text !== undefined && ENCODINGS.has(text.toLowerCase())
}

const ENCODINGS: ReadonlySet<string> = new Set(['base64', 'hex'])

/** The inside of OVER or of one WINDOW. */
export function window(walk: Walk, part: WindowDef, place: Place): void {
  walk.decide(part.partitionClause, place)
  walk.decide(part.orderClause, place)
  const bounds: (Node | undefined)[] = [part.startOffset, part.endOffset]
  walk.decide(bounds, place)
}
