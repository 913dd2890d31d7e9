/** IO (the clock). A session as its worker knows it, before a relay has taken it over. */
import type { LiveSession, SessionContext } from '../protocols/protocol.ts'

/** Nothing runs for it yet, and nothing can be told to it. */
export function liveSession(
  of: Pick<SessionContext, 'grant' | 'sessionId' | 'address'>,
): LiveSession {
  const { grant, sessionId, address } = of
  return {
    context: {
      grant,
      sessionId,
      address,
      openedAt: Date.now(),
      statements: 0,
      rows: 0,
      bytes: 0,
      maskedValues: 0,
    },
    end: () => {},
    stall: () => {},
    cancel: () => undefined,
    isIdle: () => false,
    heldBytes: () => 0,
    lastActive: performance.now(),
  }
}
