/**
 * IO (timers). Ends sessions by their ids. All workers are told; the one that has it says so, and whoever asked learns
 * whether anybody did: an id with a letter wrong must not pass for a session that has ended.
 */
import type { Broadcast } from '../threads/messages.ts'

/** A worker that is busy for longer ends the session all the same, but nobody waits for its word. */
const ANSWER_MS_MAX = 2000

export class Endings {
  readonly #tell: (message: Broadcast) => void
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor(tell: (message: Broadcast) => void) {
    this.#tell = tell
  }

  /** False: no worker has said that it had it open. */
  end(sessionId: string, waitMs = ANSWER_MS_MAX): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(sessionId) ?? new Set()
      this.#waiting.set(sessionId, waiting)
      const settle = (isEnding: boolean) => {
        clearTimeout(timer)
        waiting.delete(ended)
        if (waiting.size === 0) this.#waiting.delete(sessionId)
        resolve(isEnding)
      }
      const timer = setTimeout(() => settle(false), waitMs)
      const ended = () => settle(true)
      waiting.add(ended)
      this.#tell({ type: 'end', sessionId, code: 'GW_SESSION_KILLED' })
    })
  }

  onBroadcast(message: Broadcast): void {
    if (message.type !== 'ended') return
    for (const ended of [...(this.#waiting.get(message.sessionId) ?? [])]) ended()
  }
}
