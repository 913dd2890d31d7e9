/**
 * Pure. Small questions about parse trees, for code that must look at every node without knowing every kind.
 *
 * Trees are what the parser prints: a `Node` is an object with one key, its kind; fields whose kind is fixed
 * (`relation`, `larg`, `withClause`) hold the node's inside without that key. Fields with the value 0, false or
 * '' are left out.
 */
import type { Node, RangeVar } from './parse.ts'

/** Any part of a tree, with or without its kind around it. */
export type Part = Readonly<Record<string, unknown>>

/** Places in the text; two parts that differ only there say the same. */
const PLACES = new Set(['location', 'stmt_location', 'rexpr_list_start', 'rexpr_list_end'])

export function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The string of a String node, else undefined. An empty string is left out by the parser. */
export function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : undefined
}

/** Strings of a dotted name; undefined when a part is anything but a String (`*`, a subscript). */
export function dotted(nodes: readonly Node[] | undefined): string[] | undefined {
  const parts: string[] = []
  for (const node of nodes ?? []) {
    const part = stringOf(node)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts
}

/**
 * Names behind a dot in `t.f` and `(x).f`, which call a function where no column has that name. `kind` and the inside
 * of any node; a name without a dot is always a column.
 */
export function attributesOf(kind: string, inside: Part): string[] {
  if (kind !== 'ColumnRef' && kind !== 'A_Indirection') return []
  const steps: unknown = kind === 'ColumnRef' ? inside.fields : inside.indirection
  const behind = Array.isArray(steps) ? steps.toSpliced(0, kind === 'ColumnRef' ? 1 : 0) : []
  return behind.flatMap((step: Node) => stringOf(step) ?? [])
}

/** Calls `visit` for every field of every part, depth first. Return false to stay out of that field. */
export function each(value: unknown, visit: (key: string, inside: unknown) => boolean): void {
  if (Array.isArray(value)) {
    for (const one of value) each(one, visit)
    return
  }
  if (!isPart(value)) return
  for (const key in value) if (visit(key, value[key])) each(value[key], visit)
}

/** True when two parts say the same, wherever they stand in the text. */
export function same(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((part, at) => same(part, other[at]))
  if (!isPart(one) || !isPart(other)) return one === other
  const keys = Object.keys(one).filter((key) => !PLACES.has(key))
  const others = Object.keys(other).filter((key) => !PLACES.has(key))
  return keys.length === others.length && keys.every((key) => same(one[key], other[key]))
}

/** Names of all CTEs anywhere in the tree: an unqualified name among them may be no relation at all. */
export function cteNames(tree: unknown): Set<string> {
  const names = new Set<string>()
  each(tree, (key, inside) => {
    if (key === 'CommonTableExpr' && isPart(inside)) names.add(String(inside.ctename ?? ''))
    return true
  })
  return names
}

/** The name by which columns of a range item are qualified. */
export function refName(range: RangeVar): string {
  return range.alias?.aliasname ?? range.relname ?? ''
}
