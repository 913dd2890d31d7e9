/**
 * IO. The one sequence by which somebody becomes known, for every protocol and for the API: read the credential, find it,
 * compare, judge, and answer a wrong one no sooner than all other wrong ones.
 *
 * An id that does not exist takes the same look-up, the same comparison and the same delay as one that does. Only the log
 * learns which check failed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isWithin } from '../base/cidr.ts'
import { GatewayError } from '../base/errors.ts'
import type { Identity } from './identity.ts'
import type { Lockout } from './lockout.ts'
import { OPERATOR_ID, parseToken, secretMatches, type TokenRecord } from './token.ts'

export interface IdentifyParts {
  /** Waits until the state database is open. */
  find(id: string): Promise<TokenRecord | undefined>
  readonly lockout: Lockout
  /** Milliseconds since 1970, to judge expiry. */
  now(): number
  /** Milliseconds of a monotonic clock. */
  elapsed(): number
  wait(ms: number): Promise<unknown>
}

export interface Attempt {
  /** What the client gave, in clear. Never logged. */
  readonly credential: string
  /** The peer's address, after any trusted PROXY header. */
  readonly address: string
}

/** Clocks of this process. */
export const REAL_TIME: Pick<IdentifyParts, 'now' | 'elapsed' | 'wait'> = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (ms) => sleep(ms),
}

/** Throws GW_CREDENTIAL_WRONG or GW_CREDENTIAL_LOCKED after the delay, GW_UNAVAILABLE at once when the state is away. */
export async function identify(attempt: Attempt, parts: IdentifyParts): Promise<Identity> {
  const started = parts.elapsed()
  const token = parseToken(attempt.credential)
  const record = await parts.find(token?.id ?? '')
  const known = secretMatches(token?.secret ?? '', record?.secretHash)
  const problem = known && record !== undefined ? unusable(record, attempt, parts.now()) : 'unknown'
  if (problem === undefined && record !== undefined) return identityOf(record)
  throw await refuse(
    { ...attempt, id: token?.id, known, problem: problem ?? 'unknown', started },
    parts,
  )
}

/** The operator's token is a file of this host; the API compares it itself and nothing else knows it. */
export function isOperatorToken(credential: string, secretHash: Uint8Array): boolean {
  const token = parseToken(credential)
  return token !== undefined && token.id === OPERATOR_ID && secretMatches(token.secret, secretHash)
}

/** What a right secret still cannot do, in words for the log; undefined: nothing speaks against it. */
function unusable(record: TokenRecord, attempt: Attempt, nowMs: number): string | undefined {
  if (record.revokedAt !== undefined) return 'revoked'
  // Written so that a time which is not a number has expired.
  if (!(record.expiresAt > nowMs)) return 'expired'
  if (record.from !== undefined && !isWithin(attempt.address, [record.from]))
    return 'used from elsewhere'
  return undefined
}

async function refuse(
  wrong: Attempt & { id: string | undefined; known: boolean; problem: string; started: number },
  parts: IdentifyParts,
): Promise<GatewayError> {
  const name = wrong.id ?? 'malformed'
  const { locked, delayMs } = parts.lockout.wrong(
    wrong.known ? '' : name,
    wrong.address,
    parts.elapsed(),
  )
  const rest = wrong.started + delayMs - parts.elapsed()
  if (rest > 0) await parts.wait(rest)
  // Who knows the secret, and who sends no token at all, is told nothing about locks.
  return locked && !wrong.known && wrong.id !== undefined
    ? new GatewayError('GW_CREDENTIAL_LOCKED', `token ${name}: locked`)
    : new GatewayError('GW_CREDENTIAL_WRONG', `token ${name}: ${wrong.problem}`)
}

function identityOf(record: TokenRecord): Identity {
  return {
    subject: record.subject,
    kind: record.kind,
    issuer: 'gateway',
    groups: record.groups,
    rolesOnly: record.roles,
    connectionsOnly: record.connections,
    owner: record.owner,
    job: {
      id: record.job,
      run: record.run,
      agent: record.agent,
      parentAgent: '',
      verified: record.job !== '',
    },
    credentialId: record.id,
    expiresAt: record.expiresAt,
  }
}
