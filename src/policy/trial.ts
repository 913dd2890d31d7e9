/**
 * Pure once the parser is loaded. One message, tried under policies without a session: the same reading, masks, rules
 * and order of refusals as in the gateway, and besides the verdict everything that led to it.
 *
 * What only a session has is as it is in a new one: nothing counted, no prepared statement but those of the message.
 */

import type { Config } from '../config/shape.ts'
import type { Action } from '../decide/action.ts'
import { type DecideContext, decide, type SessionState } from '../decide/decide.ts'
import { Facts } from '../decide/facts/view.ts'
import { admit, type Grant } from '../decide/grant.ts'
import { GATEWAY_ISSUER } from '../decide/member.ts'
import type { Guard, PolicySet } from '../decide/policy.ts'
import type { PolicyRule } from '../decide/policy-file.ts'
import type { PolicyTest } from '../decide/policy-tests.ts'
import type { Verdict } from '../decide/verdict.ts'
import { type Identity, NO_JOB } from '../identify/identity.ts'
import { findingsOf } from '../mask/findings.ts'
import { actionOf, verdictOf } from '../protocols/postgres/judge.ts'
import { underMasks } from '../protocols/postgres/mask-refusals.ts'
import { withNamed } from '../protocols/postgres/named.ts'
import { type Masks, masksOf } from '../protocols/postgres/session-masks.ts'
import { analyse } from '../protocols/postgres/sql/analyse.ts'
import type { AnalyseOptions, Names, Statement } from '../protocols/postgres/sql/analysis.ts'
import { lineageOf, type StatementLineage } from '../protocols/postgres/sql/lineage/lineage.ts'
import { opaqueStatement, TOO_LARGE } from '../protocols/postgres/sql/opaque-statement.ts'

/** Who asks, for what. */
export interface Asked
  extends Omit<PolicyTest['as'], 'roles'>,
    Pick<PolicyTest, 'connection' | 'database' | 'statement' | 'params' | 'inTransaction'> {
  /** Exactly these; undefined: those that the configuration gives to such an identity. */
  readonly roles: readonly string[] | undefined
}

export interface TriedRule {
  readonly rule: PolicyRule
  readonly value: boolean | 'error'
}

export interface TriedStatement {
  readonly text: string
  readonly statement: Statement
  readonly action: Action
  readonly verdict: Verdict
  /** Every rule that speaks of the grant, in the order of files and lines. */
  readonly rules: readonly TriedRule[]
  readonly context: DecideContext
}

export interface Tried {
  /** undefined: no role grants the connection, and nothing was read. */
  readonly grant: Grant | undefined
  readonly guard: Guard | undefined
  readonly masks: Masks | undefined
  readonly statements: readonly TriedStatement[]
  /** What each result column comes from, by statement; undefined: the text cannot be read. */
  readonly lineage: readonly StatementLineage[] | undefined
  /** Of the message: one statement refused refuses all of them. */
  readonly verdict: Verdict
}

export interface Place {
  readonly config: Config
  readonly policies: PolicySet
  readonly names: Names
  /** Milliseconds since 1970, for `now`. */
  readonly now: number
}

const NEW_SESSION: SessionState = {
  id: '',
  clientIp: '127.0.0.1',
  ageSeconds: 0,
  statements: 0,
  rows: 0,
  bytes: 0,
  maskedValues: 0,
}

export function tryOut(asked: Asked, place: Place): Tried {
  const grant = grantOf(asked, place.config)
  if (grant === undefined) return NOT_GRANTED
  const guard = place.policies.guard(grant)
  const masks = masksIn(grant, guard, place.names)
  const options = optionsOf({ grant, masks, place })
  const statements = statementsOf(asked, options, place.config.limits.statementBytesMax)
  const named = new Map<string, Statement>()
  const tried: TriedStatement[] = []
  let { inTransaction } = asked
  for (const own of statements) {
    const found = withNamed(own, (kind, name) => named.get(`${kind} ${name}`))
    const statement = underMasks(found === 'wait' ? own : found, masks)
    const text = textOf(asked.statement, statement, statements.length)
    const question = {
      statement,
      exact: text,
      recorded: text,
      params: asked.params,
      statements: statements.length,
      inTransaction,
    }
    const action = actionOf(question)
    const context = contextOf(action, { grant, guard, now: place.now })
    const verdict = verdictOf(statement, decide(guard, action, context))
    const facts = new Facts(action, context)
    const rules = guard.rules.map((rule) => ({ rule, value: rule.rule.test(facts) }))
    tried.push({ text, statement, action, verdict, rules, context })
    const { prepares, declares, transaction } = statement.effect
    if (prepares !== undefined) named.set(`prepared ${prepares.name}`, prepares.body)
    if (declares !== undefined) named.set(`cursor ${declares.name}`, declares.body)
    if (transaction === 'begin') inTransaction = true
  }
  const refused = tried.find(({ verdict }) => verdict.verdict === 'deny')
  const verdict = refused?.verdict ?? tried[0]?.verdict ?? EMPTY
  const lineage = lineageOf(asked.statement, options)
  return { grant, guard, masks, statements: tried, lineage, verdict }
}

/** Resolved once for many statements. */
const resolved = new WeakMap<Guard, WeakMap<Names, Map<string, Masks>>>()

function masksIn(grant: Grant, guard: Guard, names: Names): Masks {
  const byNames = entry(resolved, guard, () => new WeakMap<Names, Map<string, Masks>>())
  const byDatabase = entry(byNames, names, () => new Map<string, Masks>())
  const place = [grant.connection.name, grant.database]
  const mayDefine = grant.allow.has('schema')
  const key = JSON.stringify([...place, mayDefine])
  const known = byDatabase.get(key)
  if (known !== undefined) return known
  const made = masksOf(guard, names, { key: `trial ${key}`, place, mayDefine })
  byDatabase.set(key, made)
  return made
}

function entry<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Roles that are named are held, whoever their members are; the rest of the configuration counts. */
export function grantOf(
  asked: Pick<Asked, 'subject' | 'roles' | 'groups' | 'kind' | 'job' | 'connection' | 'database'>,
  config: Config,
): Grant | undefined {
  const identity: Identity = {
    subject: asked.subject,
    kind: asked.kind,
    issuer: GATEWAY_ISSUER,
    groups: asked.groups,
    rolesOnly: asked.roles,
    connectionsOnly: undefined,
    owner: '',
    job: asked.job === '' ? NO_JOB : { ...NO_JOB, id: asked.job, verified: true },
    credentialId: 'trial',
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
  const target = {
    connection: asked.connection,
    database: asked.database === '' ? undefined : asked.database,
  }
  return admit(asked.roles === undefined ? config : holding(config, asked.roles), identity, target)
}

function holding(config: Config, roles: readonly string[]): Config {
  const held = [...config.roles].map(
    ([name, role]) =>
      [name, roles.includes(name) ? { ...role, members: ['subject:*'] } : role] as const,
  )
  return { ...config, roles: new Map(held) }
}

function optionsOf(of: { grant: Grant; masks: Masks; place: Place }): AnalyseOptions {
  const { functionsRead, identityParameter } = of.grant.connection
  return { names: of.place.names, masked: of.masks.all, functionsRead, identityParameter }
}

function statementsOf(
  asked: Asked,
  options: AnalyseOptions,
  bytesMax: number,
): readonly Statement[] {
  const text = asked.statement
  if (Buffer.byteLength(text) > bytesMax) return [opaqueStatement(text, TOO_LARGE)]
  const analysis = analyse(text, options)
  return analysis.opaque === undefined
    ? analysis.statements
    : [opaqueStatement(text, analysis.opaque)]
}

function contextOf(
  action: Action,
  { grant, guard, now }: { grant: Grant; guard: Guard; now: number },
): DecideContext {
  const findings = guard.readsFindings ? findingsOf(action, guard.detectors) : []
  return { grant, now, findings, session: NEW_SESSION }
}

function textOf(text: string, { start, end }: Statement, count: number): string {
  return count === 1 ? text : Buffer.from(text).toString('utf8', start, end).trim()
}

const NO_GRANT: Verdict = {
  verdict: 'deny',
  kind: 'not_allowed',
  rule: '',
  say: 'There is no such connection for this identity.',
  hint: 'No role that it holds grants the connection, or the database is not one of its databases.',
  position: undefined,
}

const NOT_GRANTED: Tried = {
  grant: undefined,
  guard: undefined,
  masks: undefined,
  statements: [],
  lineage: undefined,
  verdict: NO_GRANT,
}

const EMPTY: Verdict = { verdict: 'allow', rule: '', wouldDeny: '' }
