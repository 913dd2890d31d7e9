/**
 * IO (threads). The state database in a thread of its own, which the control thread can give up. PGlite works synchronously, and
 * on a disk that takes nothing any more (a file system that has become read-only) it tries for ever: nobody would be answered.
 *
 * A thread that does not answer is ended and started again with growing pauses; until then each question is refused.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../../base/errors.ts'
import type { Row, State } from './state.ts'

/** To the thread. */
export type StateOrder =
  | {
      readonly type: 'query'
      readonly id: number
      readonly text: string
      readonly values: readonly unknown[]
    }
  | { readonly type: 'close' }

/** From the thread. */
export type StateNews =
  | { readonly type: 'open' }
  /** It does not open; `say` is for the operator. */
  | { readonly type: 'failed'; readonly say: string }
  | { readonly type: 'rows'; readonly id: number; readonly rows: readonly Row[] }
  | { readonly type: 'refused'; readonly id: number; readonly say: string }

export interface StateThreadOptions {
  readonly folder: string
  /** Compiled workers/state.js. */
  readonly entry?: string
  /** For one statement. */
  readonly secondsMax?: number
  /** It is away, or (undefined) there again. */
  readonly onChange: (problem: string | undefined) => void
}

interface Asked {
  resolve(rows: readonly Row[]): void
  reject(error: Error): void
}

const SECONDS_MAX = 20
/** A new database where there is no template takes seconds. */
const OPEN_MS_MAX = 60_000
const CLOSE_MS_MAX = 3000
const PAUSE_MS = { first: 500, max: 10_000 }

export class StateThread implements State {
  readonly #options: StateThreadOptions
  readonly #asked = new Map<number, Asked>()
  #worker: Worker | undefined
  #isOpen = false
  #id = 0
  #pauseMs: number = PAUSE_MS.first
  #isClosed = false
  #problem: string | undefined
  readonly #watch: NodeJS.Timeout
  /** Question that stands first, and for how many looks. */
  #first = { id: 0, looks: 0 }

  /** Rejects with GW_UNAVAILABLE and a line for the operator; then nothing is left running. */
  static async open(options: StateThreadOptions): Promise<StateThread> {
    const thread = new StateThread(options)
    try {
      await thread.#start()
    } catch (error) {
      await thread.close()
      throw error
    }
    return thread
  }

  private constructor(options: StateThreadOptions) {
    this.#options = options
    this.#watch = setInterval(() => this.#look(), 1000)
    this.#watch.unref()
  }

  /** Why it cannot be asked. */
  get problem(): string | undefined {
    return this.#problem
  }

  query(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const worker = this.#worker
    if (worker === undefined || !this.#isOpen)
      return Promise.reject(unavailable(this.#problem ?? 'The state database is not open.'))
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      const order: StateOrder = { type: 'query', id, text, values }
      // Throws where a value cannot be handed over: then nothing was asked.
      worker.postMessage(order)
      this.#asked.set(id, { resolve, reject })
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watch)
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const order: StateOrder = { type: 'close' }
    worker.postMessage(order)
    await Promise.race([ended, wait(CLOSE_MS_MAX, undefined, { ref: false })])
    await this.#give(worker, 'The state database is closed.')
  }

  /** Rejects with GW_UNAVAILABLE; then the thread has ended. */
  async #start(): Promise<void> {
    const worker = new Worker(this.#options.entry ?? entry(), {
      name: 'state',
      workerData: this.#options.folder,
      env: {},
    })
    this.#worker = worker
    try {
      await opened(worker)
    } catch (error) {
      await this.#give(worker, '')
      throw error
    }
    this.#isOpen = true
    worker.on('message', (news: StateNews) => this.#heard(news))
    worker.once('exit', () => this.#lost(worker, 'its thread ended'))
    this.#pauseMs = PAUSE_MS.first
  }

  #heard(news: StateNews): void {
    if (news.type !== 'rows' && news.type !== 'refused') return
    const asked = this.#asked.get(news.id)
    this.#asked.delete(news.id)
    if (news.type === 'rows') asked?.resolve(news.rows)
    else asked?.reject(unavailable(news.say))
  }

  /** Counts looks and not time: a process that was stopped for a while has missed no answer. */
  #look(): void {
    const [id] = this.#asked.keys()
    if (id === undefined || id !== this.#first.id) this.#first = { id: id ?? 0, looks: 0 }
    else if (++this.#first.looks >= (this.#options.secondsMax ?? SECONDS_MAX) && this.#worker)
      this.#lost(this.#worker, 'it does not answer')
  }

  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker || this.#isClosed) return
    this.#say(`The state database is away: ${why}.`)
    void this.#give(worker, this.#problem ?? '').then(() => this.#again())
  }

  async #again(): Promise<void> {
    while (!this.#isClosed) {
      await wait(this.#pauseMs, undefined, { ref: false })
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS.max)
      if (this.#isClosed) return
      try {
        await this.#start()
      } catch (error) {
        if (!this.#isClosed) this.#say(GatewayError.from(error).message)
        continue
      }
      this.#say(undefined)
      return
    }
  }

  #say(problem: string | undefined): void {
    const isNews = (problem === undefined) !== (this.#problem === undefined)
    this.#problem = problem
    if (isNews) this.#options.onChange(problem)
  }

  /** Ends it for certain, and refuses what it was asked. */
  async #give(worker: Worker, why: string): Promise<void> {
    if (this.#worker === worker) this.#worker = undefined
    this.#isOpen = false
    for (const { reject } of this.#asked.values()) reject(unavailable(why))
    this.#asked.clear()
    await worker.terminate()
  }
}

function opened(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (say: string) => {
      clearTimeout(timer)
      reject(unavailable(say))
    }
    const timer = setTimeout(() => fail('The state database does not open.'), OPEN_MS_MAX)
    timer.unref()
    worker.once('message', (news: StateNews) => {
      if (news.type === 'failed') return fail(news.say)
      clearTimeout(timer)
      resolve()
    })
    // Heard for good: an error that nobody hears would end the control thread.
    worker.on('error', () => fail('The thread of the state database failed.'))
    worker.once('exit', () => fail('The thread of the state database ended.'))
  })
}

/** Threads run compiled code only. */
function entry(): string {
  const root = import.meta.url.endsWith('.ts') ? '../../../dist' : '../../..'
  return fileURLToPath(new URL(`${root}/workers/state.js`, import.meta.url))
}

function unavailable(message: string): GatewayError {
  return new GatewayError('GW_UNAVAILABLE', message)
}
