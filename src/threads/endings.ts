/**
 * Pure. What a worker is told to end from outside: one session, or all of a credential. Those that are still on their way
 * in (they wait for a place, or their target is dialled) are remembered: they must not begin when nothing can be told to
 * them any more.
 */
import { GatewayError } from '../base/errors.ts'
import type { LiveSession } from '../protocols/protocol.ts'
import type { Broadcast } from './messages.ts'

/** Longer than any `limits.handshake`, which is how long somebody can be on his way. */
const REMEMBERED_MS = 65 * 60_000

type Ending = Extract<Broadcast, { type: 'end' }>

export class Endings {
  readonly #sessions: Iterable<LiveSession>
  readonly #parts: { readonly tell: (message: Broadcast) => void; readonly now: () => number }
  /** By id of a session or credential. */
  readonly #ended = new Map<string, { readonly code: Ending['code']; readonly at: number }>()

  /** `now`: milliseconds, monotonic. */
  constructor(
    sessions: Iterable<LiveSession>,
    parts: { readonly tell: (message: Broadcast) => void; readonly now: () => number },
  ) {
    this.#sessions = sessions
    this.#parts = parts
  }

  end({ credentialId, sessionId, code }: Ending): void {
    this.#remember(credentialId ?? sessionId ?? '', code)
    for (const live of this.#sessions) {
      const { context } = live
      const isIt = sessionId === context.sessionId
      if (isIt || credentialId === context.grant.identity.credentialId)
        live.end(new GatewayError(code, 'ended from outside'), 'now')
      if (isIt) this.#parts.tell({ type: 'ended', sessionId: context.sessionId })
    }
  }

  /** What has ended it before it began; undefined: nothing. */
  of({ sessionId, grant }: LiveSession['context']): GatewayError | undefined {
    const ended = this.#ended.get(sessionId) ?? this.#ended.get(grant.identity.credentialId)
    return ended && new GatewayError(ended.code, 'ended from outside before it began')
  }

  #remember(id: string, code: Ending['code']): void {
    const at = this.#parts.now()
    // The first is the oldest.
    for (const [known, ended] of this.#ended) {
      if (at - ended.at < REMEMBERED_MS) break
      this.#ended.delete(known)
    }
    this.#ended.delete(id)
    this.#ended.set(id, { code, at })
  }
}
