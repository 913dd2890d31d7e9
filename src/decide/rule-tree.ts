/** Pure. The engine's syntax tree, as far as it is read here. */
import { FACT_GROUPS, type FactGroupName } from './facts/schema.ts'

/** A node. What `args` is depends on `op`. */
export interface Node {
  readonly op: string
  readonly args: unknown
  /** UTF-16 code units into the text. */
  readonly pos: number
}

/** The fact that a node reads: `sql.writes`, `sql["writes"]`. `name` undefined: computed, so unknown. */
export function accessed(
  node: Node,
  bound: ReadonlySet<string>,
): { group: FactGroupName; name: string | undefined } | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined
  const [object, key] = node.args as [Node, string | Node]
  if (object.op !== 'id' || typeof object.args !== 'string') return undefined
  if (bound.has(object.args) || !isGroup(object.args)) return undefined
  if (typeof key === 'string') return { group: object.args, name: key }
  const name = key.op === 'value' && typeof key.args === 'string' ? key.args : undefined
  return { group: object.args, name }
}

/** Nodes directly below, for every form without names of its own. */
export function children(node: Node): Node[] {
  const found: Node[] = []
  const collect = (part: unknown): void => {
    if (Array.isArray(part)) for (const one of part) collect(one)
    else if (typeof part === 'object' && part !== null && 'op' in part) found.push(part as Node)
  }
  if (node.op !== 'value') collect(node.args)
  return found
}

export function isGroup(name: string): name is FactGroupName {
  return Object.hasOwn(FACT_GROUPS, name)
}
