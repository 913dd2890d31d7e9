/**
 * Pure apart from what it is handed. Policies over the API: which are in force, what would happen to a statement and why,
 * and what a candidate would have decided about what was recorded. The work is done by a thread of its own; here are read
 * the question and who may ask it.
 */
import { didYouMean } from '../../config/problem.ts'
import type { Config } from '../../config/shape.ts'
import { parseDuration } from '../../config/units.ts'
import type { JobAnswer, PolicyJob } from '../../policy/jobs.ts'
import type { PolicyFile } from '../../threads/messages.ts'
import { type Answer, problem } from '../answer.ts'
import { Fields } from './fields.ts'
import type { Call, Route } from './route.ts'

export interface PolicyParts {
  config(): Config
  /** undefined: too many questions of this kind wait. Rejects with GW_UNAVAILABLE. */
  work(job: PolicyJob, gone: AbortSignal | undefined): Promise<JobAnswer> | undefined
}

const PAGE_MAX = 500
const STATEMENT_CHARACTERS_MAX = 512 * 1024
const SCHEMA_CHARACTERS_MAX = 512 * 1024
const PARAMS_MAX = 1000
const FILES_MAX = 1000
const SINCE_MS_MAX = 400 * 86_400_000

const TEXT = { type: 'string' }
const NAMES = { type: 'array', items: TEXT }
const CANDIDATE = {
  type: 'array',
  description: 'the files of a candidate, all of them',
  maxItems: FILES_MAX,
  items: {
    type: 'object',
    required: ['path', 'text'],
    additionalProperties: false,
    properties: { path: TEXT, text: TEXT },
  },
}

const EXPLAIN = {
  connection: TEXT,
  statement: { ...TEXT, maxLength: STATEMENT_CHARACTERS_MAX },
  as: { ...TEXT, description: 'the subject' },
  roles: { ...NAMES, description: 'exactly these; left out: those of the configuration' },
  groups: NAMES,
  kind: { enum: ['human', 'workload'] },
  job: TEXT,
  database: TEXT,
  params: { type: 'array', items: TEXT, maxItems: PARAMS_MAX },
  in_transaction: { type: 'boolean' },
  schema: { ...TEXT, description: 'DDL', maxLength: SCHEMA_CHARACTERS_MAX },
  candidate: CANDIDATE,
}

const BACKTEST = {
  candidate: CANDIDATE,
  since: { ...TEXT, description: 'a duration such as 6h or 7d, the default' },
  connection: TEXT,
}

function bodyOf(properties: Readonly<Record<string, unknown>>, required: readonly string[]) {
  return { type: 'object', required, additionalProperties: false, properties }
}

export function policyRoutes(parts: PolicyParts): readonly Route[] {
  const path = '/api/v1/policies'
  return [
    {
      method: 'GET',
      path,
      needs: 'view',
      summary: 'Lists the policies in force, by name, with rules, masks and warnings.',
      handle: (call) => list(call, parts),
    },
    {
      method: 'POST',
      path: `${path}/explain`,
      needs: 'view',
      summary: 'Says what would happen to a statement and why; nothing is sent anywhere.',
      body: bodyOf(EXPLAIN, ['connection', 'statement']),
      handle: (call) => explain(call, parts),
    },
    {
      method: 'POST',
      path: `${path}/backtest`,
      needs: 'audit',
      summary: 'Says what a candidate would have decided about what was recorded.',
      body: bodyOf(BACKTEST, ['candidate']),
      handle: (call) => backtest(call, parts),
    },
  ]
}

async function list(call: Call, parts: PolicyParts): Promise<Answer> {
  const limit = Math.min(PAGE_MAX, Math.max(1, Number(call.query.get('limit') ?? 100) || 1))
  const after = call.query.get('cursor') ?? ''
  return answered(call, parts, { type: 'list', after, limit })
}

async function explain(call: Call, parts: PolicyParts): Promise<Answer> {
  const fields = new Fields(call.body, Object.keys(EXPLAIN))
  const config = parts.config()
  const statement = fields.text('statement', STATEMENT_CHARACTERS_MAX)
  if (statement === undefined) missing(fields, call.body, 'statement')
  const roles = fields.names('roles')
  for (const role of roles ?? []) unknown(fields, 'roles', role, config.roles)
  const asked = {
    subject: fields.name('as') ?? '',
    roles,
    groups: fields.names('groups') ?? [],
    kind: fields.oneOf('kind', ['human', 'workload']) ?? 'workload',
    job: fields.name('job') ?? '',
    connection: connectionOf(fields, config),
    database: fields.name('database') ?? '',
    statement: statement ?? '',
    params: texts(fields, call.body, 'params'),
    inTransaction: flag(fields, call.body, 'in_transaction'),
  }
  if (asked.connection === '') missing(fields, call.body, 'connection')
  const schema = fields.text('schema', SCHEMA_CHARACTERS_MAX) ?? ''
  const candidate = filesOf(fields, call.body)
  if (fields.problems.length > 0) return refused(fields)
  return answered(call, parts, { type: 'explain', asked, schema, candidate })
}

async function backtest(call: Call, parts: PolicyParts): Promise<Answer> {
  const fields = new Fields(call.body, Object.keys(BACKTEST))
  const connection = connectionOf(fields, parts.config())
  const sinceMs = parseDuration(fields.text('since') ?? '7d')
  if (sinceMs === undefined || sinceMs <= 0 || sinceMs > SINCE_MS_MAX)
    fields.wrong('since', 'expected a duration such as 6h or 7d, at most 400d')
  const candidate = filesOf(fields, call.body)
  if (candidate === undefined) missing(fields, call.body, 'candidate')
  if (fields.problems.length > 0) return refused(fields)
  const job = { candidate: candidate ?? [], sinceMs: sinceMs ?? 0, connection }
  return answered(call, parts, { type: 'backtest', ...job })
}

async function answered(call: Call, parts: PolicyParts, job: PolicyJob): Promise<Answer> {
  const working = parts.work(job, call.gone)
  if (working === undefined)
    return problem(429, 'Others ask the same at the moment. Ask again when they are done.')
  const answer = await working
  if (answer.type === 'wrong') return problem(400, answer.say, { problems: answer.problems })
  return { status: 200, headers: { 'content-type': 'application/json' }, body: answer.body }
}

function refused(fields: Fields): Answer {
  return problem(400, 'The question cannot be read.', { problems: fields.problems })
}

function connectionOf(fields: Fields, config: Config): string {
  const connection = fields.name('connection') ?? ''
  if (connection !== '') unknown(fields, 'connection', connection, config.connections)
  return connection
}

function unknown(
  fields: Fields,
  field: string,
  name: string,
  known: ReadonlyMap<string, unknown>,
): void {
  if (!known.has(name))
    fields.wrong(field, `there is no such name${didYouMean(name, known.keys())}`)
}

/** A field that is there and wrong has its problem already. */
function missing(fields: Fields, body: unknown, name: string): void {
  const value = fieldOf(body, name)
  if (value === undefined || value === null) fields.wrong(name, 'is missing')
}

function texts(fields: Fields, body: unknown, name: string): readonly string[] {
  const value = fieldOf(body, name) ?? []
  if (Array.isArray(value) && value.length <= PARAMS_MAX && value.every(isText)) return value
  fields.wrong(name, `expected a list of at most ${PARAMS_MAX} texts`)
  return []
}

function flag(fields: Fields, body: unknown, name: string): boolean {
  const value = fieldOf(body, name) ?? false
  if (typeof value !== 'boolean') fields.wrong(name, 'expected true or false')
  return value === true
}

function filesOf(fields: Fields, body: unknown): readonly PolicyFile[] | undefined {
  const value = fieldOf(body, 'candidate') ?? undefined
  if (value === undefined) return undefined
  const are = Array.isArray(value) && value.length > 0 && value.length <= FILES_MAX
  if (are && value.every(isFile) && new Set(value.map(({ path }) => path)).size === value.length)
    return value.map(({ path, text }) => ({ path, text }))
  fields.wrong('candidate', `expected 1 to ${FILES_MAX} files {"path", "text"}, each path once`)
  return undefined
}

function isFile(value: unknown): value is PolicyFile {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { path, text, ...more } = value as Record<string, unknown>
  // It stands in problems, and those in tables and logs.
  const isPath = isText(path) && /^[^\p{C}]{1,300}$/u.test(path)
  return isPath && isText(text) && Object.keys(more).length === 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function fieldOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  return Object.hasOwn(body, name) ? Object(body)[name] : undefined
}
