/**
 * Pure. What is odd about policies that load, seen together: rules that another one leaves nothing to do, rules that
 * no connection they speak of can meet. Warnings; they change nothing.
 */
import type { Problem } from '../config/problem.ts'
import type { ConnectionConfig } from '../config/shape.ts'
import { covers } from './member.ts'
import type { Policy, PolicyRule } from './policy-file.ts'
import { implies, neverTrue } from './rule-truth.ts'

interface Placed {
  readonly policy: Policy
  readonly rule: PolicyRule
  /** In the order of files and lines. */
  readonly at: number
}

/** Denying rules by a condition that one of their cases begins with, so that a large house is not compared in pairs. */
class Denials {
  readonly #byCondition = new Map<string, Placed[]>()

  constructor(rules: readonly Placed[]) {
    for (const one of rules)
      if (one.rule.then === 'deny')
        for (const [first] of one.rule.rule.cases ?? []) this.#add(first?.text ?? '', one)
  }

  #add(text: string, one: Placed): void {
    const known = this.#byCondition.get(text)
    if (known === undefined) this.#byCondition.set(text, [one])
    else known.push(one)
  }

  /** Those that may be implied by the rule. */
  near({ rule }: Placed): Placed[] {
    const texts = new Set(['', ...(rule.rule.cases?.[0] ?? []).map(({ text }) => text)])
    return [...texts].flatMap((text) => this.#byCondition.get(text) ?? [])
  }
}

/** `connections`: those of the configuration, where there is one. */
export function oddities(
  policies: readonly Policy[],
  connections: readonly ConnectionConfig[] | undefined,
): Problem[] {
  const rules = policies
    .flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
    .map((one, at) => ({ ...one, at }))
  const denials = new Denials(rules)
  const found: Problem[] = []
  for (const one of rules) {
    // What can never be true is warned about already, and would be shadowed by everything.
    const by = isDead(one) ? undefined : denials.near(one).find((other) => isShadowed(one, other))
    if (by !== undefined) found.push(warning(one, shadowed(one, by)))
    const absent = connections === undefined ? undefined : lacking(one, connections)
    if (absent !== undefined) found.push(warning(one, absent))
  }
  return found
}

/** `other` is true wherever `one` is, in at least its scope, and leaves it nothing to say. */
function isShadowed(one: Placed, other: Placed): boolean {
  if (other.at === one.at || (other.policy.monitor && !one.policy.monitor)) return false
  // Of two denials the first one is named.
  if (one.rule.then === 'deny' && one.policy.monitor === other.policy.monitor && other.at > one.at)
    return false
  const wider =
    spans(other.policy.connections, one.policy.connections) &&
    spans(other.policy.roles, one.policy.roles)
  return wider && implies(one.rule.rule.cases, other.rule.rule.cases)
}

function isDead({ rule }: Placed): boolean {
  return neverTrue(rule.rule.cases) !== undefined
}

function spans(wide: readonly string[], narrow: readonly string[]): boolean {
  return wide.includes('*') || narrow.every((name) => wide.includes(name))
}

function shadowed(one: Placed, by: Placed): string {
  const what = one.rule.then === 'allow' ? 'never named' : 'never the one that decides'
  return `is shadowed by ${by.rule.name}, which denies whatever it is true of: it is ${what}`
}

/** Facts that the protocols of all, or of some, connections it speaks of do not have. */
function lacking(
  { policy, rule }: Placed,
  connections: readonly ConnectionConfig[],
): string | undefined {
  const { protocols } = rule.rule
  if (protocols === undefined) return undefined
  const meant = connections.filter((one) => covers(policy.connections, one))
  const without = meant.filter(({ type }) => !protocols.includes(type))
  if (without.length === 0) return undefined
  const types = [...new Set(without.map(({ type }) => type))].join(', ')
  return without.length === meant.length
    ? `does nothing: ${types} has not all the facts that it reads`
    : `does nothing on ${without.map(({ name }) => name).join(', ')}: ${types} has not all the facts that it reads`
}

function warning({ policy, rule }: Placed, message: string): Problem {
  return { file: policy.file, ...rule.place, path: `the rule ${rule.id}`, message }
}
