/**
 * IO (the clock). Cancel requests on their way to the session that owns the key, which may live on another worker.
 *
 * A client takes the close of its cancel connection for the sign that the cancel can hit nothing that it sends from then
 * on; so the close waits until the target has it.
 */
import { threadId } from 'node:worker_threads'
import type { LiveSession } from '../protocols/protocol.ts'
import type { Broadcast } from './messages.ts'

/** For a key that nobody owns, and for a target that does not take the cancel. */
const WAIT_MS_MAX = 1000

type Cancel = Extract<Broadcast, { type: 'cancel' }>

export class Cancellations {
  readonly #sessions: Iterable<Pick<LiveSession, 'cancel'>>
  readonly #tell: (message: Broadcast) => void
  readonly #waiting = new Map<string, () => void>()
  #count = 0

  constructor(options: {
    sessions: Iterable<Pick<LiveSession, 'cancel'>>
    tell: (message: Broadcast) => void
  }) {
    this.#sessions = options.sessions
    this.#tell = options.tell
  }

  /** A client of this worker asks. Never rejects. */
  ask(key: Omit<Cancel, 'type' | 'id'>): Promise<void> {
    this.#count += 1
    const message: Cancel = { type: 'cancel', id: `${threadId}-${this.#count}`, ...key }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.done(message.id), WAIT_MS_MAX)
      this.#waiting.set(message.id, () => {
        clearTimeout(timer)
        resolve()
      })
      // A channel does not hear itself.
      const here = this.#here(message)
      if (here === undefined) this.#tell(message)
      else here.finally(() => this.done(message.id))
    })
  }

  /** A client of another worker asks. */
  asked(message: Cancel): void {
    this.#here(message)?.finally(() => this.#tell({ type: 'cancelled', id: message.id }))
  }

  done(id: string): void {
    const settle = this.#waiting.get(id)
    this.#waiting.delete(id)
    settle?.()
  }

  #here({ pid, secret }: Cancel): Promise<void> | undefined {
    for (const session of this.#sessions) {
      const cancelled = session.cancel(pid, secret)
      if (cancelled !== undefined) return cancelled
    }
    return undefined
  }
}
