/**
 * Pure. The only door to the CEL engine: the text of `when` becomes a rule that answers true, false or 'error', or
 * the first problem with its place. https://github.com/google/cel-spec
 *
 * Types are checked here, at load. The engine's own `matches` runs JavaScript's regular expressions, which can take
 * exponential time; it is replaced by RE2 before the check, and nothing reaches the original.
 */
import { Environment } from '@marcbachmann/cel-js'
import { compilePattern, type Pattern } from '../base/pattern.ts'
import { FACT_GROUPS, FINDING, SINGLE_FACTS } from './facts/schema.ts'
import {
  ActionView,
  ConnectionView,
  type Facts,
  FindingView,
  IdentityView,
  JobView,
  SessionView,
  SqlView,
} from './facts/view.ts'
import type { Need } from './rule-needs.ts'
import type { Node } from './rule-tree.ts'
import { type Case, casesOf } from './rule-truth.ts'
import { walk } from './rule-walk.ts'

export interface Rule {
  /** `sql.commands`, `now`, `findings`…: all that the text names, reached or not. */
  readonly reads: ReadonlySet<string>
  /** Protocols that have all it reads; undefined: every one. */
  readonly protocols: readonly string[] | undefined
  /** One of these holds wherever the rule is true; undefined: nothing is known. */
  readonly needs: readonly Need[] | undefined
  /** When it is true, as far as its form tells; undefined: too many cases. For warnings. */
  readonly cases: readonly Case[] | undefined
  /** Never throws: whatever goes wrong, and every answer but true and false, is 'error'. */
  test(facts: Facts): boolean | 'error'
}

export interface RuleProblem {
  readonly message: string
  /** UTF-16 code units into the text. */
  readonly offset: number
}

export interface RuleResult {
  readonly rule: Rule | undefined
  readonly problem: RuleProblem | undefined
  readonly warnings: readonly RuleProblem[]
}

/** Sizes of a rule; a longer one belongs in several. */
const LIMITS = { maxAstNodes: 5000, maxDepth: 64, maxListElements: 1000, maxMapEntries: 1000 }
const MATCHES = 'matchesLinear'

const VIEWS = {
  identity: IdentityView,
  job: JobView,
  connection: ConnectionView,
  session: SessionView,
  action: ActionView,
  sql: SqlView,
} as const satisfies Record<keyof typeof FACT_GROUPS, unknown>

const patterns = new Map<string, Pattern>()
const environment = makeEnvironment()

/** Total. */
export function compileRule(text: string): RuleResult {
  try {
    const program = environment.parse(text)
    const walked = walk(program.ast as unknown as Node, replaceMatches)
    const problem = walked.problems[0] ?? typeProblem(program.check())
    if (problem !== undefined) return { rule: undefined, problem, warnings: [] }
    const { reads, protocols, needs, warnings } = walked
    const cases = casesOf(program.ast as unknown as Node)
    const evaluate = program as (facts: unknown) => unknown
    return {
      rule: { reads, protocols, needs, cases, test: tester(evaluate) },
      problem: undefined,
      warnings,
    }
  } catch (error) {
    return { rule: undefined, problem: problemOf(error), warnings: [] }
  }
}

function tester(evaluate: (facts: unknown) => unknown): Rule['test'] {
  return (facts) => {
    try {
      const answer = evaluate(facts)
      return typeof answer === 'boolean' ? answer : 'error'
    } catch {
      return 'error'
    }
  }
}

function makeEnvironment(): Environment {
  const made = new Environment({ limits: LIMITS })
  made.registerType('Finding', { ctor: FindingView, fields: FINDING })
  for (const [name, fact] of Object.entries(SINGLE_FACTS))
    made.registerVariable(name, fact === 'timestamp' ? 'google.protobuf.Timestamp' : fact)
  for (const [name, ctor] of Object.entries(VIEWS)) {
    const fields = FACT_GROUPS[name as keyof typeof FACT_GROUPS]
    made.registerType(`facts_${name}`, { ctor, fields })
    made.registerVariable(name, `facts_${name}`)
  }
  const linear = (text: string, source: string) => {
    const pattern = patterns.get(source)
    if (pattern === undefined) throw new TypeError('a pattern that was not seen at load')
    return pattern.test(text)
  }
  return made.registerFunction(`string.${MATCHES}(string): bool`, linear, { async: false })
}

/** Turns a call of `matches` into one of ours. undefined: done; else why not. */
function replaceMatches(call: Node): string | undefined {
  const [, , args] = call.args as [string, Node, Node[]]
  const [pattern] = args
  const source = pattern?.op === 'value' && args.length === 1 ? pattern.args : undefined
  if (typeof source !== 'string') return 'matches() takes one pattern, written out as text'
  const compiled = patterns.get(source) ?? compilePattern(source)
  if (compiled === undefined) return 'expected a regular expression of RE2'
  patterns.set(source, compiled)
  ;(call.args as unknown[])[0] = MATCHES
  return undefined
}

function typeProblem(result: {
  valid: boolean
  type?: string
  error?: unknown
}): RuleProblem | undefined {
  if (!result.valid) return problemOf(result.error)
  if (result.type === 'bool') return undefined
  return {
    message: `expected an expression that is true or false, found ${result.type}`,
    offset: 0,
  }
}

/** The engine's errors carry a summary of one line and a range. */
function problemOf(error: unknown): RuleProblem {
  const found = error as { summary?: unknown; range?: { start?: unknown } } | undefined
  const message = typeof found?.summary === 'string' ? found.summary : 'not an expression of CEL'
  const offset = typeof found?.range?.start === 'number' ? found.range.start : 0
  return { message, offset }
}
