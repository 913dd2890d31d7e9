/**
 * Pure. What rules see: one thin object a fact group, each fact a getter over what the gateway holds anyway, so that
 * an evaluation copies nothing and a fact that no rule reads costs nothing. CEL's int is a bigint.
 */
import type { Job } from '../../identify/identity.ts'
import { type Action, highest } from '../action.ts'
import type { Grant } from '../grant.ts'
import type { SqlFacts } from './sql.ts'

/** What decides besides action and grant. */
export interface DecideContext {
  readonly grant: Grant
  readonly session: SessionState
  /** Milliseconds since 1970. */
  readonly now: number
  /** What detectors found in the action's text and parameters. */
  readonly findings: readonly Finding[]
}

/** Counts so far, this action not included. */
export interface SessionState {
  readonly id: string
  readonly clientIp: string
  /** Whole seconds since the session was accepted. */
  readonly ageSeconds: number
  readonly statements: number
  readonly rows: number
  readonly bytes: number
  readonly maskedValues: number
}

export interface Finding {
  readonly detector: string
  readonly count: number
  /** `text`, `params`… */
  readonly where: string
}

export class IdentityView {
  readonly #grant: Grant
  constructor(grant: Grant) {
    this.#grant = grant
  }
  get subject(): string {
    return this.#grant.identity.subject
  }
  get kind(): string {
    return this.#grant.identity.kind
  }
  get issuer(): string {
    return this.#grant.identity.issuer
  }
  get groups(): readonly string[] {
    return this.#grant.identity.groups
  }
  /** Those that grant this connection. */
  get roles(): readonly string[] {
    return this.#grant.roles
  }
  get owner(): string {
    return this.#grant.identity.owner
  }
}

export class JobView {
  readonly id: string
  readonly run: string
  readonly agent: string
  readonly parent: string
  readonly verified: boolean
  constructor(job: Job) {
    this.id = job.id
    this.run = job.run
    this.agent = job.agent
    this.parent = job.parentAgent
    this.verified = job.verified
  }
}

export class ConnectionView {
  readonly name: string
  readonly type: string
  readonly labels: Readonly<Record<string, string>>
  constructor(grant: Grant) {
    this.name = grant.connection.name
    this.type = grant.connection.type
    this.labels = grant.connection.labels
  }
}

export class SessionView {
  readonly #session: SessionState
  constructor(session: SessionState) {
    this.#session = session
  }
  get id(): string {
    return this.#session.id
  }
  get client_ip(): string {
    return this.#session.clientIp
  }
  get age(): bigint {
    return int(this.#session.ageSeconds)
  }
  get statements(): bigint {
    return int(this.#session.statements)
  }
  get rows(): bigint {
    return int(this.#session.rows)
  }
  get bytes(): bigint {
    return int(this.#session.bytes)
  }
  get masked_values(): bigint {
    return int(this.#session.maskedValues)
  }
}

export class ActionView {
  readonly #action: Action
  constructor(action: Action) {
    this.#action = action
  }
  get class(): string {
    return highest(this.#action.classes)
  }
  get classes(): readonly string[] {
    return this.#action.classes
  }
  get verb(): string {
    return this.#action.verb
  }
  get objects(): readonly string[] {
    return this.#action.objects
  }
  get opaque(): boolean {
    return this.#action.classes.includes('opaque')
  }
  get text(): string {
    return this.#action.text
  }
}

export class SqlView {
  readonly #sql: SqlFacts
  constructor(sql: SqlFacts) {
    this.#sql = sql
  }
  get commands(): readonly string[] {
    return this.#sql.commands
  }
  get tags(): readonly string[] {
    return this.#sql.tags
  }
  get tables(): readonly string[] {
    return this.#sql.tables
  }
  get tables_written(): readonly string[] {
    return this.#sql.tables_written
  }
  get columns(): readonly string[] {
    return this.#sql.columns
  }
  get functions(): readonly string[] {
    return this.#sql.functions
  }
  get writes(): boolean {
    return this.#sql.writes
  }
  get bounded(): boolean {
    return this.#sql.bounded
  }
  get by_key(): boolean {
    return this.#sql.by_key
  }
  get has_where(): boolean {
    return this.#sql.has_where
  }
  get where_always_true(): boolean {
    return this.#sql.where_always_true
  }
  get literals(): readonly string[] {
    return this.#sql.literals
  }
  get statements(): bigint {
    return int(this.#sql.statements)
  }
  get in_transaction(): boolean {
    return this.#sql.in_transaction
  }
  get copy(): string {
    return this.#sql.copy
  }
  get params(): readonly string[] {
    return this.#sql.params
  }
  get triggers(): readonly string[] {
    return this.#sql.triggers
  }
}

export class FindingView {
  readonly detector: string
  readonly count: bigint
  readonly where: string
  constructor(finding: Finding) {
    this.detector = finding.detector
    this.count = int(finding.count)
    this.where = finding.where
  }
}

/** All facts of one action, made once and read by every rule. */
export class Facts {
  readonly identity: IdentityView
  readonly job: JobView
  readonly connection: ConnectionView
  readonly action: ActionView
  /**
   * undefined: the protocol has none, or the action could not be understood. A rule that reads them then fails,
   * and a rule that fails denies.
   */
  readonly sql: SqlView | undefined
  readonly #context: DecideContext
  #session: SessionView | undefined
  #findings: readonly FindingView[] | undefined

  constructor(action: Action, context: DecideContext) {
    const fixed = grantViews(context.grant)
    this.identity = fixed.identity
    this.job = fixed.job
    this.connection = fixed.connection
    this.action = new ActionView(action)
    const { sql } = action.facts
    const understood = sql !== undefined && !action.classes.includes('opaque')
    this.sql = understood ? new SqlView(sql) : undefined
    this.#context = context
  }

  get session(): SessionView {
    this.#session ??= new SessionView(this.#context.session)
    return this.#session
  }

  get now(): Date {
    return new Date(this.#context.now)
  }

  get findings(): readonly FindingView[] {
    this.#findings ??= this.#context.findings.map((finding) => new FindingView(finding))
    return this.#findings
  }
}

interface GrantViews {
  readonly identity: IdentityView
  readonly job: JobView
  readonly connection: ConnectionView
}

const views = new WeakMap<Grant, GrantViews>()

/** Constant for a session; made once a grant. */
function grantViews(grant: Grant): GrantViews {
  const known = views.get(grant)
  if (known !== undefined) return known
  const made = {
    identity: new IdentityView(grant),
    job: new JobView(grant.identity.job),
    connection: new ConnectionView(grant),
  }
  views.set(grant, made)
  return made
}

/** A count that is no whole number is a fact that could not be computed: the conversion throws, and the rule denies. */
function int(value: number): bigint {
  return BigInt(value)
}
