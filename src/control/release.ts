/**
 * IO. The release of sealed originals: what an approval is used for, recorded before anything is given away.
 *
 *   approval holds → not used before → recorded: who sees what, by whose leave → gateway's half of the key taken off
 *
 * What comes out only a recipient can open, and the gateway never sees what is in it.
 */
import { GatewayError } from '../base/errors.ts'
import { type UnsealApproval, unsealFault } from '../decide/unseal.ts'
import type { Release } from '../replay/unseal.ts'
import type { Caller } from './api/route.ts'
import type { Seals } from './seals.ts'

/** What the record store has of a session. */
export interface SealedSession {
  readonly key: { readonly keyId: string; readonly wrapped: Uint8Array } | undefined
  readonly batches: Release['batches']
}

export interface ReleaseParts {
  readonly seals: Pick<Seals, 'release'>
  sealed(session: string): Promise<SealedSession>
  /** Throws GW_RECORDING_LOST: then nothing is released. */
  record(caller: Caller, moment: { status: string; text: string }): void
  /** Durable: true once for each request. */
  use(request: string): Promise<boolean>
  /** Milliseconds since 1970. */
  now(): number
}

/** Rejects with GatewayError; its `say` is for the asker. */
export async function releaseSealed(
  caller: Caller,
  approval: UnsealApproval,
  session: string,
  parts: ReleaseParts,
): Promise<Release> {
  const subject = caller.identity?.subject
  if (subject === undefined) throw refused('The operator of the host may not unseal.')
  const fault = unsealFault(approval, { session, subject, now: parts.now() })
  if (fault !== undefined) throw refused(fault)
  const { key, batches } = await parts.sealed(session)
  if (key === undefined || batches.length === 0)
    throw refused('Nothing is sealed of this session, or it was erased.')
  // A use that could not be noted, or recorded, is none.
  if (!(await parts.use(approval.request))) throw refused('The approval was used already.')
  const { request, approvers } = approval
  const text = JSON.stringify({ session, request, approvers, batches: batches.length })
  parts.record(caller, { status: 'unsealed', text })
  const inner = parts.seals.release(session, key.wrapped, key.keyId)
  const opened = { session, request, approvers, key: inner.toString('base64'), batches }
  return { sluice: 'release', version: 1, ...opened }
}

function refused(say: string): GatewayError {
  return new GatewayError('GW_NOT_ALLOWED', say, { say })
}
