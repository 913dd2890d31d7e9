/**
 * Pure. Finds the rules that can be true of an action without looking at the others: rules are filed under what must
 * hold for them to be true (`"DROP" in sql.commands`), and those of which nothing is known are always candidates.
 */
import type { Action } from './action.ts'
import type { Grant } from './grant.ts'
import type { PolicyRule } from './policy-file.ts'
import { type LookedUp, lookUp } from './rule-needs.ts'

interface Filed {
  /** Place in the original order. */
  readonly at: number
  readonly rule: PolicyRule
}

type Files = Map<string | boolean, Filed[]>

export class RuleIndex {
  readonly all: readonly PolicyRule[]
  readonly #always: readonly Filed[]
  /** Only facts that some rule is filed under. */
  readonly #files: readonly (readonly [LookedUp, Files])[]

  constructor(rules: readonly PolicyRule[]) {
    const filed = rules.map((rule, at) => ({ at, rule }))
    const files = new Map<LookedUp, Files>()
    for (const one of filed)
      for (const { fact, value } of one.rule.rule.needs ?? []) {
        const byValue: Files = files.get(fact) ?? new Map()
        const file = byValue.get(value) ?? []
        file.push(one)
        files.set(fact, byValue.set(value, file))
      }
    this.all = rules
    this.#always = filed.filter(({ rule }) => rule.rule.needs === undefined)
    this.#files = [...files]
  }

  /** Every rule that can be true of the action or fail on it, in the original order, each once. */
  candidates(action: Action, grant: Grant): readonly PolicyRule[] {
    const { sql } = action.facts
    // Facts that are missing make rules fail, and a rule that fails denies: all must be asked.
    if (this.#files.length === 0 || sql === undefined || action.classes.includes('opaque'))
      return this.all
    const found: Filed[] = []
    for (const [fact, byValue] of this.#files) {
      const value = lookUp(fact, { action, sql, grant })
      if (typeof value === 'object') for (const one of value) collect(found, byValue.get(one))
      else collect(found, byValue.get(value))
    }
    if (found.length === 0 && this.#always.length === 0) return []
    collect(found, this.#always)
    found.sort((one, other) => one.at - other.at)
    return found.filter((one, index) => one !== found[index - 1]).map(({ rule }) => rule)
  }
}

function collect(found: Filed[], more: readonly Filed[] | undefined): void {
  if (more !== undefined) for (const one of more) found.push(one)
}
