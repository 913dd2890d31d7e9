/**
 * IO (timers). A client that has said its last, by closing its half (TCP's or TLS's) or by Terminate, while answers are owed to it.
 * PostgreSQL runs all that it has read, answers it, and then sees the end; so that end goes up behind the last message,
 * and what comes down goes on to the client, who may still read.
 *
 * A client that has closed altogether looks the same until it is written to: then its kernel answers with a reset. So it is told
 * what it knows already, soon at first, then now and then.
 */
import { monotonicMs } from '../../base/clock.ts'
import type { GatewayError } from '../../base/errors.ts'
import type { Conversation } from './conversation.ts'
import * as write from './write.ts'

/** Between two words to who may have left: doubled each time, up to the most. */
const ASK_MS = { first: 50, max: 2_000 }
/** How long a peer may take to close its half after the other side is done, and what waits of one that is gone to go up. */
const LINGER_MS = 2_000
/**
 * Who has said Terminate, or whose last words have not even gone up, does not wait for a target that says nothing for so long: it
 * hangs, or works for nobody.
 */
const SILENT_MS = 5_000

export class Leaving {
  readonly #talk: Conversation
  readonly #finish: (reason: string) => void
  #reason: string | undefined
  #toldTarget = false
  /** What was sent last will never go out: it could not be recorded. */
  #isLost = false
  #askMs = ASK_MS.first
  #timer: NodeJS.Timeout | undefined

  constructor(talk: Conversation, finish: (reason: string) => void) {
    this.#talk = talk
    this.#finish = finish
  }

  /** Why the session will end; undefined: it stays. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Waits to be taken by one that is leaving. */
  get heldBytes(): number {
    return this.#reason === undefined ? 0 : this.#talk.parts.client.wire.heldBytes
  }

  /** It will say no more. */
  begin(reason: 'client closed' | 'terminated'): void {
    if (this.#reason !== undefined || this.#talk.over !== undefined) return
    this.#reason = reason
    this.look()
    this.#ask()
  }

  /** Something was answered, or has gone up. */
  look(): void {
    const talk = this.#talk
    if (this.#reason === undefined || talk.over !== undefined || talk.up.isWaiting) return
    if (!this.#toldTarget) {
      this.#toldTarget = true
      if (this.#reason === 'terminated') talk.toTarget(write.TERMINATE)
      talk.parts.turn.end(talk.parts.upstream.wire)
    }
    // Whom nothing can be said could not be told from one that is gone.
    if (talk.ledger.size === 0 || talk.unchanging === undefined) this.#finish(this.#reason)
  }

  /** The client is gone. True: what it said still waits to go up, and may for a while. */
  gone(): boolean {
    const talk = this.#talk
    if (this.#reason === undefined || talk.over !== undefined || !talk.up.isWaiting) return false
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#finish('client closed'), LINGER_MS)
    return true
  }

  /** After the end. Who has asked for it is waited for while it takes what is left of it, less than `held`. */
  linger(held = Number.POSITIVE_INFINITY): void {
    this.#timer = setTimeout(() => {
      const { heldBytes } = this
      if (this.#waitsForSpool) this.linger(held)
      else if (heldBytes > 0 && heldBytes < held) this.linger(heldBytes)
      else this.destroy()
    }, LINGER_MS)
  }

  /** What was sent last goes out when it is recorded; that it cannot be is told within the turn's limit. */
  get #waitsForSpool(): boolean {
    return this.#talk.parts.turn.isStalled && !this.#isLost
  }

  /** After the end: what is still on its way down ends as well. True: it was to get something, which it never will. */
  cut(error: GatewayError): boolean {
    if (!this.#waitsForSpool) {
      if (this.heldBytes > 0) this.destroy()
      return false
    }
    this.#isLost = error.code === 'GW_RECORDING_LOST'
    if (!this.#isLost) this.destroy()
    const { client, turn } = this.#talk.parts
    return this.#isLost && this.#reason !== undefined && turn.isClosing(client.wire)
  }

  destroy(): void {
    const { client, upstream } = this.#talk.parts
    client.wire.destroy()
    upstream.wire.destroy()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #ask(): void {
    const talk = this.#talk
    if (talk.over !== undefined) return
    const silentMs = monotonicMs() - talk.parts.live.lastActive
    const reason = this.#reason!
    if (silentMs > SILENT_MS && (reason === 'terminated' || talk.up.isWaiting))
      return void this.#finish(reason)
    if (talk.unchanging === undefined) return void this.gone()
    talk.remind()
    this.#timer = setTimeout(() => this.#ask(), this.#askMs)
    this.#askMs = Math.min(this.#askMs * 2, ASK_MS.max)
  }
}
