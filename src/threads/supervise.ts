/**
 * IO. One long-lived thread of the house (control, ship): started, watched, started again with growing pauses
 * when it dies, and told to stop at the end. Knows nothing of what the thread does.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Transferable, Worker, type WorkerOptions } from 'node:worker_threads'
import type { Logger } from '../base/log.ts'
import { crashFacts, StartError } from './start-error.ts'

/** What a message of the thread means to its start. */
export type News =
  | { readonly type: 'ready' }
  /** It will not come up; the sentence is for the person who started the gateway. */
  | { readonly type: 'failed'; readonly say: string }
  | { readonly type: 'other' }

export interface SuperviseOptions {
  readonly name: string
  readonly entry: string
  /** Asked at every start, so that a thread started anew begins with what is true now. */
  workerOptions(): Pick<WorkerOptions, 'workerData' | 'transferList' | 'env'>
  /** Asked at every start: what reads the messages of that run. */
  reader(): (message: unknown) => News
  /** Ready as soon as it runs, for a thread that does not say so. */
  readonly isReadyOnline?: boolean
  /** After every start but the first, once it is ready. */
  onRestarted(): void
  /** It has ended without being told to; it is started again after this. */
  onLost(): void
  readonly log: Logger
}

const START_MS_MAX = 60_000
const END_MS_MAX = 3000
const PAUSE_MS = { first: 200, max: 10_000 }
/** A thread that lived this long had a good start: the next pause is the first again. */
const GOOD_MS = 60_000

export class SupervisedThread {
  readonly #options: SuperviseOptions
  #worker: Worker | undefined
  #exit: Promise<void> = Promise.resolve()
  #isStopping = false
  #pauseMs: number = PAUSE_MS.first

  private constructor(options: SuperviseOptions) {
    this.#options = options
  }

  /** Resolves when it is ready; throws `StartError` when its first start fails. */
  static async start(options: SuperviseOptions): Promise<SupervisedThread> {
    const thread = new SupervisedThread(options)
    const { worker, ready } = thread.#spawn()
    try {
      await ready
    } catch (error) {
      thread.#isStopping = true
      await thread.#end(worker)
      throw error instanceof StartError
        ? error
        : new StartError(`The ${options.name} thread does not start; the log says why.`, error)
    }
    void thread.#keep(worker)
    return thread
  }

  get isUp(): boolean {
    return this.#worker !== undefined
  }

  /** Lost when the thread is down: what must not be lost is sent again from `onRestarted`. */
  post(message: unknown, transfer: readonly Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  /** Sends `message` and waits for the end, at most `ms`. True when it ended. */
  async stop(message: unknown, ms: number): Promise<boolean> {
    this.#isStopping = true
    this.post(message)
    const given = new AbortController()
    const late = wait(ms, false, { signal: given.signal }).catch(() => false)
    const isEnded = await Promise.race([this.#exit.then(() => true), late])
    given.abort()
    if (!isEnded)
      this.#options.log.warn({ name: this.#options.name }, 'thread did not stop in time')
    return isEnded
  }

  /** `ready` rejects when the thread ends, says that it failed, or takes too long. */
  #spawn(): { worker: Worker; ready: Promise<void> } {
    const { entry, name, reader, isReadyOnline, log } = this.#options
    const read = reader()
    const worker = new Worker(entry, { name, ...this.#options.workerOptions() })
    this.#exit = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('error', (error) => log.error({ name, ...crashFacts(error) }, 'thread crashed'))
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('not ready in time')), START_MS_MAX)
      worker.on('message', (message: unknown) => {
        const meant = read(message)
        if (meant.type === 'other') return
        clearTimeout(timer)
        if (meant.type === 'ready') resolve()
        else reject(new StartError(meant.say))
      })
      worker.once('online', () => {
        if (!isReadyOnline) return
        clearTimeout(timer)
        resolve()
      })
      worker.once('exit', () => {
        clearTimeout(timer)
        reject(new Error('ended before it was ready'))
      })
    })
    this.#worker = worker
    return { worker, ready }
  }

  /** Until `stop`: waits for the end of the thread, then starts it anew. */
  async #keep(first: Worker): Promise<void> {
    let worker = first
    for (;;) {
      const since = performance.now()
      await this.#exit
      if (this.#worker === worker) this.#worker = undefined
      if (this.#isStopping) return
      this.#options.onLost()
      if (performance.now() - since > GOOD_MS) this.#pauseMs = PAUSE_MS.first
      await wait(this.#pauseMs)
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS.max)
      if (this.#isStopping) return
      worker = await this.#again()
    }
  }

  async #again(): Promise<Worker> {
    const { name, log, onRestarted } = this.#options
    const { worker, ready } = this.#spawn()
    try {
      await ready
      log.warn({ name }, 'thread started again')
      onRestarted()
    } catch (error) {
      log.error({ name, ...crashFacts(error) }, 'thread did not start again')
      await this.#end(worker)
    }
    return worker
  }

  /** By itself if it can: a thread that holds a native server must close it first, or the process aborts. */
  async #end(worker: Worker): Promise<void> {
    const given = new AbortController()
    const late = wait(END_MS_MAX, true, { signal: given.signal }).catch(() => false)
    if (await Promise.race([late, this.#exit.then(() => false)])) await worker.terminate()
    given.abort()
  }
}
