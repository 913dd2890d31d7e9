/**
 * Pure. A tried message, laid out: who asked for what, what it was found to do, every rule with its value and what it
 * read, the one that decides, and what each result column comes from and becomes. One document for JSON and for text.
 */
import type { ActionClass } from '../decide/action.ts'
import { FACT_GROUPS, type FactGroupName, SINGLE_FACTS } from '../decide/facts/schema.ts'
import { Facts } from '../decide/facts/view.ts'
import type { Grant } from '../decide/grant.ts'
import type { PolicySet } from '../decide/policy.ts'
import type { Verdict } from '../decide/verdict.ts'
import type { Transform } from '../mask/transform-spec.ts'
import type { StatementLineage } from '../protocols/postgres/sql/lineage/lineage.ts'
import { transformText } from './outputs.ts'
import type { Asked, Tried, TriedRule, TriedStatement } from './trial.ts'

export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [k: string]: Plain }

/** In place of a fact of what could not be understood. */
export const NOT_KNOWN = 'not known'

export interface Explained {
  readonly statement: string
  readonly as: {
    readonly subject: string
    readonly kind: string
    readonly groups: readonly string[]
    readonly roles: readonly string[]
    readonly job: string
  }
  readonly connection: string
  readonly database: string
  /** Where the names of tables come from, in words. */
  readonly names: string
  readonly verdict: ExplainedVerdict
  /** Policies that speak of this connection and these roles, and those that do not. */
  readonly policies: readonly {
    readonly name: string
    readonly mode: string
    readonly applies: boolean
  }[]
  readonly allowed: readonly ActionClass[]
  readonly statements: readonly ExplainedStatement[]
  /** What is done to hits in result values → detectors that do it. */
  readonly detectors: Readonly<Record<string, readonly string[]>>
}

export interface ExplainedVerdict {
  readonly verdict: 'allow' | 'deny'
  readonly kind: string
  readonly rule: string
  readonly say: string
  readonly hint: string
  /** 1-based character of the statement; 0: none. */
  readonly position: number
  /** What settled it, as a sentence. */
  readonly because: string
}

export interface ExplainedStatement {
  readonly text: string
  readonly verdict: ExplainedVerdict
  readonly classes: readonly { readonly class: ActionClass; readonly allowed: boolean }[]
  /** Why it has its classes. */
  readonly reasons: readonly string[]
  readonly facts: Readonly<Record<string, Plain>>
  readonly rules: readonly ExplainedRule[]
  /** undefined: the columns are not known by position. */
  readonly outputs: readonly ExplainedOutput[] | undefined
  /** Columns that decide which rows come out. */
  readonly deciding: readonly string[]
}

export interface ExplainedRule {
  readonly rule: string
  readonly then: 'allow' | 'deny'
  readonly mode: 'enforce' | 'monitor'
  readonly value: boolean | 'error'
  readonly when: string
  readonly reads: Readonly<Record<string, Plain>>
  readonly decides: boolean
}

export interface ExplainedOutput {
  readonly name: string
  readonly from: readonly string[]
  /** `constant`, `identity`, `total`, `aggregate`, `other`. */
  readonly how: string
  /** What the client gets in its place; '' for the value itself. */
  readonly masked: string
}

export function explain(
  asked: Asked,
  tried: Tried,
  about: { policies: PolicySet; names: string },
): Explained {
  const { grant, guard } = tried
  const applying = new Set(guard?.policies ?? [])
  const statements = tried.statements.map((one, at) => statementOf(one, tried.lineage?.[at], tried))
  const denied = statements.find((one) => one.verdict.verdict === 'deny')
  const whole = wholeOf(denied, statements)
  return {
    statement: asked.statement,
    as: {
      subject: asked.subject,
      kind: asked.kind,
      groups: asked.groups,
      roles: grant?.roles ?? asked.roles ?? [],
      job: asked.job,
    },
    connection: asked.connection,
    database: grant?.database ?? asked.database,
    names: about.names,
    verdict: whole ?? verdictOf(tried.verdict, noStatement(tried)),
    policies: about.policies.policies.map((policy) => ({
      name: policy.name,
      mode: policy.monitor ? 'monitor' : 'enforce',
      applies: applying.has(policy),
    })),
    allowed: grant === undefined ? [] : [...grant.allow],
    statements,
    detectors: detectorsOf(tried),
  }
}

function wholeOf(
  denied: ExplainedStatement | undefined,
  statements: readonly ExplainedStatement[],
): ExplainedVerdict | undefined {
  const [first, ...others] = statements
  if (denied !== undefined && others.length > 0) {
    const at = statements.indexOf(denied) + 1
    const because = `Statement ${at} is refused, and one refused refuses the whole message. ${denied.verdict.because}`
    return { ...denied.verdict, because }
  }
  if (denied !== undefined || first === undefined || others.length === 0)
    return (denied ?? first)?.verdict
  return { ...first.verdict, rule: '', because: `All ${statements.length} statements are allowed.` }
}

function noStatement({ grant }: Tried): string {
  if (grant === undefined) return 'No role of this identity grants the connection and database.'
  return 'The text holds no statement.'
}

function detectorsOf({ guard }: Tried): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const { detector, with: how, monitor } of guard?.masks.detectors ?? []) {
    const done = `${transformText(how)}${monitor ? ' (monitor)' : ''}`
    found[done] = [...(found[done] ?? []), detector]
  }
  return found
}

function statementOf(
  one: TriedStatement,
  lineage: StatementLineage | undefined,
  tried: Tried,
): ExplainedStatement {
  const { action, statement, verdict, context } = one
  const { allow } = context.grant
  const facts = new Facts(action, context)
  const because = becauseOf(one)
  return {
    text: one.text,
    verdict: verdictOf(verdict, because),
    classes: action.classes.map((name) => ({ class: name, allowed: allow.has(name) })),
    reasons: statement.reasons,
    facts: told(facts),
    rules: one.rules.map((rule) => ruleOf(rule, facts, verdict)),
    outputs: statement.returnsRows ? outputsOf(lineage, tried) : [],
    deciding: lineage?.deciding ?? [],
  }
}

function outputsOf(
  lineage: StatementLineage | undefined,
  { masks, grant }: Tried,
): readonly ExplainedOutput[] | undefined {
  const hides = masks?.all !== undefined
  const mayWrite = [...(grant?.allow ?? [])].some((one) => one !== 'read')
  return lineage?.outputs?.map(({ name, columns, how, masked }, at) => ({
    name: name ?? `$${at + 1}`,
    from: columns,
    how,
    masked: hides && masked !== undefined ? shownAs(masked, mayWrite) : '',
  }))
}

/** Who may write could write guesses and compare hashes: such a role reads ****. */
function shownAs(masked: Transform, mayWrite: boolean): string {
  return masked.type === 'hash' && mayWrite
    ? 'redact (hash for a role that only reads)'
    : transformText(masked)
}

function ruleOf({ rule, value }: TriedRule, facts: Facts, verdict: Verdict): ExplainedRule {
  const { name, then, monitor, when } = rule
  const named = verdict.verdict === 'deny' ? verdict.rule : verdict.rule || verdict.wouldDeny
  return {
    rule: name,
    then,
    mode: monitor ? 'monitor' : 'enforce',
    value,
    when: when.trim(),
    reads: Object.fromEntries([...rule.rule.reads].map((path) => [path, factAt(facts, path)])),
    decides: named === name,
  }
}

function verdictOf(verdict: Verdict, because: string): ExplainedVerdict {
  if (verdict.verdict === 'deny') {
    const { kind, rule, say, hint, position } = verdict
    return { verdict: 'deny', kind, rule, say, hint, position: position ?? 0, because }
  }
  const rule = verdict.rule || verdict.wouldDeny
  return { verdict: 'allow', kind: '', rule, say: '', hint: '', position: 0, because }
}

/** What settled it: the order is that of the gateway. */
function becauseOf({ action, statement, verdict, rules, context }: TriedStatement): string {
  if (verdict.verdict === 'allow') {
    const roles = context.grant.roles.join(', ')
    const fine = `Each of its classes (${action.classes.join(', ')}) is allowed by the roles ${roles}, no rule denies it, and no mask refuses it.`
    if (verdict.wouldDeny !== '')
      return `${fine} The rule ${verdict.wouldDeny}, in mode monitor, would have denied it.`
    return verdict.rule === '' ? fine : `${fine} The rule ${verdict.rule} names it.`
  }
  if (verdict.kind === 'not_understood') return `It is not understood: ${verdict.say}`
  const decider = rules.find(({ rule }) => rule.name === verdict.rule)
  if (decider !== undefined) {
    const also = besides(action.classes, context.grant)
    return decider.value === 'error'
      ? `The rule ${verdict.rule} could not be evaluated, and a rule that fails denies.${also}`
      : `The rule ${verdict.rule} is true, and it denies.${also}`
  }
  if (statement.refused !== undefined && verdict.say === statement.refused)
    return 'It is refused whatever roles and rules say.'
  if (verdict.kind === 'not_allowed') return unallowed(action.classes, context.grant)
  return verdict.rule === ''
    ? 'A mask refuses it.'
    : `The mask ${verdict.rule} hides what the statement would tell otherwise.`
}

function unallowed(classes: readonly ActionClass[], grant: Grant): string {
  const missing = classes.filter((one) => !grant.allow.has(one)).join(', ')
  return `The class ${missing} is allowed by none of the roles ${grant.roles.join(', ')}.`
}

/** Without the rule it would be refused all the same. */
function besides(classes: readonly ActionClass[], grant: Grant): string {
  const isAllowed = classes.every((one) => grant.allow.has(one))
  return isAllowed ? '' : ` Without it: ${unallowed(classes, grant)}`
}

/** Facts that say something: lists that are empty and answers that are no are left out, but for what writes are. */
function told(facts: Facts): Record<string, Plain> {
  const found: Record<string, Plain> = {}
  const { sql } = facts
  if (sql === undefined) return found
  const add = (name: string): void => {
    const value = factAt(facts, `sql.${name}`)
    const isEmpty = value === '' || value === false || (Array.isArray(value) && value.length === 0)
    if (!isEmpty || (sql.writes && (name === 'bounded' || name === 'by_key')))
      found[`sql.${name}`] = value
  }
  const ofWrites = ['bounded', 'by_key', 'tables_written']
  for (const name of Object.keys(FACT_GROUPS.sql)) {
    if (name === 'statements' && sql.statements === 1n) continue
    if (name === 'literals' || name === 'params') continue
    if (name === 'tags' && sql.tags.join() === sql.commands.join()) continue
    if (ofWrites.includes(name) && !sql.writes && sql.tables_written.length === 0) continue
    add(name)
  }
  if (facts.findings.length > 0) found.findings = factAt(facts, 'findings')
  return found
}

function factAt(facts: Facts, path: string): Plain {
  if (Object.hasOwn(SINGLE_FACTS, path))
    return path === 'now'
      ? facts.now.toISOString()
      : facts.findings.map((one) => `${one.count} ${one.detector} in ${one.where}`)
  const [group, name] = path.split('.') as [FactGroupName, string]
  const view: unknown = facts[group]
  if (view === undefined) return NOT_KNOWN
  return plain((view as Record<string, unknown>)[name])
}

function plain(value: unknown): Plain {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
    ? value
    : null
}
