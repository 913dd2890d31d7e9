/** IO (the clock). What the policy says of an action of a session, now. */
import type { Action } from '../decide/action.ts'
import { decide } from '../decide/decide.ts'
import type { Guard } from '../decide/policy.ts'
import type { Verdict } from '../decide/verdict.ts'
import { type Finding, findingsOf } from '../mask/findings.ts'
import type { SessionContext } from '../protocols/protocol.ts'

const NO_FINDINGS: readonly Finding[] = []

export function decideNow(guard: Guard, action: Action, context: SessionContext): Verdict {
  const now = Date.now()
  return decide(guard, action, {
    grant: context.grant,
    now,
    findings: guard.readsFindings
      ? (action.findings ?? findingsOf(action, guard.detectors))
      : NO_FINDINGS,
    session: {
      id: context.sessionId,
      clientIp: context.address,
      ageSeconds: Math.floor((now - context.openedAt) / 1000),
      statements: context.statements,
      rows: context.rows,
      bytes: context.bytes,
      maskedValues: context.maskedValues,
    },
  })
}
