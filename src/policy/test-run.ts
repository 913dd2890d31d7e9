/**
 * Pure once the parser is loaded. Runs the tests that policies carry: each statement is read by the real classifier
 * and judged by all policies together, as the gateway would judge it.
 */
import { didYouMean, type Problem } from '../config/problem.ts'
import type { Config } from '../config/shape.ts'
import type { PolicySet } from '../decide/policy.ts'
import type { PolicyTest, TestSuite } from '../decide/policy-tests.ts'
import type { Names } from '../protocols/postgres/sql/analysis.ts'
import { maskedOutputs } from './outputs.ts'
import { suiteNames } from './suite-schema.ts'
import { type Tried, tryOut } from './trial.ts'

export interface TestResult {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Who does what where, in one line. */
  readonly title: string
  /** Why it failed; undefined: it passed. */
  readonly failure: string | undefined
}

export interface TestRun {
  readonly results: readonly TestResult[]
  /** Of schemas, which then test nothing. */
  readonly problems: readonly Problem[]
}

export interface TestPlace {
  readonly config: Config
  readonly policies: PolicySet
  readonly now: number
  /** DDL for files without a `schema:` of their own. */
  readonly schema?: string
}

export function runTests(place: TestPlace): TestRun {
  const results: TestResult[] = []
  const problems: Problem[] = []
  for (const suite of place.policies.suites) {
    const read = suiteNames(suite, place.schema)
    problems.push(...read.problems)
    if (read.problems.length > 0) continue
    for (const test of suite.tests) results.push(runTest(test, { suite, names: read.names, place }))
  }
  return { results, problems }
}

function runTest(
  test: PolicyTest,
  of: { suite: TestSuite; names: Names; place: TestPlace },
): TestResult {
  const { suite, names, place } = of
  const { as, connection, statement } = test
  const title = `${as.subject} (${as.roles.join(', ')}) on ${connection}: ${statement.trim().replaceAll(/\s+/g, ' ')}`
  const missing = unknown(test, place.config)
  const failure =
    missing ?? fault(test, tryOut({ ...test, ...as }, { ...place, names }), suite.policy)
  return { file: suite.file, ...test.place, title, failure }
}

/** A test of a role that nobody has would pass for ever by being refused. */
function unknown({ as, connection }: PolicyTest, config: Config): string | undefined {
  if (!config.connections.has(connection))
    return `there is no connection ${connection}${didYouMean(connection, config.connections.keys())}`
  const role = as.roles.find((name) => !config.roles.has(name))
  return role === undefined
    ? undefined
    : `there is no role ${role}${didYouMean(role, config.roles.keys())}`
}

function fault(test: PolicyTest, tried: Tried, policy: string): string | undefined {
  const { verdict } = tried
  const rule = verdict.verdict === 'allow' ? verdict.rule || verdict.wouldDeny : verdict.rule
  const by = rule === '' ? '' : `, by the rule ${rule}`
  const said = verdict.verdict === 'deny' ? `${verdict.kind}${by}: ${verdict.say}` : `allowed${by}`
  if (verdict.verdict !== test.expect) return `expected ${test.expect}, but it is ${said}`
  if (test.rule !== '' && !isRule(rule, test.rule, policy))
    return `expected the rule ${test.rule}, but it is ${said}`
  if (test.masked === undefined || verdict.verdict === 'deny') return undefined
  const masked = maskedOutputs(tried)
  const [wanted, found] = [[...test.masked].sort(), [...masked].sort()]
  return wanted.join('\n') === found.join('\n')
    ? undefined
    : `expected masked: ${wanted.join(', ') || 'nothing'}; it is: ${found.join(', ') || 'nothing'}`
}

/** In a policy file `no-drop` is its own; in a file of tests it is anybody's. */
function isRule(name: string, wanted: string, policy: string): boolean {
  if (wanted.includes('/')) return name === wanted
  return policy === '' ? name.endsWith(`/${wanted}`) : name === `${policy}/${wanted}`
}
