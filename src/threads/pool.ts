/**
 * IO. The only door to Piscina: the session workers. One connection is one task; it settles when the
 * connection is closed, so an empty pool is a drained one.
 *
 * A worker that dies takes its own sessions along, and Piscina starts another at once. What Piscina does not
 * do is try again after a replacement has died while loading: then this pool starts a fresh Piscina beside the
 * crippled one, with growing pauses, and lets the old one finish what it has.
 */
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { ResourceLimits, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { closeDescriptor } from '../accept/descriptor.ts'
import type { Arrival } from '../accept/tcp.ts'
import type { Logger } from '../base/log.ts'
import type { Handover } from './handover.ts'
import type { ConnectionTask, SessionWorkerData, Settings, WorkerHello } from './messages.ts'
import { crashFacts, StartError } from './start-error.ts'

export interface PoolOptions {
  readonly entry: string
  readonly size: number
  readonly limits: ResourceLimits
  readonly environment: NodeJS.ProcessEnv
  readonly workerData: SessionWorkerData
  readonly handover: Handover
  readonly log: Logger
  /** A worker is up, or answers `hello-again`. Its port has to be passed on. */
  onHello(hello: WorkerHello): void
}

const START_MS_MAX = 30_000
const HEAL_MS = { first: 250, max: 10_000 }
/** A bound only for Piscina's arithmetic; the real one is `limits.connections`. */
const SESSIONS_PER_WORKER_MAX = 1_000_000
/**
 * Piscina loads its file by `require` first. Node (20.20, 22) aborts the whole process when a thread is ended
 * while it requires an ES module; without this ability `require` fails at once and Piscina uses `import`.
 */
const EXEC_ARGV = ['--no-experimental-require-module']

interface PoolEvents {
  hello: []
  error: [unknown]
  idle: []
}

export class SessionPool {
  readonly #options: PoolOptions
  /** What the next worker starts with. Piscina clones it for each; `resettle` replaces what is in it. */
  readonly #workerData: { settings: Settings } & Omit<SessionWorkerData, 'settings'>
  readonly #events = new EventEmitter<PoolEvents>()
  readonly #alive = new Set<Worker>()
  readonly #exits = new Set<Promise<void>>()
  /** Connections of each Piscina: the last one takes new ones, the others end with their last. */
  readonly #running = new Map<Piscina, number>()
  #pool: Piscina
  #isClosing = false
  #isHealing = false
  #healMs: number = HEAL_MS.first

  private constructor(options: PoolOptions) {
    this.#options = options
    this.#workerData = { ...options.workerData }
    this.#events.on('error', () => {}) // Heard at the start; later it is only logged.
    this.#pool = this.#make()
  }

  /** Resolves when every worker has said hello; throws `StartError` when one cannot start. */
  static async start(options: PoolOptions): Promise<SessionPool> {
    const pool = new SessionPool(options)
    try {
      await pool.#allUp()
    } catch (error) {
      await pool.close()
      throw new StartError('The session workers do not start; the log says where they fail.', error)
    }
    return pool
  }

  /** Workers that have said hello and live. */
  get size(): number {
    return this.#alive.size
  }

  /** Connections that were given and have not ended. */
  get running(): number {
    let sum = 0
    for (const count of this.#running.values()) sum += count
    return sum
  }

  /** Replacements from now on start with these; workers that live learn of them by broadcast. */
  resettle(settings: Settings): void {
    this.#workerData.settings = settings
  }

  /** Takes the descriptor, whatever happens. Resolves when the connection is over; never rejects. */
  async run(arrival: Arrival & Pick<ConnectionTask, 'seat'>): Promise<void> {
    const ticket = this.#isClosing ? undefined : this.#options.handover.give(arrival.fd)
    if (ticket === undefined) return closeDescriptor(arrival.fd)
    const pool = this.#pool
    this.#running.set(pool, (this.#running.get(pool) ?? 0) + 1)
    try {
      const task: ConnectionTask = { ...arrival, ticket }
      await pool.run(task)
    } catch (error) {
      // A session that throws is a bug of the worker's; a worker that died was logged by `#watch`.
      if (error instanceof Error && !this.#isClosing) {
        this.#options.log.debug(crashFacts(error), 'connection ended by an error')
      }
    } finally {
      // Also after a task that settled without taking what it was given.
      if (this.#options.handover.revoke(arrival.fd, ticket)) closeDescriptor(arrival.fd)
      this.#ended(pool)
    }
  }

  /** Resolves when no connection is left, or after `ms`; true when none is. */
  async idle(ms: number): Promise<boolean> {
    if (this.running === 0) return true
    const given = new AbortController()
    const late = wait(ms, false, { signal: given.signal }).catch(() => false)
    const idle = new Promise<boolean>((resolve) => {
      this.#events.once('idle', () => resolve(true))
    })
    const isIdle = await Promise.race([late, idle])
    given.abort()
    return isIdle
  }

  /** Ends every worker at once, and waits until they have ended. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#running.keys()].map((pool) => pool.destroy()))
    await Promise.allSettled(this.#exits)
  }

  #make(): Piscina {
    const { entry, size, limits, environment, log } = this.#options
    const pool = new Piscina({
      filename: entry,
      minThreads: size,
      maxThreads: size,
      concurrentTasksPerWorker: SESSIONS_PER_WORKER_MAX,
      atomics: 'disabled', // Or a worker would not look at its sockets while it waits for tasks.
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      env: environment,
      execArgv: EXEC_ARGV,
      resourceLimits: limits,
      workerData: this.#workerData,
    })
    pool.on('message', (message: unknown) => {
      if (isHello(message)) this.#hello(pool, message)
      else log.warn('a session worker said something unknown')
    })
    // Piscina reports here what it cannot pin on a task: deaths while loading or idle.
    pool.on('error', (error: unknown) => {
      log.error(crashFacts(error), 'a session worker failed')
      this.#events.emit('error', error)
    })
    pool.on('workerDestroy', () => void this.#heal())
    this.#running.set(pool, 0)
    return pool
  }

  #hello(pool: Piscina, hello: WorkerHello): void {
    const worker = pool.threads.find((thread) => thread.threadId === hello.thread)
    if (worker === undefined) return // Died between its hello and now.
    if (!this.#alive.has(worker)) this.#watch(worker, hello.thread)
    if (this.size >= this.#options.size) this.#healMs = HEAL_MS.first
    this.#options.onHello(hello)
    this.#events.emit('hello')
  }

  #watch(worker: Worker, thread: number): void {
    const { log } = this.#options
    this.#alive.add(worker)
    worker.once('error', (error) => {
      this.#alive.delete(worker)
      if (!this.#isClosing) log.error({ thread, ...crashFacts(error) }, 'a session worker crashed')
    })
    const exit = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        this.#alive.delete(worker)
        this.#exits.delete(exit)
        resolve()
      })
    })
    this.#exits.add(exit)
  }

  async #allUp(): Promise<void> {
    const signal = AbortSignal.timeout(START_MS_MAX)
    while (this.size < this.#options.size) await once(this.#events, signal)
  }

  /** Tries until as many workers live, or load, as there should be, or the pool is closing. */
  async #heal(): Promise<void> {
    if (this.#isHealing) return
    this.#isHealing = true
    for (;;) {
      // The check comes after a pause: mostly Piscina's own replacement is loading by then.
      await wait(this.#healMs, undefined, { ref: false })
      for (const pool of this.#running.keys()) this.#retire(pool)
      if (this.#isClosing || this.#pool.threads.length >= this.#options.size) break
      this.#options.log.warn('starting a fresh set of session workers')
      this.#healMs = Math.min(this.#healMs * 2, HEAL_MS.max)
      const old = this.#pool
      this.#pool = this.#make()
      this.#retire(old)
    }
    this.#isHealing = false
  }

  #ended(pool: Piscina): void {
    this.#running.set(pool, (this.#running.get(pool) ?? 1) - 1)
    this.#retire(pool)
    if (this.running === 0) this.#events.emit('idle')
  }

  /**
   * Lets the sessions of a crippled pool end by themselves. Piscina's own `close` would end some of them. Where no
   * worker is left, connections may still be queued for one that never came: they end here.
   */
  #retire(pool: Piscina): void {
    if (this.#isClosing || pool === this.#pool) return
    if (this.#running.get(pool) !== 0 && pool.threads.length > 0) return
    void pool.destroy().then(() => this.#running.get(pool) === 0 && this.#running.delete(pool))
  }
}

function isHello(message: unknown): message is WorkerHello {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    message.type === 'worker-hello'
  )
}

/** The next hello; throws the next error, or when the time is over. */
function once(events: EventEmitter<PoolEvents>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      events.off('hello', onHello)
      events.off('error', onError)
      signal.removeEventListener('abort', onLate)
      end()
    }
    const onHello = () => settle(resolve)
    const onError = (error: unknown) => settle(() => reject(error))
    const onLate = () => settle(() => reject(new Error('time is over')))
    events.on('hello', onHello)
    events.on('error', onError)
    signal.addEventListener('abort', onLate)
  })
}
