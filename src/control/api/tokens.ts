/** IO. Gateway tokens over the API: issue, list, revoke. */
import { randomBytes } from 'node:crypto'
import { parseBlock } from '../../base/cidr.ts'
import { ulid } from '../../base/id.ts'
import { didYouMean } from '../../config/problem.ts'
import type { Config } from '../../config/shape.ts'
import { parseDuration } from '../../config/units.ts'
import { hashSecret, parseToken, type TokenRecord, tokenText } from '../../identify/token.ts'
import type { Broadcast } from '../../threads/messages.ts'
import { type Answer, json, problem } from '../answer.ts'
import type { Tokens } from '../state/tokens.ts'
import { Fields } from './fields.ts'
import type { Call, Caller, Route } from './route.ts'

export interface TokenParts {
  config(): Config
  /** Rejects with GW_UNAVAILABLE while the state is not open. */
  tokens(): Promise<Tokens>
  /** Throws GW_RECORDING_LOST; then nothing must be done. */
  record(caller: Caller, moment: { status: string; text: string }): void
  broadcast(message: Broadcast): void
  now(): number
}

const DAY_MS = 86_400_000
const TTL_DEFAULT = '1h'
const TTL_MS_MAX = 366 * DAY_MS
const PAGE_MAX = 200

const FIELDS = [
  'subject',
  'kind',
  'roles',
  'groups',
  'connections',
  'job',
  'run',
  'agent',
  'owner',
  'from',
  'ttl',
] as const

const LISTS = ['roles', 'groups', 'connections']

const BODY = {
  type: 'object',
  required: ['subject'],
  additionalProperties: false,
  properties: Object.fromEntries(
    FIELDS.map((name) => [
      name,
      LISTS.includes(name) ? { type: 'array', items: { type: 'string' } } : { type: 'string' },
    ]),
  ),
}

export function tokenRoutes(parts: TokenParts): readonly Route[] {
  const path = '/api/v1/tokens'
  return [
    {
      method: 'POST',
      path,
      needs: 'tokens',
      summary: 'Issues a gateway token. Its text is in this answer and nowhere else.',
      body: BODY,
      recordsItself: true,
      handle: (call) => issue(call, parts),
    },
    {
      method: 'GET',
      path,
      needs: 'tokens',
      summary: 'Lists tokens, newest first, without secrets.',
      handle: (call) => list(call, parts),
    },
    {
      method: 'DELETE',
      path: `${path}/{id}`,
      needs: 'tokens',
      summary: 'Revokes a token and ends its sessions.',
      recordsItself: true,
      handle: (call) => revoke(call, parts),
    },
  ]
}

async function issue(call: Call, parts: TokenParts): Promise<Answer> {
  // Whoever runs a job must not be able to make itself somebody else.
  if (call.caller.identity !== undefined && call.caller.identity.kind !== 'human')
    return problem(403, 'A workload cannot issue tokens.')
  const id = ulid(parts.now())
  const text = tokenText(id, randomBytes(32))
  const read = readToken(call, parts)
  if (Array.isArray(read)) return problem(400, 'The token cannot be issued.', { problems: read })
  const token: TokenRecord = { ...read, id, secretHash: hashSecret(parseToken(text)!.secret) }
  const tokens = await parts.tokens()
  parts.record(call.caller, { status: 'token-issued', text: `token ${id} for ${token.subject}` })
  await tokens.insert(token)
  return json(201, { token: text, ...shown(token) })
}

async function list(call: Call, parts: TokenParts): Promise<Answer> {
  const limit = Math.min(PAGE_MAX, Math.max(1, Number(call.query.get('limit') ?? PAGE_MAX) || 1))
  const after = call.query.get('cursor') ?? undefined
  const page = await (await parts.tokens()).list({ after, limit })
  return json(200, { tokens: page.tokens.map(shown), next: page.next ?? null })
}

async function revoke(call: Call, parts: TokenParts): Promise<Answer> {
  const tokens = await parts.tokens()
  parts.record(call.caller, { status: 'token-revoked', text: `token ${call.id}` })
  if (!(await tokens.revoke(call.id, parts.now()))) return problem(404, 'There is no such token.')
  parts.broadcast({ type: 'end', credentialId: call.id, code: 'GW_SESSION_KILLED' })
  return json(200, { id: call.id, revoked: true })
}

type Unnamed = Omit<TokenRecord, 'id' | 'secretHash'>

/** The token, or every problem. */
function readToken(call: Call, parts: TokenParts): Unnamed | string[] {
  const fields = new Fields(call.body, FIELDS)
  const config = parts.config()
  const subject = fields.name('subject')
  if (subject === undefined && fields.problems.length === 0) fields.wrong('subject', 'is missing')
  const [job, run, agent] = [fields.name('job'), fields.name('run'), fields.name('agent')]
  const isWork = job !== undefined || agent !== undefined
  const roles = known(fields, 'roles', config.roles)
  const connections = known(fields, 'connections', config.connections)
  const from = fields.text('from')
  if (from !== undefined && parseBlock(from) === undefined)
    fields.wrong('from', 'expected an address or a CIDR block such as 10.0.0.0/8')
  const ttlMs = parseDuration(fields.text('ttl') ?? TTL_DEFAULT)
  if (ttlMs === undefined || ttlMs <= 0 || ttlMs > TTL_MS_MAX)
    fields.wrong('ttl', 'expected a duration such as 15m, 1h or 30d, at most 366d')
  const kind = fields.oneOf('kind', ['human', 'workload']) ?? (isWork ? 'workload' : 'human')
  const [groups, owner] = [fields.names('groups') ?? [], fields.name('owner') ?? '']
  if (fields.problems.length > 0) return fields.problems
  const now = parts.now()
  return {
    subject: subject ?? '',
    kind,
    groups,
    roles,
    connections,
    owner,
    job: job ?? '',
    run: run ?? '',
    agent: agent ?? '',
    from,
    expiresAt: now + (ttlMs ?? 0),
    issuedBy: call.caller.name,
    createdAt: now,
    revokedAt: undefined,
  }
}

/** A name that the configuration does not have narrows to nothing: surely a slip of the pen. */
function known(
  fields: Fields,
  name: 'roles' | 'connections',
  configured: ReadonlyMap<string, unknown>,
): readonly string[] | undefined {
  const names = fields.names(name)
  for (const one of names ?? [])
    if (!configured.has(one))
      fields.wrong(name, `there is no ${one}${didYouMean(one, configured.keys())}`)
  return names
}

/** What may be shown of a token: everything but the hash. */
function shown(token: TokenRecord): Record<string, unknown> {
  return {
    id: token.id,
    subject: token.subject,
    kind: token.kind,
    groups: token.groups,
    roles: token.roles ?? null,
    connections: token.connections ?? null,
    owner: token.owner,
    job: token.job,
    run: token.run,
    agent: token.agent,
    from: token.from ?? null,
    expires_at: new Date(token.expiresAt).toISOString(),
    issued_by: token.issuedBy,
    created_at: new Date(token.createdAt).toISOString(),
    revoked_at: token.revokedAt === undefined ? null : new Date(token.revokedAt).toISOString(),
  }
}
