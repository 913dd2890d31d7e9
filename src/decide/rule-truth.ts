/**
 * Pure. When an expression is true, as far as its form alone tells: the cases of which one must hold, each a list of
 * conditions that hold together. For warnings only; nothing is decided by it.
 *
 * Sound for what it is used for: a case that is called impossible cannot come true, and a rule whose every case holds
 * all conditions of a case of another is true only where the other is. Everything else is left unsaid.
 */
import { nearest } from '../config/problem.ts'
import { CLASSES } from './action.ts'
import { accessed, type Node } from './rule-tree.ts'

/** One condition: an expression that is no && || or !, asked for or ruled out. */
export interface Condition {
  /** Equal texts are equal expressions. */
  readonly text: string
  readonly holds: boolean
  /** The fact equals the value; holds it, where the fact is a list. */
  readonly about:
    | { readonly fact: string; readonly value: unknown; readonly list: boolean }
    | undefined
  /** UTF-16 code units into the expression. */
  readonly offset: number
}

export type Case = readonly Condition[]

/** Beyond it nothing is said. */
const CASES_MAX = 64

/** undefined: too many to say. An empty list: it is never true. */
export function casesOf(node: Node): readonly Case[] | undefined {
  return expand(node, true)
}

/** Why none of the cases can come true, with the place; undefined: one may. */
export function neverTrue(
  cases: readonly Case[] | undefined,
): { readonly message: string; readonly offset: number } | undefined {
  if (cases === undefined) return undefined
  let why: { message: string; offset: number } | undefined
  for (const one of cases) {
    const fault = impossible(one)
    if (fault === undefined) return undefined
    why ??= fault
  }
  return why ?? { message: 'it is false, whatever the action', offset: 0 }
}

/** A case that can never be one of the true ones, though others may: misspelt words above all. */
export function deadWords(
  cases: readonly Case[] | undefined,
): readonly { readonly message: string; readonly offset: number }[] {
  const found = new Map<number, { message: string; offset: number }>()
  for (const one of cases ?? [])
    for (const condition of one) {
      const fault = condition.holds ? wordFault(condition) : undefined
      if (fault !== undefined)
        found.set(condition.offset, { message: fault, offset: condition.offset })
    }
  return [...found.values()]
}

/** True wherever `one` is, `other` is as well. */
export function implies(
  one: readonly Case[] | undefined,
  other: readonly Case[] | undefined,
): boolean {
  if (one === undefined || other === undefined) return false
  return one.every((mine) =>
    other.some((theirs) =>
      theirs.every(({ text, holds }) =>
        mine.some((condition) => condition.text === text && condition.holds === holds),
      ),
    ),
  )
}

function expand(node: Node, holds: boolean): readonly Case[] | undefined {
  if (node.op === '!_') return expand(node.args as Node, !holds)
  if (node.op === '&&' || node.op === '||') {
    const [left, right] = node.args as [Node, Node]
    const both = (node.op === '&&') === holds
    const sides = [expand(left, holds), expand(right, holds)] as const
    return both ? together(...sides) : either(...sides)
  }
  if (node.op === 'value' && typeof node.args === 'boolean') return node.args === holds ? [[]] : []
  if (node.op === '!=') return expand({ ...node, op: '==', args: node.args, pos: node.pos }, !holds)
  const listed = membersOf(node)
  if (listed === undefined) return [[condition(node, holds)]]
  const each = listed.map((one) => expand(one, holds))
  return each.reduce<readonly Case[] | undefined>(
    (all, one) => (holds ? either(all, one) : together(all, one)),
    holds ? [] : [[]],
  )
}

/** `fact in ["a", "b"]` is `fact == "a" || fact == "b"`. */
function membersOf(node: Node): readonly Node[] | undefined {
  if (node.op !== 'in') return undefined
  const [left, right] = node.args as [Node, Node]
  if (right.op !== 'list') return undefined
  return (right.args as Node[]).map((item) => ({ op: '==', args: [left, item], pos: item.pos }))
}

function either(
  one: readonly Case[] | undefined,
  other: readonly Case[] | undefined,
): readonly Case[] | undefined {
  if (one === undefined || other === undefined) return undefined
  return one.length + other.length > CASES_MAX ? undefined : [...one, ...other]
}

function together(
  one: readonly Case[] | undefined,
  other: readonly Case[] | undefined,
): readonly Case[] | undefined {
  if (one === undefined || other === undefined) return undefined
  if (one.length * other.length > CASES_MAX) return undefined
  return one.flatMap((mine) => other.map((theirs) => [...mine, ...theirs]))
}

function condition(node: Node, holds: boolean): Condition {
  return { text: canonical(node), holds, about: aboutOf(node), offset: node.pos }
}

function aboutOf(node: Node): Condition['about'] {
  if (node.op === '.' || node.op === '[]') {
    const fact = factOf(node)
    return fact === undefined ? undefined : { fact, value: true, list: false }
  }
  if (node.op !== '==' && node.op !== 'in') return undefined
  const [left, right] = node.args as [Node, Node]
  if (node.op === 'in') {
    const fact = factOf(right)
    return fact !== undefined && left.op === 'value'
      ? { fact, value: left.args, list: true }
      : undefined
  }
  const [named, literal] = left.op === 'value' ? [right, left] : [left, right]
  const fact = factOf(named)
  return fact !== undefined && literal.op === 'value'
    ? { fact, value: literal.args, list: false }
    : undefined
}

function factOf(node: Node): string | undefined {
  const found = accessed(node, new Set())
  return found?.name === undefined ? undefined : `${found.group}.${found.name}`
}

/** The same text for the same expression, however it is spaced; `==` either way round. */
function canonical(node: Node): string {
  const fact = factOf(node)
  if (fact !== undefined) return fact
  if (node.op === '==') {
    const [left, right] = (node.args as [Node, Node]).map(canonical)
    return left! < right! ? `${left}==${right}` : `${right}==${left}`
  }
  return `${node.op}(${part(node.args)})`
}

function part(args: unknown): string {
  if (Array.isArray(args)) return args.map(part).join(',')
  if (typeof args === 'object' && args !== null && 'op' in args) return canonical(args as Node)
  return typeof args === 'bigint' ? `${args}n` : JSON.stringify(args)
}

function impossible(one: Case): { message: string; offset: number } | undefined {
  for (const [at, mine] of one.entries()) {
    const fault = mine.holds ? wordFault(mine) : undefined
    if (fault !== undefined) return { message: fault, offset: mine.offset }
    for (const other of one.slice(0, at)) {
      if (mine.text === other.text && mine.holds !== other.holds)
        return { message: 'one condition is asked for and ruled out', offset: mine.offset }
      if (isOtherValue(mine, other)) {
        const message = `${mine.about!.fact} cannot have two values at once`
        return { message, offset: mine.offset }
      }
    }
  }
  return undefined
}

function isOtherValue(one: Condition, other: Condition): boolean {
  if (!one.holds || !other.holds || one.about === undefined || other.about === undefined)
    return false
  if (one.about.list || other.about.list || one.about.fact !== other.about.fact) return false
  return one.about.value !== other.about.value
}

/** Facts with few values, and those whose values have a form. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'action.class': CLASSES,
  'action.classes': CLASSES,
  'identity.kind': ['human', 'workload'],
  'connection.type': ['postgres'],
  'sql.copy': ['', 'in', 'out', 'file', 'program'],
}
const FORMS: Readonly<Record<string, readonly [form: RegExp, expected: string]>> = {
  'action.verb': [/^[A-Z]+$/, 'verbs are upper-case words'],
  'sql.commands': [/^[A-Z]+$/, 'commands are single upper-case words'],
  'sql.tags': [/^[A-Z]+( [A-Z]+)*$/, 'tags are upper-case words'],
  'sql.tables': [/\../, 'tables are named schema.table'],
  'sql.tables_written': [/\../, 'tables are named schema.table'],
  'sql.columns': [/\..+\../, 'columns are named schema.table.column'],
  'sql.functions': [/\../, 'functions are named schema.function'],
  'sql.triggers': [/\..+\../, 'triggers are named schema.table.trigger'],
}

function wordFault({ about }: Condition): string | undefined {
  if (about === undefined || typeof about.value !== 'string') return undefined
  const { fact, value } = about
  const words = WORDS[fact]
  if (words !== undefined && !words.includes(value)) {
    const near = nearest(value, words)
    const hint = near === undefined || near === '' ? '' : ` (did you mean ${near}?)`
    return `${fact} is never ${JSON.stringify(value)}${hint}`
  }
  const form = FORMS[fact]
  return form === undefined || form[0].test(value)
    ? undefined
    : `${fact} is never ${JSON.stringify(value)}: ${form[1]}`
}
