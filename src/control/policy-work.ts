/**
 * IO (threads). Who works on which question of policies: short ones share a thread that stays for a minute, a backtest
 * has one of its own that ends with it, and there is one backtest at a time.
 */
import type { JobAnswer, PolicyJob } from '../policy/jobs.ts'
import type { Store } from '../replay/store.ts'
import type { Settings } from '../threads/messages.ts'
import { BUSY, PolicyThread } from './policy-thread.ts'

export interface WorkParts {
  readonly settings: Settings
  /** undefined: nothing recorded can be read. */
  readonly store: Store | undefined
  readonly gone: AbortSignal | undefined
}

const SHORT = { msMax: 20_000, waitingMax: 16, idleMs: 60_000 }
const LONG = { msMax: 900_000, waitingMax: 0, idleMs: 0 }

export class PolicyWork {
  readonly #short: PolicyThread
  readonly #long: PolicyThread

  /** `entry`: compiled workers/policy.js, for tests. */
  constructor(entry?: string) {
    const own = entry === undefined ? {} : { entry }
    this.#short = new PolicyThread({ ...SHORT, ...own })
    this.#long = new PolicyThread({ ...LONG, ...own })
  }

  /** undefined: too many wait. Rejects with GW_UNAVAILABLE. */
  ask(job: PolicyJob, { settings, store, gone }: WorkParts): Promise<JobAnswer> | undefined {
    const isLong = job.type === 'backtest'
    const thread = isLong ? this.#long : this.#short
    const port = isLong ? store?.share() : undefined
    const answer = thread.ask({ job, settings, store: port, now: Date.now() }, gone)
    return answer === BUSY ? undefined : answer
  }

  close(): void {
    this.#short.close()
    this.#long.close()
  }
}
