/**
 * Pure. What a policy would have decided about a recorded action, as far as its record tells.
 *
 * Not recorded are the exact text, literals, parameters and findings, counts of the session, and the issuer of the
 * identity. A rule that hangs on one of them, and cannot be told without, leaves the action undecided: nothing is
 * guessed. CEL's && and || are sound for that: what is true or false although one side failed is so whatever it was.
 */
import type { Config } from '../config/shape.ts'
import { type Action, type ActionClass, CLASSES } from '../decide/action.ts'
import type { SqlFacts } from '../decide/facts/sql.ts'
import { Facts, type SessionState } from '../decide/facts/view.ts'
import { admit, type Grant } from '../decide/grant.ts'
import { GATEWAY_ISSUER } from '../decide/member.ts'
import type { Guard, PolicySet } from '../decide/policy.ts'
import type { PolicyRule } from '../decide/policy-file.ts'
import type { Identity } from '../identify/identity.ts'
import type { Finding } from '../mask/findings.ts'
import type { ColumnMaskDeclaration } from '../mask/transform-spec.ts'
import { type RecordedGroup, texts } from './recorded.ts'

export interface Redecided {
  readonly verdict: 'allow' | 'deny' | 'unknown'
  /** The rule that decides; '' for none. */
  readonly rule: string
  /** A rule in mode monitor that would have denied. */
  readonly wouldDeny: string
  /** Why it is unknown, in words. */
  readonly because: string
  /** Masks on the columns that it names; equal texts are equal masks. */
  readonly masks: string
}

/** Everything about one action that does not hang on the policy. */
export interface Remembered {
  readonly action: Action
  readonly grant: Grant
  readonly nowMs: number
  readonly group: RecordedGroup
  /** Facts that were asked for and are not known; emptied before each question. */
  readonly missed: Set<string>
  readonly session: SessionState
}

/** Configurations with the roles of a record held by whoever asks, and grants on them. */
const GRANTS_MAX = 10_000

export class Memory {
  readonly #config: Config
  readonly #grants = new Map<string, Grant | string>()
  readonly #shapes = new Map<string, Shape | string>()
  readonly missed = new Set<string>()

  constructor(config: Config) {
    this.#config = config
  }

  /** A text: why nothing can be decided. */
  recall(group: RecordedGroup): Remembered | string {
    const shape = this.#shape(group.facts)
    if (typeof shape === 'string') return shape
    const grant = this.#grant(group)
    if (typeof grant === 'string') return grant
    const { missed } = this
    const action: Action = {
      protocol: group.protocol,
      classes: shape.classes,
      verb: group.verb,
      objects: texts(group.more.objects),
      opaque: shape.opaque ? { reason: '', position: undefined } : undefined,
      get text(): string {
        return unknown(missed, 'action.text')
      },
      facts: shape.sql === undefined ? {} : { sql: shape.sql },
      ...(shape.findings === undefined ? {} : { findings: shape.findings }),
    }
    return {
      action,
      grant,
      nowMs: Number(group.more.ts_ms ?? 0),
      group,
      missed,
      session: new ForgottenSession(group, missed),
    }
  }

  #shape(facts: string): Shape | string {
    const known = this.#shapes.get(facts)
    if (known !== undefined) return known
    const made = readShape(facts, this.missed)
    if (this.#shapes.size >= GRANTS_MAX) this.#shapes.clear()
    this.#shapes.set(facts, made)
    return made
  }

  #grant(group: RecordedGroup): Grant | string {
    const { connection, database, roles, job, more } = group
    const names = Object.keys(more)
    const who = names.length === 0 ? '' : JSON.stringify(identifying(group))
    const key = [connection, database, roles.join('\u0001'), job, who].join('\u0000')
    const known = this.#grants.get(key)
    if (known !== undefined) return known
    const made = grantFor(group, this.#config, this.missed)
    if (this.#grants.size >= GRANTS_MAX) this.#grants.clear()
    this.#grants.set(key, made)
    return made
  }
}

/** In the order of decide.ts. */
export function redecide(remembered: Remembered, policies: PolicySet): Redecided {
  const { action, grant, group } = remembered
  const guard = policies.guard(grant)
  const masks = masksOn(guard, action)
  const unallowed = action.classes.some((one) => !grant.allow.has(one))
  const asked = new Asked(remembered, guard)
  if (unallowed) {
    const { hit } = asked.first(guard.denials.candidates(action, grant), { errorsDeny: false })
    return { ...NOTHING, verdict: 'deny', rule: hit?.name ?? '', masks }
  }
  const denied = asked.first(guard.denials.candidates(action, grant), { errorsDeny: true })
  if (denied.hit !== undefined) return { ...NOTHING, verdict: 'deny', rule: denied.hit.name, masks }
  if (denied.because !== '') return { ...NOTHING, because: denied.because, masks }
  const named = asked.permission(guard.permissions.candidates(action, grant))
  if (named.failed) return { ...NOTHING, verdict: 'deny', rule: named.rule, masks }
  const monitored = asked.first(guard.monitors.candidates(action, grant), { errorsDeny: true })
  const wouldDeny = monitored.hit?.name ?? ''
  return {
    ...NOTHING,
    verdict: 'allow',
    rule: named.rule,
    wouldDeny,
    masks,
    ...refusedOtherwise(group, action),
  }
}

const NOTHING: Redecided = { verdict: 'unknown', rule: '', wouldDeny: '', because: '', masks: '' }

/** Masks on the columns that the action names, under these policies. */
export function masksUnder({ action, grant }: Remembered, policies: PolicySet): string {
  return masksOn(policies.guard(grant), action)
}

/** `policy/mask-3`, or a mask that follows from others. */
export function isMaskRefusal({ verdict, rule }: Pick<RecordedGroup, 'verdict' | 'rule'>): boolean {
  return verdict === 'denied' && (rule === '' || rule === 'carriers' || /\/mask-\d+$/.test(rule))
}

/** Refusals that are neither a rule's nor a class's: whether they would come again, the facts do not tell. */
function refusedOtherwise(group: RecordedGroup, action: Action): Partial<Redecided> {
  if (group.verdict === 'not_allowed' && action.classes.includes('admin'))
    return { verdict: 'unknown', because: 'refused whatever roles allow, or roles have changed' }
  return {}
}

class Asked {
  readonly #facts: Facts
  readonly #missed: Set<string>

  constructor(remembered: Remembered, { detectors }: Guard) {
    const { action, grant, nowMs, session, missed } = remembered
    this.#missed = missed
    const context = {
      grant,
      session,
      now: nowMs,
      get findings(): readonly Finding[] {
        // What a policy's own detectors would have seen is not recorded.
        const recorded = detectors.length === 0 ? action.findings : undefined
        return recorded ?? unknown(missed, 'findings')
      },
    }
    this.#facts = new Facts(action, context)
  }

  /** The first that is true, or fails by itself; and else what is not known of those that may be. */
  first(
    rules: readonly PolicyRule[],
    { errorsDeny }: { errorsDeny: boolean },
  ): { hit: PolicyRule | undefined; because: string } {
    let because = ''
    for (const rule of rules) {
      const answer = this.#ask(rule)
      if (answer === true || (answer === 'error' && errorsDeny)) return { hit: rule, because: '' }
      if (answer === 'unknown')
        because ||= `${rule.name} reads ${[...this.#missed].sort().join(', ')}`
    }
    return { hit: undefined, because }
  }

  permission(rules: readonly PolicyRule[]): { rule: string; failed: boolean } {
    let named = ''
    for (const rule of rules) {
      const answer = this.#ask(rule)
      if (answer === 'error') return { rule: rule.name, failed: true }
      if (answer === true && named === '') named = rule.name
    }
    return { rule: named, failed: false }
  }

  #ask({ rule }: PolicyRule): boolean | 'error' | 'unknown' {
    this.#missed.clear()
    const answer = rule.test(this.#facts)
    return answer === 'error' && this.#missed.size > 0 ? 'unknown' : answer
  }
}

interface Shape {
  readonly classes: readonly ActionClass[]
  readonly opaque: boolean
  readonly sql: SqlFacts | undefined
  /** Of known detectors, where a rule of then read them. */
  readonly findings: readonly Finding[] | undefined
}

/** What stands in the record of every version that wrote `facts`. */
function readShape(text: string, missed: Set<string>): Shape | string {
  let read: {
    classes?: unknown
    opaque?: unknown
    findings?: unknown
    sql?: Record<string, unknown>
  }
  try {
    read = JSON.parse(text)
  } catch {
    return 'no facts were recorded'
  }
  const { classes, opaque, findings, sql } = read
  if (!Array.isArray(classes) || classes.length === 0 || !classes.every(isClass))
    return 'no facts were recorded'
  if (typeof sql !== 'object' || sql === null) return 'no facts of SQL were recorded'
  const complete =
    LISTS.every((name) => Array.isArray(sql[name])) &&
    FLAGS.every((name) => typeof sql[name] === 'boolean')
  if (!complete || typeof sql.statements !== 'number' || typeof sql.copy !== 'string')
    return 'some facts were not recorded by the version of then'
  const facts = {
    ...(sql as unknown as SqlFacts),
    get literals(): never {
      return unknown(missed, 'sql.literals')
    },
    get params(): never {
      return unknown(missed, 'sql.params')
    },
  }
  return { classes, opaque: opaque === true, sql: facts, findings: findingsIn(findings) }
}

/** A policy's own detector has a dash in its name: that of another policy says nothing here. */
function findingsIn(recorded: unknown): Finding[] | undefined {
  if (!Array.isArray(recorded) || !recorded.every(isFinding)) return undefined
  return recorded.filter(({ detector }) => !detector.includes('-'))
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false
  const { detector, count, where } = value as Partial<Record<keyof Finding, unknown>>
  return typeof detector === 'string' && typeof count === 'number' && typeof where === 'string'
}

const LISTS = ['commands', 'tags', 'tables', 'tables_written', 'columns', 'functions', 'triggers']
const FLAGS = ['writes', 'bounded', 'by_key', 'has_where', 'where_always_true', 'in_transaction']

function isClass(value: unknown): value is ActionClass {
  return CLASSES.some((one) => one === value)
}

function identifying(group: RecordedGroup): unknown {
  const { ts_ms: _ts, session_id: _session, client_ip: _ip, objects: _objects, ...who } = group.more
  return who
}

function grantFor(group: RecordedGroup, config: Config, missed: Set<string>): Grant | string {
  const { more } = group
  const connection = config.connections.get(group.connection)
  if (connection === undefined) return 'the configuration has no such connection any more'
  const gone = group.roles.find((name) => !config.roles.has(name))
  if (gone !== undefined) return `the configuration has no role ${gone} any more`
  let isAdmitted = false
  const identity: Identity = {
    subject: String(more.subject ?? ''),
    kind: more.kind_of_identity === 'human' ? 'human' : 'workload',
    // Members of roles are asked for by it before it is forgotten.
    get issuer(): string {
      return isAdmitted ? unknown(missed, 'identity.issuer') : GATEWAY_ISSUER
    },
    groups: texts(more.groups),
    rolesOnly: group.roles,
    connectionsOnly: undefined,
    owner: String(more.owner ?? ''),
    job: {
      id: group.job,
      run: String(more.run ?? ''),
      agent: String(more.agent ?? ''),
      parentAgent: String(more.parent_agent ?? ''),
      verified: more.job_verified === true,
    },
    credentialId: 'backtest',
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
  const roles = [...config.roles].map(
    ([name, role]) => [name, { ...role, members: ['subject:*'] }] as const,
  )
  const target = { connection: group.connection, database: group.database }
  const grant = admit({ ...config, roles: new Map(roles) }, identity, target)
  isAdmitted = true
  if (grant === undefined || grant.roles.length !== group.roles.length)
    return 'its roles do not grant the connection any more'
  return grant
}

/** What a session has counted is not recorded. */
class ForgottenSession implements SessionState {
  readonly id: string
  readonly clientIp: string
  readonly #missed: Set<string>

  constructor({ more }: RecordedGroup, missed: Set<string>) {
    this.id = String(more.session_id ?? '')
    this.clientIp = String(more.client_ip ?? '')
    this.#missed = missed
  }
  get ageSeconds(): never {
    return unknown(this.#missed, 'session.age')
  }
  get statements(): never {
    return unknown(this.#missed, 'session.statements')
  }
  get rows(): never {
    return unknown(this.#missed, 'session.rows')
  }
  get bytes(): never {
    return unknown(this.#missed, 'session.bytes')
  }
  get maskedValues(): never {
    return unknown(this.#missed, 'session.masked_values')
  }
}

function unknown(missed: Set<string>, fact: string): never {
  missed.add(fact)
  throw new TypeError(`${fact} is not recorded`)
}

/** By guard and facts, of which the same ones come again and again. */
const found = new WeakMap<Guard, WeakMap<SqlFacts, string>>()

/** By the names of columns, as policies write them; views and partitions are the catalogue's to know. */
function masksOn(guard: Guard, { facts }: Action): string {
  const { sql } = facts
  if (guard.masks.columns.length === 0 || sql === undefined) return ''
  let known = found.get(guard)
  if (known === undefined) {
    known = new WeakMap()
    found.set(guard, known)
  }
  const before = known.get(sql)
  if (before !== undefined) return before
  const masks = new Set<string>()
  for (const name of sql.columns)
    for (const declaration of guard.masks.columns)
      if (isNamed(name, declaration)) {
        const { pattern: _pattern, rule: _rule, ...what } = declaration
        masks.add(`${name} ${JSON.stringify(what)}`)
      }
  const text = [...masks].sort().join('\n')
  known.set(sql, text)
  return text
}

function isNamed(name: string, { pattern }: ColumnMaskDeclaration): boolean {
  const parts = name.split('.')
  if (parts.length !== 3) return false
  return pattern.every((part, at) => part === '*' || part === parts[at])
}
