/** Pure. The body of a request for evidence, read strictly: what comes back in a cursor was made by us, and is not believed. */
import type { EvidenceChain, EvidenceCursor, EvidenceScope } from '../../record/evidence-page.ts'

const SESSION = { type: 'string', maxLength: 64 }
const COUNT = { type: 'integer' }
const SCOPE = { type: 'object', properties: { type: { enum: ['range', 'session'] } } }

/** JSON Schema. */
export const EVIDENCE_BODY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    since: { ...COUNT, description: 'microseconds since 1970; 0 is all of it' },
    session: SESSION,
    cursor: {
      type: 'object',
      description: 'the `next` of the page before',
      properties: {
        scope: SCOPE,
        made: COUNT,
        chains: {
          type: 'array',
          items: { type: 'object', properties: { id: SESSION, leaves: COUNT, head: COUNT } },
        },
        n: COUNT,
        number: COUNT,
      },
    },
  },
}

const CHAINS_MAX = 10_000
const CALLS_MAX = 1000

/** undefined: none of the three forms. */
export function readEvidence(body: unknown): EvidenceScope | EvidenceCursor | undefined {
  if (!isMapping(body)) return undefined
  const { since, session, cursor } = body
  if (cursor !== undefined) return readCursor(cursor)
  return readScope(session === undefined ? { type: 'range', since } : { type: 'session', session })
}

function readCursor(given: unknown): EvidenceCursor | undefined {
  if (!isMapping(given)) return undefined
  const { chains, made, n, number } = given
  const scope = readScope(given.scope)
  if (scope === undefined || !isList(chains) || chains.length > CHAINS_MAX) return undefined
  if (!chains.every(isChain) || !isCount(n) || !isCount(number) || !isCount(made)) return undefined
  return { scope, made, chains, n, number }
}

function readScope(given: unknown): EvidenceScope | undefined {
  if (!isMapping(given)) return undefined
  const { type, since, session, calls = [] } = given
  if (type === 'session') {
    const areCalls = isList(calls) && calls.length <= CALLS_MAX && calls.every(isName)
    return isName(session) && areCalls
      ? { type, session, ...(calls.length > 0 ? { calls } : {}) }
      : undefined
  }
  return type === 'range' && isCount(since) && since >= 0 ? { type, since } : undefined
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isChain(value: unknown): value is EvidenceChain {
  return isMapping(value) && isName(value.id) && isCount(value.leaves) && isCount(value.head)
}

/** Of a session or a chain. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,128}$/.test(value)
}

/** -1 stands for the beginning. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= -1
}
