/**
 * Pure. Finds the rules that can be true of an action without looking at the others: rules are filed under what must
 * hold for them to be true (`"DROP" in sql.commands`), and those of which nothing is known are always candidates.
 */
import type { Action } from './action.ts'
import type { PolicyRule } from './policy-file.ts'

interface Filed {
  /** Place in the original order. */
  readonly at: number
  readonly rule: PolicyRule
}

export class RuleIndex {
  readonly all: readonly PolicyRule[]
  readonly #always: readonly Filed[]
  readonly #writes: readonly Filed[]
  readonly #byClass: ReadonlyMap<string, readonly Filed[]>
  readonly #byCommand: ReadonlyMap<string, readonly Filed[]>
  readonly #byTag: ReadonlyMap<string, readonly Filed[]>
  readonly #isFiled: boolean

  constructor(rules: readonly PolicyRule[]) {
    const filed = rules.map((rule, at) => ({ at, rule }))
    const under = (fact: string) => fileBy(filed, fact)
    this.all = rules
    this.#always = filed.filter(({ rule }) => rule.rule.needs === undefined)
    this.#writes = under('sql.writes').get('') ?? []
    this.#byClass = under('action.classes')
    this.#byCommand = under('sql.commands')
    this.#byTag = under('sql.tags')
    this.#isFiled = this.#always.length < rules.length
  }

  /** Every rule that can be true of the action or fail on it, in the original order, each once. */
  candidates(action: Action): readonly PolicyRule[] {
    const { sql } = action.facts
    // Facts that are missing make rules fail, and a rule that fails denies: all must be asked.
    if (!this.#isFiled || sql === undefined || action.classes.includes('opaque')) return this.all
    const found = [...this.#always]
    for (const one of action.classes) collect(found, this.#byClass.get(one))
    for (const one of sql.commands) collect(found, this.#byCommand.get(one))
    for (const one of sql.tags) collect(found, this.#byTag.get(one))
    if (sql.writes) collect(found, this.#writes)
    if (found.length > this.#always.length) found.sort((one, other) => one.at - other.at)
    const candidates: PolicyRule[] = []
    for (const [index, one] of found.entries())
      if (one !== found[index - 1]) candidates.push(one.rule)
    return candidates
  }
}

function fileBy(filed: readonly Filed[], fact: string): ReadonlyMap<string, readonly Filed[]> {
  const files = new Map<string, Filed[]>()
  for (const one of filed)
    for (const need of one.rule.rule.needs ?? []) {
      if (need.fact !== fact) continue
      const key = need.value ?? ''
      const file = files.get(key)
      if (file === undefined) files.set(key, [one])
      else if (file.at(-1) !== one) file.push(one)
    }
  return files
}

function collect(found: Filed[], more: readonly Filed[] | undefined): void {
  if (more !== undefined) for (const one of more) found.push(one)
}
