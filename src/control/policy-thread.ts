/**
 * IO (threads). Work on policies that the API asks for, in threads of their own: compiling the rules of a candidate and
 * judging a million actions would keep everything else that the control thread does waiting.
 *
 * A question has a time limit, and a thread that is over it is ended: neither the parser nor CEL can be interrupted.
 * One question at a time is worked on, few wait, and the next one is told to come again.
 */
import { fileURLToPath } from 'node:url'
import { type MessagePort, Worker } from 'node:worker_threads'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { JobAnswer, PolicyJob } from '../policy/jobs.ts'
import type { Settings } from '../threads/messages.ts'

export interface PolicyQuestion {
  readonly id: number
  readonly job: PolicyJob
  readonly settings: Settings
  /** To the ship thread; in the transfer list. */
  readonly store: MessagePort | undefined
  readonly now: number
}

export type PolicyAnswer =
  | { readonly id: number; readonly answer: JobAnswer }
  | { readonly id: number; readonly failed: { readonly code: ErrorCode; readonly message: string } }

export interface PolicyThreadOptions {
  /** Compiled workers/policy.js. */
  readonly entry?: string
  /** For one question, from the moment that it is worked on. */
  readonly msMax: number
  readonly waitingMax: number
  /** A thread that has had nothing to do for so long ends. */
  readonly idleMs: number
}

const HEAP_MB = 1024

/** Too many questions wait. */
export const BUSY = Symbol('busy')

export type Question = Omit<PolicyQuestion, 'id'>

interface Waiting {
  readonly question: Question
  readonly gone: AbortSignal | undefined
  resolve(answer: JobAnswer): void
  reject(error: Error): void
}

export class PolicyThread {
  readonly #options: PolicyThreadOptions
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #asked: Waiting | undefined
  #timer: NodeJS.Timeout | undefined
  #id = 0

  constructor(options: PolicyThreadOptions) {
    this.#options = options
  }

  /**
   * Rejects with GW_UNAVAILABLE where it takes too long, or the thread fails. `gone`: nobody waits for the answer any
   * more, and the work is stopped.
   */
  ask(question: Question, gone?: AbortSignal): Promise<JobAnswer> | typeof BUSY {
    if (this.#asked !== undefined && this.#waiting.length >= this.#options.waitingMax) {
      question.store?.close()
      return BUSY
    }
    if (gone?.aborted === true) {
      question.store?.close()
      return Promise.reject(unavailable('Nobody waits for it.'))
    }
    return new Promise((resolve, reject) => {
      const waiting = { question, gone, resolve, reject }
      this.#waiting.push(waiting)
      gone?.addEventListener('abort', () => this.#leave(waiting), { once: true })
      this.#next()
    })
  }

  close(): void {
    for (const waiting of this.#waiting.splice(0)) this.#refuse(waiting, 'The gateway stops.')
    this.#drop('The gateway stops.')
  }

  #next(): void {
    if (this.#asked !== undefined) return
    const waiting = this.#waiting.shift()
    clearTimeout(this.#timer)
    if (waiting === undefined) {
      this.#timer = setTimeout(() => this.#drop(''), this.#options.idleMs)
      this.#timer.unref()
      return
    }
    this.#asked = waiting
    this.#worker ??= this.#start()
    const { msMax } = this.#options
    this.#timer = setTimeout(() => this.#drop(`It takes longer than ${msMax / 1000} s.`), msMax)
    const { store } = waiting.question
    const question: PolicyQuestion = { ...waiting.question, id: ++this.#id }
    this.#worker.postMessage(question, store === undefined ? [] : [store])
  }

  #start(): Worker {
    const worker = new Worker(this.#options.entry ?? entry(), {
      name: 'policy',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    worker.on('message', (answer: PolicyAnswer) => {
      if (this.#worker === worker && answer.id === this.#id) this.#answered(answer)
    })
    // Both may come for one death; an old worker's end must not touch its successor.
    const lost = () => {
      if (this.#worker === worker) this.#drop('The thread that works on policies failed.')
    }
    worker.on('error', lost)
    worker.on('exit', lost)
    // It does not keep the gateway alive; the timer of a question does.
    worker.unref()
    return worker
  }

  #answered(answer: PolicyAnswer): void {
    const asked = this.#asked
    this.#asked = undefined
    if ('answer' in answer) asked?.resolve(answer.answer)
    else asked?.reject(new GatewayError(answer.failed.code, answer.failed.message))
    this.#next()
  }

  #leave(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at >= 0) {
      this.#waiting.splice(at, 1)
      this.#refuse(waiting, 'Nobody waits for it.')
    } else if (this.#asked === waiting) this.#drop('Nobody waits for it.')
  }

  /** What it works on cannot be interrupted, so it goes. */
  #drop(reason: string): void {
    const [worker, asked] = [this.#worker, this.#asked]
    this.#worker = undefined
    this.#asked = undefined
    clearTimeout(this.#timer)
    asked?.reject(unavailable(reason))
    void worker?.terminate()
    if (this.#waiting.length > 0) this.#next()
  }

  #refuse({ question, reject }: Waiting, reason: string): void {
    question.store?.close()
    reject(unavailable(reason))
  }
}

/** Threads run compiled code only. */
function entry(): string {
  const root = import.meta.url.endsWith('.ts') ? '../../dist' : '../..'
  return fileURLToPath(new URL(`${root}/workers/policy.js`, import.meta.url))
}

function unavailable(message: string): GatewayError {
  return new GatewayError('GW_UNAVAILABLE', message, { say: message })
}
