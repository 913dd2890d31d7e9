/**
 * Pure. What must hold wherever an expression is true, in a form that can be looked up: `"DROP" in sql.commands`,
 * `sql.copy == "file"`, `!sql.bounded`. Weaker than the expression and never stronger.
 *
 * Sound because CEL's && is false as soon as one side is, whatever the other does, an error included, and because none
 * of the forms read here can itself fail.
 */
import type { Action } from './action.ts'
import type { SqlFacts } from './facts/sql.ts'
import type { Grant } from './grant.ts'
import { accessed, type Node } from './rule-tree.ts'

/** The fact has the value; holds it, where the fact is a list. */
export interface Need {
  readonly fact: LookedUp
  readonly value: string | boolean
}

export type LookedUp = keyof typeof READERS

interface Asked {
  readonly action: Action
  readonly sql: SqlFacts
  readonly grant: Grant
}

/** Facts that rules are filed under. Not those whose lists grow with the text: literals and parameters. */
const READERS = {
  'action.classes': ({ action }: Asked) => action.classes,
  'action.verb': ({ action }: Asked) => action.verb,
  'connection.name': ({ grant }: Asked) => grant.connection.name,
  'identity.groups': ({ grant }: Asked) => grant.identity.groups,
  'identity.kind': ({ grant }: Asked) => grant.identity.kind,
  'identity.roles': ({ grant }: Asked) => grant.roles,
  'identity.subject': ({ grant }: Asked) => grant.identity.subject,
  'sql.bounded': ({ sql }: Asked) => sql.bounded,
  'sql.by_key': ({ sql }: Asked) => sql.by_key,
  'sql.columns': ({ sql }: Asked) => sql.columns,
  'sql.commands': ({ sql }: Asked) => sql.commands,
  'sql.copy': ({ sql }: Asked) => sql.copy,
  'sql.functions': ({ sql }: Asked) => sql.functions,
  'sql.has_where': ({ sql }: Asked) => sql.has_where,
  'sql.in_transaction': ({ sql }: Asked) => sql.in_transaction,
  'sql.tables': ({ sql }: Asked) => sql.tables,
  'sql.tables_written': ({ sql }: Asked) => sql.tables_written,
  'sql.tags': ({ sql }: Asked) => sql.tags,
  'sql.where_always_true': ({ sql }: Asked) => sql.where_always_true,
  'sql.writes': ({ sql }: Asked) => sql.writes,
} as const satisfies Record<string, (asked: Asked) => string | boolean | readonly string[]>

/** A boolean halves the rules at best; a name leaves few. */
const BOOLEAN_WEIGHT = 10

export function lookUp(fact: LookedUp, asked: Asked): string | boolean | readonly string[] {
  return READERS[fact](asked)
}

/** One of them holds wherever the expression is true; undefined: nothing is known. */
export function needsOf(node: Node): readonly Need[] | undefined {
  switch (node.op) {
    case '&&': {
      const [left, right] = (node.args as [Node, Node]).map(needsOf)
      return left && right ? (weight(right) < weight(left) ? right : left) : (left ?? right)
    }
    case '||': {
      const [left, right] = (node.args as [Node, Node]).map(needsOf)
      return left && right ? [...left, ...right] : undefined
    }
    case '!_':
      return needs(node.args as Node, [false])
    case '.':
    case '[]':
      return needs(node, [true])
    case '==':
      return equality(node.args as [Node, Node])
    case 'in':
      return membership(node.args as [Node, Node])
    case 'rcall':
      return existence(node.args as [string, Node, Node[]])
  }
  return undefined
}

/** `sql.copy == "file"`, either way round. */
function equality([left, right]: [Node, Node]): readonly Need[] | undefined {
  return needs(left, words(right)) ?? needs(right, words(left))
}

/** `"DROP" in sql.commands`, `action.verb in ["DROP", "ALTER"]`. */
function membership([left, right]: [Node, Node]): readonly Need[] | undefined {
  return needs(right, words(left)) ?? needs(left, right.op === 'list' ? words(right) : [])
}

/** `sql.tables.exists(t, t == "public.users")`, and the same with `in`. */
function existence([method, receiver, args]: [string, Node, Node[]]): readonly Need[] | undefined {
  const [variable, condition] = args
  if (method !== 'exists' || variable === undefined || condition === undefined) return undefined
  if (condition.op !== '==' && condition.op !== 'in') return undefined
  const [left, right] = condition.args as [Node, Node]
  const isVariable = (side: Node) => side.op === 'id' && side.args === variable.args
  if (isVariable(left) && (condition.op === '==' || right.op === 'list'))
    return needs(receiver, words(right))
  return isVariable(right) && condition.op === '==' ? needs(receiver, words(left)) : undefined
}

function needs(node: Node, values: readonly (string | boolean)[]): readonly Need[] | undefined {
  const found = accessed(node, new Set())
  const fact = `${found?.group}.${found?.name}`
  if (values.length === 0 || !isLookedUp(fact)) return undefined
  return values.map((value) => ({ fact, value }))
}

/** The texts that a literal, or a list of nothing but literals, stands for; none for anything else. */
function words(node: Node): readonly string[] {
  if (node.op === 'value') return typeof node.args === 'string' ? [node.args] : []
  if (node.op !== 'list') return []
  const items = (node.args as Node[]).map(words)
  return items.every((item) => item.length === 1) ? items.flat() : []
}

function weight(needed: readonly Need[]): number {
  return needed.reduce(
    (sum, { value }) => sum + (typeof value === 'boolean' ? BOOLEAN_WEIGHT : 1),
    0,
  )
}

function isLookedUp(fact: string): fact is LookedUp {
  return Object.hasOwn(READERS, fact)
}
