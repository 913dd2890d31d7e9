/** Pure. Constants of a parse tree as text. */
import { isPart, type Part } from './nodes.ts'

/** The text of an A_Const; undefined for NULL. The parser leaves out fields that are 0, false or empty. */
export function constantText(inside: Part): string | undefined {
  if (inside.isnull === true) return undefined
  const { ival, fval, sval, bsval, boolval } = inside
  if (isPart(sval)) return String(sval.sval ?? '')
  if (isPart(ival)) return String(ival.ival ?? 0)
  if (isPart(fval)) return String(fval.fval ?? '')
  if (isPart(boolval)) return String(boolval.boolval ?? false)
  if (isPart(bsval)) return String(bsval.bsval ?? '')
  return undefined
}

/**
 * What a node says when it is a constant, cast or not: its text, null for SQL's NULL, undefined for anything that
 * is no constant.
 */
export function constantOf(node: unknown): string | null | undefined {
  if (!isPart(node)) return undefined
  if (isPart(node.A_Const)) return constantText(node.A_Const) ?? null
  if (isPart(node.TypeCast)) return constantOf(node.TypeCast.arg)
  return undefined
}

/** The argument of a DefElem (option) as text, as defGetString reads it; undefined when it has none or is no constant. */
export function optionText(node: unknown): string | undefined {
  if (!isPart(node)) return undefined
  const { String: text, Integer: whole, Float: number, Boolean: truth, TypeName: type } = node
  if (isPart(node.A_Star)) return '*'
  // `QUOTE ('|')` is QUOTE '|'.
  if (isPart(node.List)) {
    const items = Array.isArray(node.List.items) ? node.List.items.map(optionText) : []
    return items.includes(undefined) ? undefined : items.join('.')
  }
  if (isPart(text)) return String(text.sval ?? '')
  if (isPart(whole)) return String(whole.ival ?? 0)
  if (isPart(number)) return String(number.fval ?? '')
  if (isPart(truth)) return String(truth.boolval ?? false)
  if (isPart(type) && Array.isArray(type.names)) {
    const last: unknown = type.names.at(-1)
    return isPart(last) && isPart(last.String) ? String(last.String.sval ?? '') : undefined
  }
  return constantOf(node) ?? undefined
}
