/**
 * Pure. Which part of a document a jsonb expression reads, where constants alone say it: `d->'a'->>'b'`, `d#>'{a,b}'`,
 * `d['a']`, jsonb_extract_path(d, 'a'), `d ? 'a'`, `d @> '{"a": 1}'`. One that reads nothing of what a mask hides inside
 * the document depends on nothing masked. Everything else is left to those who judge the column as a whole.
 *
 * jsonb only: reading a key of `json` takes the whole text apart, and fails by what it finds anywhere in it.
 * https://www.postgresql.org/docs/current/functions-json.html
 */
import type { PathMask, PathTransform } from '../../../../mask/transform-spec.ts'
import { dotted, isPart } from '../nodes.ts'
import type { A_Expr, FuncCall, JsonFuncExpr, Node } from '../parse.ts'
import { type Step, stepsOfPath } from './json-path.ts'
import { columnRef } from './scope.ts'
import type { Source, Value } from './value.ts'
import type { Place, Walk } from './walk.ts'

interface Read {
  readonly base: Value
  /** Ways to all that is read. */
  readonly ways: readonly (readonly Step[])[]
  /** Only whether something is there, and of which kind. */
  readonly shape: boolean
  /** undefined: of a type that the expression names. */
  readonly kind: 'jsonb' | 'text' | 'bool' | undefined
}

/** What the expression gives where it reads past everything that enforced masks hide; undefined: nobody knows. */
export function besidesMasks(walk: Walk, node: Node, place: Place): Value | undefined {
  const read = readOf(walk, node, place)
  if (read === undefined) return undefined
  const source = documentOf(read.base)
  if (source === undefined) return undefined
  const { mask } = source
  const met = mask.transform.paths.filter((one) =>
    read.ways.some((way) => meets(way, one.path, read.shape)),
  )
  if (met.some((one) => !one.monitor)) return undefined
  walk.note([source])
  const marks = met.length === 0 ? [] : [watched(source, met)]
  return {
    columns: read.base.columns,
    marks,
    how: 'total',
    kind: read.kind,
    copies: 1,
    weighs: false,
    fields: undefined,
  }
}

/**
 * Storing into a part of what a mask hides: whether that fails, for a scalar in the place of an object or a place beyond the
 * end of an array, says what is there. `steps`: of `SET d['a']['b'] = …`, whose last one is what is stored.
 */
export function storesInside(value: Value, steps: readonly Node[] | undefined): boolean {
  if (value.marks.length === 0 || !steps?.some((step) => 'A_Indices' in step)) return false
  const source = documentOf(value)
  const into = steps.toSpliced(-1).map(subscript)
  if (source === undefined || !areKnown(into)) return true
  return source.mask.transform.paths.some((one) => !one.monitor && meets(into, one.path, true))
}

type Masked = NonNullable<Source['mask']>
type Document = Source & { readonly mask: Masked & { readonly transform: PathTransform } }

/** The column, if it stands by itself and masks hide parts of it. */
function documentOf({ how, kind, columns, marks }: Value): Document | undefined {
  const source = marks[0]
  if (how !== 'identity' || kind !== 'jsonb' || columns.length !== 1 || marks.length !== 1)
    return undefined
  if (source === undefined || source.unknown || source.mask?.fallible === true) return undefined
  return isDocument(source) ? source : undefined
}

function isDocument(source: Source): source is Document {
  return source.mask?.transform.type === 'paths'
}

/** Masks that only monitor hide it in the record, and nowhere else. */
function watched(source: Document, paths: readonly PathMask[]): Source {
  return { ...source, mask: { ...source.mask, monitor: true, transform: { type: 'paths', paths } } }
}

/** What is read and what is hidden have something in common. */
function meets(way: readonly Step[], path: readonly string[], shape: boolean): boolean {
  const [step, ...rest] = way
  const [key, ...deeper] = path
  if (key === undefined) return true
  // Something is hidden in what is read; which keys there are is not.
  if (step === undefined) return !shape
  const inPlace = step === 'place' || 'either' in step
  if (inPlace && meets(rest, path, shape)) return true
  if (step === 'place') return false
  const named = 'key' in step ? step.key : step.either
  return named === key && meets(rest, deeper, shape)
}

const STEPS_MAX = 50

function readOf(walk: Walk, node: Node, place: Place): Read | undefined {
  if ('A_Expr' in node) return operated(walk, node.A_Expr, place)
  if ('JsonFuncExpr' in node) return queried(walk, node.JsonFuncExpr, place)
  const way = wayOf(walk, node, place)
  return way === undefined ? undefined : { ...way, ways: [way.steps], shape: false, kind: way.kind }
}

function operated(walk: Walk, part: A_Expr, place: Place): Read | undefined {
  const name = operatorOf(part)
  const { lexpr, rexpr } = part
  if (name === undefined || lexpr === undefined || rexpr === undefined) return undefined
  if (name === '?' || name === '@>') {
    const way = wayOf(walk, lexpr, place)
    if (way?.kind !== 'jsonb') return undefined
    const { base, steps } = way
    if (name === '?')
      return textOf(rexpr) === undefined
        ? undefined
        : { base, ways: [steps], shape: true, kind: 'bool' }
    const inside = leavesOf(rexpr)
    const ways = inside?.map((leaf) => [...steps, ...leaf])
    return ways === undefined ? undefined : { base, ways, shape: false, kind: 'bool' }
  }
  const way = wayOf(walk, { A_Expr: part }, place)
  return way === undefined ? undefined : { ...way, ways: [way.steps], shape: false, kind: way.kind }
}

const RETURNS = { JSON_VALUE_OP: 'text', JSON_QUERY_OP: 'jsonb', JSON_EXISTS_OP: 'bool' } as const

/** JSON_VALUE, JSON_QUERY and JSON_EXISTS by a constant path; what they fail by is what they read. */
function queried(walk: Walk, part: JsonFuncExpr, place: Place): Read | undefined {
  const { op, context_item: item, pathspec, passing, output, on_empty, on_error } = part
  if (op === undefined || !Object.hasOwn(RETURNS, op) || passing !== undefined) return undefined
  if (item?.raw_expr === undefined || pathspec === undefined) return undefined
  if (item.format?.format_type !== 'JS_FORMAT_DEFAULT') return undefined
  const isPlain = [on_empty?.expr, on_error?.expr].every(
    (one) => one === undefined || 'A_Const' in one,
  )
  const path = literalOf(pathspec)
  const steps = path === undefined ? undefined : stepsOfPath(path)
  const way = steps && isPlain ? wayOf(walk, item.raw_expr, place) : undefined
  if (steps === undefined || way?.kind !== 'jsonb') return undefined
  const kind = output === undefined ? RETURNS[op as keyof typeof RETURNS] : undefined
  const ways = [[...way.steps, ...steps]]
  return { base: way.base, ways, shape: op === 'JSON_EXISTS_OP', kind }
}

interface Way {
  readonly base: Value
  readonly steps: readonly Step[]
  readonly kind: 'jsonb' | 'text'
}

/** A column, and the constant steps into it. */
function wayOf(walk: Walk, node: Node, place: Place, depth = 0): Way | undefined {
  if (depth > STEPS_MAX) return undefined
  if ('ColumnRef' in node) {
    const base = columnRef(node.ColumnRef.fields, place.level)
    return { base, steps: [], kind: 'jsonb' }
  }
  const taken = takenOf(walk, node)
  if (taken === undefined) return undefined
  const inner = wayOf(walk, taken.from, place, depth + 1)
  if (inner?.kind !== 'jsonb') return undefined
  return { base: inner.base, steps: [...inner.steps, ...taken.steps], kind: taken.kind }
}

interface Taken {
  readonly from: Node
  readonly steps: readonly Step[]
  readonly kind: 'jsonb' | 'text'
}

function takenOf(walk: Walk, node: Node): Taken | undefined {
  if ('A_Expr' in node) return byOperator(node.A_Expr)
  if ('FuncCall' in node) return byFunction(walk, node.FuncCall)
  if (!('A_Indirection' in node)) return undefined
  const { arg, indirection = [] } = node.A_Indirection
  const steps = indirection.map(subscript)
  if (arg === undefined || !areKnown(steps)) return undefined
  return { from: arg, steps, kind: 'jsonb' }
}

function byOperator(part: A_Expr): Taken | undefined {
  const { lexpr: from, rexpr } = part
  const name = operatorOf(part)
  if (from === undefined || rexpr === undefined) return undefined
  if (name === '->' || name === '->>') {
    const step = stepOf(rexpr)
    if (step === undefined) return undefined
    return { from, steps: [step], kind: name === '->' ? 'jsonb' : 'text' }
  }
  if (name !== '#>' && name !== '#>>') return undefined
  const steps = pathOf(rexpr)
  return steps && { from, steps, kind: name === '#>' ? 'jsonb' : 'text' }
}

function byFunction(walk: Walk, part: FuncCall): Taken | undefined {
  const names = dotted(part.funcname)
  const name = names?.at(-1)
  if (names === undefined || names.length > 2 || name === undefined) return undefined
  if (name !== 'jsonb_extract_path' && name !== 'jsonb_extract_path_text') return undefined
  if (!walk.world.isBuiltInFunction(names.at(-2), name) || !isPlainCall(part)) return undefined
  const [from, ...keys] = part.args ?? []
  const steps = keys.map((one) => eitherOf(textOf(one)))
  if (from === undefined || !areKnown(steps)) return undefined
  return { from, steps, kind: name === 'jsonb_extract_path' ? 'jsonb' : 'text' }
}

/** Nothing but arguments: no VARIADIC, DISTINCT, ORDER BY, FILTER, OVER. */
function isPlainCall(part: FuncCall): boolean {
  const known = new Set(['funcname', 'args', 'funcformat', 'location'])
  return Object.keys(part).every((key) => known.has(key))
}

function areKnown(steps: readonly (Step | undefined)[]): steps is readonly Step[] {
  return !steps.includes(undefined)
}

function operatorOf({ kind, name }: A_Expr): string | undefined {
  const parts = dotted(name)
  const isPlain = parts?.length === 1 || (parts?.length === 2 && parts[0] === 'pg_catalog')
  return kind === 'AEXPR_OP' && isPlain ? parts.at(-1) : undefined
}

/** `['a']`, `[1]`, which in an object is the key "1", unlike `-> 1`; a slice is none. */
function subscript(node: Node): Step | undefined {
  if (!('A_Indices' in node)) return undefined
  const inside: unknown = node.A_Indices
  if (!isPart(inside) || inside.is_slice !== undefined || inside.lidx !== undefined)
    return undefined
  const uidx = inside.uidx as unknown as Node
  if (!isPart(uidx)) return undefined
  if ('A_Const' in uidx && uidx.A_Const.ival !== undefined)
    return { either: String(uidx.A_Const.ival.ival ?? 0) }
  const step = stepOf(uidx)
  return step === 'place' ? undefined : step
}

function stepOf(node: Node): Step | undefined {
  if ('A_Const' in node && node.A_Const.ival !== undefined) return 'place'
  if ('TypeCast' in node) {
    const type = castName(node)
    const arg = node.TypeCast.arg
    const isNumber = arg !== undefined && 'A_Const' in arg && arg.A_Const.ival !== undefined
    if (isNumber) return type === 'int4' || type === 'int2' ? 'place' : undefined
  }
  return eitherOf(textOf(node))
}

/** A text that could be the number of a place means that as well. */
function eitherOf(text: string | undefined): Step | undefined {
  if (text === undefined) return undefined
  return /^\s*[+-]?\d+\s*$/.test(text) ? { either: text } : { key: text }
}

/** A text written out, with or without `::text`. */
function textOf(node: Node): string | undefined {
  if ('TypeCast' in node) {
    const { arg } = node.TypeCast
    return castName(node) === 'text' && arg !== undefined && 'A_Const' in arg
      ? literalOf(arg)
      : undefined
  }
  return literalOf(node)
}

function literalOf(node: Node): string | undefined {
  if (!('A_Const' in node)) return undefined
  const { sval } = node.A_Const
  return sval === undefined ? undefined : (sval.sval ?? '')
}

/** Of a cast to a built-in type without modifiers or bounds. */
function castName(node: Extract<Node, { TypeCast: unknown }>): string | undefined {
  const { typeName } = node.TypeCast
  const names = dotted(typeName?.names)
  const name = names?.at(-1)
  const isBare =
    (typeName?.typmods ?? []).length === 0 &&
    (typeName?.arrayBounds ?? []).length === 0 &&
    typeName?.setof !== true
  const isBuiltIn = names?.length === 1 || (names?.length === 2 && names[0] === 'pg_catalog')
  return isBare && isBuiltIn ? name : undefined
}

/** `'{a,b}'` or ARRAY['a', 'b'], with or without `::text[]`. */
function pathOf(node: Node): readonly Step[] | undefined {
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    const isTexts =
      dotted(typeName?.names)?.join('.') === 'text' && (typeName?.arrayBounds ?? []).length === 1
    return isTexts && arg !== undefined ? pathOf(arg) : undefined
  }
  if ('A_ArrayExpr' in node) {
    const steps = (node.A_ArrayExpr.elements ?? []).map((one) => eitherOf(textOf(one)))
    return areKnown(steps) ? steps : undefined
  }
  const inside = /^\{([\w .:-]+(?:,[\w .:-]+)*)\}$/.exec(literalOf(node) ?? '')?.[1]
  if (inside === undefined) return undefined
  const keys = inside.split(',').map((key) => key.replace(/^ +| +$/g, ''))
  if (keys.some((key) => key === '' || key.toLowerCase() === 'null')) return undefined
  const steps = keys.map((key) => eitherOf(key))
  return areKnown(steps) ? steps : undefined
}

/** Ways to everything that a written document holds. */
function leavesOf(node: Node): Step[][] | undefined {
  const written =
    'TypeCast' in node && castName(node) === 'jsonb' && node.TypeCast.arg !== undefined
      ? literalOf(node.TypeCast.arg)
      : literalOf(node)
  if (written === undefined) return undefined
  try {
    const found: Step[][] = []
    return collect(JSON.parse(written), [], found) ? found : undefined
  } catch {
    return undefined
  }
}

/** False: it is nested too deep. */
function collect(value: unknown, way: readonly Step[], found: Step[][]): boolean {
  if (way.length > STEPS_MAX || found.length > STEPS_MAX) return false
  if (Array.isArray(value) && value.length > 0)
    return value.every((one) => collect(one, [...way, 'place'], found))
  const keys = isPart(value) ? Object.keys(value) : []
  if (keys.length === 0) {
    found.push([...way])
    return true
  }
  return keys.every((key) =>
    collect((value as Record<string, unknown>)[key], [...way, { key }], found),
  )
}
