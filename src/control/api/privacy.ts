/** IO. Legal holds and erasure over the API. What may be done is decided and recorded in control/privacy.ts. */
import type { Scope } from '../../record/retention.ts'
import { type Answer, json, problem } from '../answer.ts'
import type { Privacy } from '../privacy.ts'
import type { ErasureRecord } from '../state/erasures.ts'
import type { Hold } from '../state/holds.ts'
import { Fields } from './fields.ts'
import type { Call, Route } from './route.ts'

export interface PrivacyParts {
  readonly privacy: Privacy
}

const REASON_CHARACTERS_MAX = 200
const HOLDS = '/api/v1/audit/holds'
const ERASURES = '/api/v1/audit/erasures'
const TEXT = { type: 'string', maxLength: REASON_CHARACTERS_MAX }

export function privacyRoutes({ privacy }: PrivacyParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: HOLDS,
      needs: 'audit',
      summary: 'Lists legal holds, oldest first.',
      handle: async () => json(200, { holds: (await privacy.holds()).map(shownHold) }),
    },
    {
      method: 'POST',
      path: HOLDS,
      needs: 'hold',
      summary:
        'Keeps what was recorded of a session, a job or a subject from retention and erasure.',
      body: bodyOf(['session', 'job', 'subject'], {}),
      recordsItself: true,
      handle: (call) => hold(call, privacy),
    },
    {
      method: 'DELETE',
      path: `${HOLDS}/{id}`,
      needs: 'hold',
      summary: 'Removes a legal hold.',
      recordsItself: true,
      handle: (call) => release(call, privacy),
    },
    {
      method: 'GET',
      path: ERASURES,
      needs: 'audit',
      summary: 'Lists erasures, newest first.',
      handle: async () => json(200, { erasures: (await privacy.erasures()).map(shownErasure) }),
    },
    {
      method: 'POST',
      path: ERASURES,
      needs: 'erase',
      summary: 'Erases what a session, or all sessions of a subject, have said and were shown.',
      body: bodyOf(['session', 'subject'], { force: { type: 'boolean' } }),
      recordsItself: true,
      handle: (call) => erase(call, privacy),
    },
  ]
}

async function hold(call: Call, privacy: Privacy): Promise<Answer> {
  const asked = readAsked(call.body, ['session', 'job', 'subject'])
  if (Array.isArray(asked)) return problem(400, 'The hold cannot be added.', { problems: asked })
  if (isWorkload(call)) return problem(403, 'A workload cannot add a hold.')
  return json(201, shownHold(await privacy.hold(call.caller, asked.scope, asked.reason)))
}

async function release(call: Call, privacy: Privacy): Promise<Answer> {
  if (isWorkload(call)) return problem(403, 'A workload cannot remove a hold.')
  const reason = call.query.get('reason') ?? ''
  if (reason === '' || reason.length > REASON_CHARACTERS_MAX || /\p{C}/u.test(reason))
    return problem(400, 'Say why: ?reason=…, at most 200 characters.')
  if (!(await privacy.release(call.caller, call.id, reason)))
    return problem(404, 'There is no such hold.')
  return json(200, { id: call.id, removed: true })
}

async function erase(call: Call, privacy: Privacy): Promise<Answer> {
  const asked = readAsked(call.body, ['session', 'subject'])
  if (Array.isArray(asked)) return problem(400, 'Nothing can be erased.', { problems: asked })
  if (isWorkload(call)) return problem(403, 'A workload cannot erase.')
  const { scope, reason, force } = asked
  const erased = await privacy.erase(call.caller, scope, { reason, force })
  switch (erased.type) {
    case 'none':
      return problem(404, 'Nothing is recorded of it.')
    case 'held':
      return problem(409, `A legal hold keeps ${erased.events} of its events; nothing was erased.`)
    case 'changed':
      return problem(
        409,
        'Its record is not as it was signed, and erasing would hide that; nothing was erased. Verify it first, then send "force": true.',
        { sessions: erased.sessions },
      )
    case 'erased': {
      const { id, found, aside, isDone } = erased
      const { sessions, events } = found
      return json(isDone ? 200 : 202, { id, sessions, events, set_aside: aside, done: isDone })
    }
    default:
      return erased satisfies never
  }
}

/** Whoever runs a job must not be able to hide what it did. */
function isWorkload({ caller }: Call): boolean {
  return caller.identity !== undefined && caller.identity.kind !== 'human'
}

interface Asked {
  readonly scope: Scope
  readonly reason: string
  readonly force: boolean
}

function readAsked(body: unknown, kinds: readonly Scope['kind'][]): Asked | string[] {
  const canForce = !kinds.includes('job')
  const fields = new Fields(body, [...kinds, 'reason', ...(canForce ? ['force'] : [])])
  const scopes = kinds.flatMap((kind) => {
    const name = fields.name(kind)
    return name === undefined ? [] : [{ kind, name }]
  })
  const reason = fields.name('reason')
  const force = canForce && typeof body === 'object' && body !== null && 'force' in body
  if (force && body.force !== true && body.force !== false)
    fields.wrong('force', 'expected true or false')
  const [scope, another] = scopes
  if (fields.problems.length === 0 && (scope === undefined || another !== undefined))
    fields.problems.push(`expected one of ${kinds.join(', ')}`)
  if (fields.problems.length === 0 && reason === undefined) fields.wrong('reason', 'is missing')
  if (fields.problems.length > 0 || scope === undefined || reason === undefined)
    return fields.problems
  return { scope, reason, force: force && body.force === true }
}

function bodyOf(kinds: readonly string[], more: Readonly<Record<string, unknown>>) {
  return {
    type: 'object',
    required: ['reason'],
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(kinds.map((kind) => [kind, TEXT])),
      reason: TEXT,
      ...more,
    },
  }
}

function shownHold({ id, kind, name, reason, addedBy, addedAt }: Hold): Record<string, unknown> {
  return { id, kind, name, reason, added_by: addedBy, added_at: shownTime(addedAt) }
}

function shownErasure(one: ErasureRecord): Record<string, unknown> {
  const { id, kind, name, reason, askedBy, askedAt, sessions, doneAt } = one
  return {
    ...{ id, kind, name, reason, sessions },
    asked_by: askedBy,
    asked_at: shownTime(askedAt),
    done_at: doneAt === undefined ? null : shownTime(doneAt),
  }
}

function shownTime(microseconds: number): string {
  return new Date(microseconds / 1000).toISOString()
}
