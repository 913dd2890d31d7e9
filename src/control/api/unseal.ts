/** IO. Sealed originals over the API: released to whoever an approved request was given, and to nobody else. */
import type { UnsealApproval } from '../../decide/unseal.ts'
import { sealedBatches, sealedKey } from '../../replay/sealed.ts'
import type { Store } from '../../replay/store.ts'
import type { Release } from '../../replay/unseal.ts'
import { type Answer, json, problem } from '../answer.ts'
import { type ReleaseParts, releaseSealed, type SealedSession } from '../release.ts'
import { Fields } from './fields.ts'
import type { Call, Route } from './route.ts'

export interface UnsealParts extends Omit<ReleaseParts, 'sealed'> {
  /** What an approved request has become; undefined: there is no such request, or it was not approved. */
  unsealApproval(request: string): Promise<UnsealApproval | undefined>
  store(): Store
}

const NEEDS_REQUEST =
  'An unseal needs a request that somebody else has approved, and this version has no requests yet: originals stay sealed.'

export function unsealRoutes(parts: UnsealParts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/audit/unseal',
      needs: 'unseal',
      summary: 'Releases the sealed originals of a session, for an approved request.',
      recordsItself: true,
      body: {
        type: 'object',
        required: ['session'],
        additionalProperties: false,
        properties: { session: { type: 'string' }, request: { type: 'string' } },
      },
      handle: (call) => unseal(call, parts),
    },
  ]
}

async function unseal(call: Call, parts: UnsealParts): Promise<Answer> {
  const fields = new Fields(call.body, ['session', 'request'])
  const [session, request] = [fields.name('session'), fields.name('request')]
  if (session === undefined || fields.problems.length > 0)
    return problem(400, 'Send {"session": "…", "request": "req_…"}.', { problems: fields.problems })
  const approval = request === undefined ? undefined : await parts.unsealApproval(request)
  if (approval === undefined) {
    parts.record(call.caller, { status: 'unseal-refused', text: `session ${session}` })
    return problem(403, NEEDS_REQUEST)
  }
  const sealed = (id: string) => sealedOf(parts.store(), id)
  return json(200, await releaseSealed(call.caller, approval, session, { ...parts, sealed }))
}

async function sealedOf(store: Store, session: string): Promise<SealedSession> {
  const ask = (question: ReturnType<typeof sealedKey>) => store.query(question.sql, question.params)
  const [key] = await ask(sealedKey(session))
  const batches = await ask(sealedBatches(session))
  return {
    key: key && {
      keyId: String(key.key_id),
      wrapped: Buffer.from(String(key.wrapped), 'base64'),
    },
    batches: batches as unknown as Release['batches'],
  }
}
