/**
 * Pure. Whether the analysis of a text may serve every text that differs from it only in literals, and how to make
 * the one from the other.
 *
 * Two locks. The tree may hold literals only where they are compared with a column, calculated with one, or stored:
 * no function argument, LIMIT, position, type or constant condition. And a second text with other literals must give
 * the same analysis but for `literals`, or there is no template.
 */
import type { Analysis, Statement } from './analysis.ts'
import { dotted, isPart } from './nodes.ts'
import { INTEGER_MARK, type Normalised, STRING_MARK } from './normalise.ts'
import { type Node, parse } from './parse.ts'

export interface Template {
  readonly statement: Statement
  /** Bytes of the text behind the statement's end. */
  readonly behind: number
  /** For each of `facts.literals`: which value it shows, or the text itself where it is none of them. */
  readonly literals: readonly (Slot | string)[]
}

interface Slot {
  readonly value: number
  readonly kind: 'integer' | 'negative' | 'string'
}

/** Kinds whose meaning does not hang on a literal's value. A_Const is judged by its place. */
const KINDS = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'ResTarget',
  'ColumnRef',
  'String',
  'A_Star',
  'RangeVar',
  'A_Expr',
  'BoolExpr',
  'JoinExpr',
  'NullTest',
  'List',
  'ParamRef',
  'FuncCall',
  'SortBy',
  'SubLink',
  'RangeSubselect',
  'CommonTableExpr',
  'SQLValueFunction',
  'SetToDefault',
  'IndexElem',
  'LockingClause',
  'Alias',
])

const BESIDE_COLUMN = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '%', '||'])

/** undefined: every text of this shape must be analysed by itself. */
export function templateOf(
  text: string,
  normalised: Normalised,
  { analysis, analyse }: { analysis: Analysis; analyse: (text: string) => Analysis },
): Template | undefined {
  if (analysis.opaque !== undefined || analysis.statements.length !== 1) return undefined
  const parsed = parse(text)
  if (!('statements' in parsed) || !isIndifferent(parsed.statements[0]?.stmt)) return undefined
  const probe = probeOf(normalised)
  const second = analyse(probe.text)
  const statement = second.statements[0]
  if (second.opaque !== undefined || second.statements.length !== 1 || statement === undefined)
    return undefined
  const template = {
    statement,
    behind: Buffer.byteLength(probe.text) - statement.end,
    literals: statement.facts.literals.map((literal) => slotOf(literal, probe.values)),
  }
  return equal(fill(template, text, normalised.values), analysis) ? template : undefined
}

/** The analysis of a text that has the template's shape. */
export function fill(template: Template, text: string, values: readonly string[]): Analysis {
  const { statement, behind, literals } = template
  const shown = new Set<string>() // Facts name each literal once.
  for (const literal of literals)
    shown.add(typeof literal === 'string' ? literal : show(literal, values))
  const facts = { ...statement.facts, literals: [...shown] }
  const end = Buffer.byteLength(text) - behind
  return { statements: [{ ...statement, end, facts }], opaque: undefined }
}

function show({ value, kind }: Slot, values: readonly string[]): string {
  const text = values[value] ?? ''
  if (kind === 'string') return text
  const number = Number(text)
  return String(kind === 'negative' && number !== 0 ? -number : number)
}

/** The same shape with literals that stand nowhere else. */
function probeOf({ key, values }: Normalised): { text: string; values: readonly string[] } {
  const probes: string[] = []
  const text = key.replace(/[\u0001\u0002]/g, (mark) => {
    const value = mark === INTEGER_MARK ? String(100_000_001 + probes.length) : `~${probes.length}~`
    probes.push(value)
    return mark === STRING_MARK ? `'${value}'` : value
  })
  return { text, values: values.map((_, at) => probes[at] ?? '') }
}

function slotOf(literal: string, probes: readonly string[]): Slot | string {
  const value = probes.indexOf(literal)
  if (value >= 0) return { value, kind: literal.startsWith('~') ? 'string' : 'integer' }
  const negative = literal.startsWith('-') ? probes.indexOf(literal.substring(1)) : -1
  return negative >= 0 ? { value: negative, kind: 'negative' } : literal
}

function equal(one: Analysis, other: Analysis): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function isIndifferent(stmt: Node | undefined): boolean {
  const watch = { opposites: false, or: false }
  if (stmt === undefined || !goesThrough(stmt, watch)) return false
  // `id = 1 OR id <> 1` is always true, `id = 1 OR id <> 2` is not.
  return !(watch.or && watch.opposites)
}

interface Watch {
  opposites: boolean
  or: boolean
}

/** True when no part's meaning hangs on a literal. `part` is a node, a list, or the inside of either. */
function goesThrough(part: unknown, watch: Watch): boolean {
  if (Array.isArray(part)) return part.every((one) => goesThrough(one, watch))
  if (!isPart(part)) return true
  for (const key in part) {
    const inside = part[key]
    // Kinds begin with a capital letter, fields do not.
    const isKind = key.charCodeAt(0) < 97 && isPart(inside)
    if (isKind && !goesThroughKind(key, inside, watch)) return false
    if (!isKind && !goesThroughField(key, inside, watch)) return false
  }
  return true
}

function goesThroughKind(kind: string, inside: unknown, watch: Watch): boolean {
  if (!KINDS.has(kind) || !isPart(inside)) return false
  if (kind === 'A_Expr') return ofOperator(inside, watch)
  if (kind === 'BoolExpr') {
    if (inside.boolop === 'OR_EXPR') watch.or = true
    if (inside.boolop === 'NOT_EXPR') watch.opposites = true
  }
  // The value of `SET col = literal`. In an output list its type would be the result's.
  if (kind === 'ResTarget' && isStored(inside)) return true
  return goesThrough(inside, watch)
}

/** VALUES rows may hold literals; limits must not, and no other field that holds one directly. */
function goesThroughField(key: string, inside: unknown, watch: Watch): boolean {
  if (key !== 'valuesLists' || !Array.isArray(inside)) return goesThrough(inside, watch)
  return inside.every((row) => {
    const items = isPart(row) && isPart(row.List) ? row.List.items : undefined
    return (
      Array.isArray(items) && items.every((item) => isLiteral(item) || goesThrough(item, watch))
    )
  })
}

function isStored(target: Readonly<Record<string, unknown>>): boolean {
  return (
    typeof target.name === 'string' && target.indirection === undefined && isLiteral(target.val)
  )
}

function isLiteral(node: unknown): boolean {
  return isPart(node) && 'A_Const' in node
}

function isColumn(node: unknown): boolean {
  return isPart(node) && 'ColumnRef' in node
}

function ofOperator(expression: Readonly<Record<string, unknown>>, watch: Watch): boolean {
  const name = dotted(expression.name as Node[] | undefined)
  const { kind, lexpr, rexpr } = expression
  if (name?.[0] === '<>') watch.opposites = true
  if (name === undefined || name.length !== 1) return false
  if (kind === 'AEXPR_IN') {
    const items = isPart(rexpr) && isPart(rexpr.List) ? rexpr.List.items : undefined
    return isColumn(lexpr) && Array.isArray(items) && items.every(isLiteral)
  }
  if (kind !== 'AEXPR_OP') return false
  if (isLiteral(lexpr) || isLiteral(rexpr))
    return BESIDE_COLUMN.has(name[0]!) && (isColumn(lexpr) || isColumn(rexpr))
  return goesThrough([lexpr, rexpr], watch)
}
