/**
 * Pure. What the tree of an expression says before anything is evaluated: which facts it reads, which protocols have
 * them, what must hold wherever it is true, and names that no fact has.
 *
 * Stricter than the engine's type check: a group of facts is never used whole, `has()` is for labels alone (all other
 * facts are always there, and a misspelt one inside `has()` would silently be false), and a variable does not hide a fact.
 */
import { didYouMean, NOT_YET } from '../config/problem.ts'
import {
  FACT_GROUPS,
  FACTS_LATER,
  type FactGroupName,
  GROUPS_LATER,
  PROTOCOLS_OF,
  SINGLE_FACTS,
} from './facts/schema.ts'
import { type Need, needsOf } from './rule-needs.ts'
import { accessed, children, isGroup, type Node } from './rule-tree.ts'

interface Note {
  readonly message: string
  readonly offset: number
}

export interface Walked {
  readonly reads: ReadonlySet<string>
  readonly protocols: readonly string[] | undefined
  readonly needs: readonly Need[] | undefined
  readonly problems: readonly Note[]
  readonly warnings: readonly Note[]
}

const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

/** `replaceMatches` sees each call of `matches` once and answers why it is refused, or undefined. */
export function walk(root: Node, replaceMatches: (call: Node) => string | undefined): Walked {
  const walker = new Walker(replaceMatches)
  walker.visit(root, new Set())
  const protocols = protocolsOf(walker.reads)
  if (protocols?.length === 0) walker.problem(root, 'no protocol has all the facts that this reads')
  const { reads, problems, warnings } = walker
  return { reads, protocols, needs: needsOf(root), problems, warnings }
}

class Walker {
  readonly reads = new Set<string>()
  readonly problems: Note[] = []
  readonly warnings: Note[] = []
  readonly #replaceMatches: (call: Node) => string | undefined

  constructor(replaceMatches: (call: Node) => string | undefined) {
    this.#replaceMatches = replaceMatches
  }

  problem(node: Node, message: string): void {
    this.problems.push({ message, offset: node.pos })
  }

  visit(node: Node, bound: ReadonlySet<string>): void {
    const fact = accessed(node, bound)
    if (fact !== undefined) this.#fact(node, fact)
    else if (node.op === 'id') this.#name(node, bound)
    else if (node.op === 'call') this.#call(node, bound)
    else if (node.op === 'rcall') this.#method(node, bound)
    else {
      if (node.op === '==' || node.op === '!=') this.#comparison(node)
      for (const child of children(node)) this.visit(child, bound)
    }
  }

  #fact(node: Node, { group, name }: { group: FactGroupName; name: string | undefined }): void {
    const path = `${group}.${name}`
    const known = FACT_GROUPS[group]
    if (name === undefined) this.problem(node, `expected the name of a fact after ${group}`)
    else if (FACTS_LATER.includes(path)) this.problem(node, `${path} ${NOT_YET}`)
    else if (Object.hasOwn(known, name)) this.reads.add(path)
    else this.problem(node, `${path} is not a fact${didYouMean(name, Object.keys(known))}`)
  }

  #name(node: Node, bound: ReadonlySet<string>): void {
    const name = String(node.args)
    if (bound.has(name)) return
    if (Object.hasOwn(SINGLE_FACTS, name)) this.reads.add(name)
    else if (isGroup(name)) this.problem(node, `${name} is a group; name one of its facts`)
    else if (GROUPS_LATER.includes(name))
      this.problem(node, `the facts of ${name}: no protocol of this version has them`)
    // Any other name is the engine's to know (`int`, `google`) or to refuse.
  }

  #call(node: Node, bound: ReadonlySet<string>): void {
    const [name, args] = node.args as [string, Node[]]
    if (name === 'has') {
      const path = args[0]
      const map = path?.op === '.' ? accessed((path.args as [Node, string])[0], bound) : undefined
      if (map?.group !== 'connection' || map.name !== 'labels')
        this.problem(node, 'has() is for connection.labels.NAME; other facts are always there')
    }
    for (const child of args) this.visit(child, bound)
  }

  #method(node: Node, bound: ReadonlySet<string>): void {
    const [name, receiver, args] = node.args as [string, Node, Node[]]
    const isBind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel'
    const variable = args[0]
    if (variable?.op === 'id' && (isBind || (MACROS.has(name) && args.length >= 2))) {
      const inner = String(variable.args)
      if (isGroup(inner) || Object.hasOwn(SINGLE_FACTS, inner))
        this.problem(variable, `${inner} is the name of a fact; give the variable another`)
      if (!isBind) this.visit(receiver, bound)
      const within = new Set(bound).add(inner)
      for (const child of args.filter((_, at) => at > 0)) this.visit(child, within)
      return
    }
    if (name === 'matches') {
      const fault = this.#replaceMatches(node)
      if (fault !== undefined) this.problem(variable ?? node, fault)
    }
    this.visit(receiver, bound)
    for (const child of args) this.visit(child, bound)
  }

  #comparison(node: Node): void {
    const sides = node.args as [Node, Node]
    if (!sides.some((side) => readsFact(side, 'action.class'))) return
    const message =
      'action.class is the highest class only; "schema" in action.classes also sees the others'
    this.warnings.push({ message, offset: node.pos })
  }
}

function readsFact(node: Node, path: string): boolean {
  const fact = accessed(node, new Set())
  return fact !== undefined && `${fact.group}.${fact.name}` === path
}

function protocolsOf(reads: ReadonlySet<string>): readonly string[] | undefined {
  let protocols: readonly string[] | undefined
  for (const fact of reads) {
    const group = fact.split('.', 1)[0]!
    const having = isGroup(group) ? PROTOCOLS_OF[group] : undefined
    if (having === undefined) continue
    protocols = protocols === undefined ? having : protocols.filter((one) => having.includes(one))
  }
  return protocols
}
