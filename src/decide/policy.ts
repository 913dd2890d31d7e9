/**
 * Pure. All policy files together: compiled once, then asked for the guard of a grant. A guard holds the rules and
 * masks that speak of the grant's connection and roles and nothing else, so that rules elsewhere cost nothing.
 */

import { didYouMean, type Problem } from '../config/problem.ts'
import type { Config } from '../config/shape.ts'
import type { Detector } from '../mask/detectors/detector.ts'
import type { MaskDeclarations } from '../mask/transform-spec.ts'
import type { PolicyFile } from '../threads/messages.ts'
import type { Grant } from './grant.ts'
import { covers } from './member.ts'
import { type Policy, type PolicyRule, readPolicy } from './policy-file.ts'
import type { KnownNames } from './policy-masks.ts'
import { oddities } from './policy-odd.ts'
import type { TestSuite } from './policy-tests.ts'
import { RuleIndex } from './rule-index.ts'

export interface PolicyOptions {
  readonly version: number
  /** Names that `detect` may use. */
  readonly knownDetectors: KnownNames
  /** Given: names of connections and roles that it does not have are warned about. */
  readonly config?: Pick<Config, 'connections' | 'roles'> | undefined
  /** Rules are compared with each other as well (policy-odd.ts); not in every worker. */
  readonly compares?: boolean
}

export type PolicyResult =
  | { readonly policies: PolicySet; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }

/** What decides for one connection and set of roles. Two guards with equal keys decide alike. */
export interface Guard {
  readonly version: number
  readonly key: string
  /** Those that speak of the grant. */
  readonly policies: readonly Policy[]
  /** In the order of files and lines. */
  readonly rules: readonly PolicyRule[]
  readonly masks: MaskDeclarations
  /** Of the policies' own: `findings` counts them too. */
  readonly detectors: readonly Detector[]
  /** Some rule reads parameter values: decide again at each Bind, with `sql.params` and findings filled in. */
  readonly readsParameters: boolean
  /** Some rule reads `findings`: detectors must have scanned text and parameters. */
  readonly readsFindings: boolean
  /**
   * The verdict depends on nothing but the grant, `sql.in_transaction` and facts of the statement that its literals
   * do not change: it may be kept for each of these.
   */
  readonly stable: boolean
  /** Enforcing rules in groups, each indexed by what must hold for them to be true. */
  readonly denials: RuleIndex
  readonly permissions: RuleIndex
  /** Denials of policies in `mode: monitor`. */
  readonly monitors: RuleIndex
}

export interface PolicySet {
  readonly version: number
  readonly policies: readonly Policy[]
  /** Tests of all files. */
  readonly suites: readonly TestSuite[]
  guard(grant: Grant): Guard
}

/** Reads that a verdict kept for a statement must not depend on. */
const FLEETING = [
  /^session\./,
  /^now$/,
  /^findings$/,
  /^sql\.(params|literals|statements)$/,
  /^action\.text$/,
]
/** Distinct sets of roles and connections kept; beyond it they are made anew. */
const GUARDS_MAX = 10_000

/** All problems of all files at once; one problem anywhere and nothing of it takes effect. */
export function compilePolicies(
  files: readonly PolicyFile[],
  options: PolicyOptions,
): PolicyResult {
  const policies: Policy[] = []
  const suites: TestSuite[] = []
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const names = new Map<string, string>()
  for (const file of files) {
    const reading = readPolicy(file, options.knownDetectors)
    problems.push(...reading.problems)
    warnings.push(...reading.warnings)
    if (reading.suite !== undefined) suites.push(reading.suite)
    if (reading.policy === undefined) continue
    const { name } = reading.policy
    const other = names.get(name)
    if (other !== undefined)
      problems.push(whole(file.path, `the name ${name} is also that of ${other}`))
    names.set(name, file.path)
    policies.push(reading.policy)
    if (options.config !== undefined) warnings.push(...strangers(reading.policy, options.config))
  }
  if (problems.length > 0) return { problems, warnings }
  const { version, config } = options
  if (options.compares === true)
    warnings.push(...oddities(policies, config && [...config.connections.values()]))
  return { policies: new Policies({ policies, suites, version }), warnings }
}

class Policies implements PolicySet {
  readonly policies: readonly Policy[]
  readonly suites: readonly TestSuite[]
  readonly version: number
  readonly #guards = new Map<string, Guard>()
  readonly #byGrant = new WeakMap<Grant, Guard>()

  constructor(of: Pick<PolicySet, 'policies' | 'suites' | 'version'>) {
    this.policies = of.policies
    this.suites = of.suites
    this.version = of.version
  }

  guard(grant: Grant): Guard {
    const kept = this.#byGrant.get(grant)
    if (kept !== undefined) return kept
    const guard = this.#byRoles(grant)
    this.#byGrant.set(grant, guard)
    return guard
  }

  #byRoles(grant: Grant): Guard {
    const { name, labels } = grant.connection
    // A session may hold a grant from before a reload, whose connection had other labels.
    const key = JSON.stringify([
      this.version,
      name,
      Object.entries(labels),
      [...grant.roles].sort(),
    ])
    const known = this.#guards.get(key)
    if (known !== undefined) return known
    if (this.#guards.size >= GUARDS_MAX) this.#guards.clear()
    const applying = this.policies.filter((policy) => applies(policy, grant))
    const made = makeGuard(applying, {
      key,
      version: this.version,
      protocol: grant.connection.type,
    })
    this.#guards.set(key, made)
    return made
  }
}

function applies(policy: Policy, grant: Grant): boolean {
  return (
    covers(policy.connections, grant.connection) &&
    policy.roles.some((role) => role === '*' || grant.roles.includes(role))
  )
}

function makeGuard(
  policies: readonly Policy[],
  of: { key: string; version: number; protocol: string },
): Guard {
  const rules = policies
    .flatMap((policy) => policy.rules)
    .filter(({ rule }) => rule.protocols === undefined || rule.protocols.includes(of.protocol))
  const reads = new Set(rules.flatMap(({ rule }) => [...rule.reads]))
  const enforced = rules.filter((rule) => !rule.monitor)
  return {
    version: of.version,
    key: of.key,
    policies,
    rules,
    masks: {
      columns: policies.flatMap((policy) => policy.masks.columns),
      detectors: policies.flatMap((policy) => policy.masks.detectors),
    },
    detectors: policies.flatMap((policy) => policy.detectors),
    readsParameters: reads.has('sql.params') || reads.has('findings'),
    readsFindings: reads.has('findings'),
    stable: ![...reads].some((fact) => FLEETING.some((pattern) => pattern.test(fact))),
    denials: new RuleIndex(enforced.filter(({ then }) => then === 'deny')),
    permissions: new RuleIndex(enforced.filter(({ then }) => then === 'allow')),
    monitors: new RuleIndex(rules.filter(({ then, monitor }) => monitor && then === 'deny')),
  }
}

/** A misspelt name protects nothing and would never be noticed. */
function strangers(policy: Policy, config: Pick<Config, 'connections' | 'roles'>): Problem[] {
  const found: Problem[] = []
  for (const name of policy.connections)
    if (name !== '*' && !name.startsWith('label:') && !config.connections.has(name))
      found.push(stranger(policy, { kind: 'connection', name, known: config.connections.keys() }))
  for (const name of policy.roles)
    if (name !== '*' && !config.roles.has(name))
      found.push(stranger(policy, { kind: 'role', name, known: config.roles.keys() }))
  return found
}

function stranger(
  policy: Policy,
  about: { kind: string; name: string; known: Iterable<string> },
): Problem {
  const { kind, name, known } = about
  const message = `applies to the ${kind} ${name}, which does not exist${didYouMean(name, known)}`
  return whole(policy.file, message)
}

function whole(file: string, message: string): Problem {
  return { file, line: 0, column: 0, path: '', message }
}
