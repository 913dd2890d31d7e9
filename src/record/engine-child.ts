/**
 * IO (processes). Starts the embedded engine as a child process when it is first needed, watches
 * its memory and its pulse, and starts it again with growing pauses when it ends.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../base/errors.ts'
import type { StoreAddress } from './clickhouse.ts'
import { defer, mayDefer } from './engine-priority.ts'
import { Pulse, type ThreadSample, threadSample } from './engine-pulse.ts'
import { inboxOf } from './engine-request.ts'

/** parent → engine process, when it is ready. */
export type EngineOrder =
  /** By message and not by argument: others can read those. */
  | { readonly type: 'listen'; readonly port: EnginePort }
  /** Its main thread answers with `pulse`. */
  | { readonly type: 'pulse' }

/** Where auditors' own tools may ask, read-only. */
export interface EnginePort {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** engine process → parent. */
export type EngineMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'pulse' }
  /** A question that it was asked goes on beyond all limits of time. */
  | { readonly type: 'overdue' }
  /** The port for others is open, or why it is not. */
  | { readonly type: 'port'; readonly problem: string | undefined }
  | { readonly type: 'failed'; readonly message: string; readonly missing: boolean }

export interface EngineChildOptions {
  /** `<data>/clickhouse`. */
  readonly folder: string
  readonly memoryBytesMax: number
  readonly say: (level: 'info' | 'warn' | 'error', text: string) => void
  readonly port?: EnginePort | undefined
  /** The compiled workers/engine.js; for tests. */
  readonly entry?: string
}

const ENTRY = fileURLToPath(new URL('../../workers/engine.js', import.meta.url))
/** Longest path that a Unix socket may have. */
const SOCKET_PATH_MAX = 100
const PAUSE_MS = 200
const PAUSE_MS_MAX = 10_000
/** A child that lived this long was healthy: the next one starts at once. */
const HEALTHY_MS = 30_000
const WATCH_MS = 1000

export class EngineChild {
  readonly socket: string
  readonly #options: EngineChildOptions
  #child: ChildProcess | undefined
  #ready: Promise<void> | undefined
  #watch: NodeJS.Timeout | undefined
  #pauseMs = 0
  #startedMs = 0
  #stopped = false
  #deferred = false
  /** It owes an answer, and gets its share until it has given it. */
  #isDoubted = false
  readonly #mayDefer = mayDefer()
  restarts = -1

  constructor(options: EngineChildOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    const near = join(options.folder, 'http.sock')
    const fits = Buffer.byteLength(near) <= SOCKET_PATH_MAX
    this.socket = fits ? near : join(mkdtempSync(join(tmpdir(), 'sluice-')), 'http.sock')
  }

  get address(): StoreAddress {
    return { socket: this.socket, inbox: inboxOf(this.#options.folder) }
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Resolves when it answers. Rejects with GW_UNAVAILABLE when it cannot be started; the next call
   * tries again.
   */
  ready(): Promise<void> {
    this.#ready ??= this.#start().catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  /** While true it takes only what sessions leave of the machine. */
  set deferred(deferred: boolean) {
    if (!this.#mayDefer || deferred === this.#deferred) return
    this.#deferred = deferred
    if (this.pid !== undefined && !this.#isDoubted) defer(this.pid, deferred)
  }

  async stop(): Promise<void> {
    this.deferred = false
    this.#stopped = true
    clearInterval(this.#watch)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (child.connected) child.disconnect()
    const force = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(force)
  }

  async #start(): Promise<void> {
    if (this.#pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#pauseMs))
    if (this.#stopped) throw new GatewayError('GW_UNAVAILABLE', 'the record store is stopped')
    this.#startedMs = performance.now()
    this.restarts++
    const { folder, memoryBytesMax, entry } = this.#options
    const child = fork(entry ?? ENTRY, [folder, this.socket, String(memoryBytesMax)], {
      // Inherited inspector or loader flags are not for it; its threads run queries.
      execArgv: [],
      // No secrets of ours: whoever finds a way to read the environment there finds nothing.
      env: { PATH: process.env.PATH, TZ: process.env.TZ, UV_THREADPOOL_SIZE: '8' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    // Loading it takes a second of a core, which those who start now need more.
    if (child.pid !== undefined) defer(child.pid, this.#deferred)
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `status ${code}`))
    this.#watchOver(child)
    await hello(child)
    this.#options.say('info', `record store ready, process ${child.pid}`)
    this.#openPort(child)
  }

  /** From its first moment: one that hangs before it is ready would be waited for without end. */
  #watchOver(child: ChildProcess): void {
    const pulse = new Pulse()
    this.#isDoubted = false
    child.on('message', ({ type }: EngineMessage) => {
      if (type === 'overdue') this.#end(child, 'record store has a question that does not end')
      if (type !== 'ready' && type !== 'pulse') return
      pulse.answered()
      this.#doubt(child, false)
    })
    clearInterval(this.#watch)
    this.#watch = setInterval(() => {
      this.#checkMemory(child)
      this.#feel(child, pulse)
    }, WATCH_MS)
    this.#watch.unref()
  }

  #feel(child: ChildProcess, pulse: Pulse): void {
    const sample = mainThread(child.pid)
    const step = sample === undefined ? 'wait' : pulse.look(sample)
    if (step === 'ask') order(child, { type: 'pulse' })
    if (step === 'doubt') this.#doubt(child, true)
    if (step !== 'end') return
    this.#end(child, 'record store does not answer')
  }

  #end(child: ChildProcess, why: string): void {
    this.#options.say('error', `${why}; it is ended`)
    child.kill('SIGKILL')
  }

  #doubt(child: ChildProcess, isDoubted: boolean): void {
    if (isDoubted === this.#isDoubted || child !== this.#child) return
    this.#isDoubted = isDoubted
    if (this.#deferred && child.pid !== undefined) defer(child.pid, !isDoubted)
  }

  /** Nothing waits for it: a port that somebody else has keeps no event from being stored. */
  #openPort(child: ChildProcess): void {
    const { port, say } = this.#options
    if (port === undefined) return
    child.on('message', (message: EngineMessage) => {
      if (message.type !== 'port') return
      const where = `${port.host}:${port.port}`
      if (message.problem === undefined) say('info', `the record can be read at ${where}`)
      else say('error', `the record cannot be read at ${where}: ${message.problem}`)
    })
    order(child, { type: 'listen', port })
  }

  #ended(child: ChildProcess, how: string): void {
    if (child !== this.#child) return
    clearInterval(this.#watch)
    this.#child = undefined
    this.#ready = undefined
    if (this.#stopped) return
    const lived = performance.now() - this.#startedMs
    const longer = Math.min(Math.max(this.#pauseMs * 2, PAUSE_MS), PAUSE_MS_MAX)
    this.#pauseMs = lived > HEALTHY_MS ? 0 : longer * (0.75 + Math.random() / 2)
    this.#options.say('warn', `record store ended (${how}); it is started again when needed`)
  }

  /** The engine's own limit counts what it knows of; this one counts what the kernel sees. */
  #checkMemory(child: ChildProcess): void {
    const used = residentBytes(child.pid)
    if (used <= this.#options.memoryBytesMax * 1.5) return
    this.#end(child, `record store uses ${Math.round(used / 1024 ** 2)} MiB`)
  }
}

function order(child: ChildProcess, what: EngineOrder): void {
  // Of one that is about to end its `exit` tells; without a callback it would be an uncaught error.
  if (child.connected) child.send(what, () => {})
}

function hello(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new GatewayError('GW_UNAVAILABLE', 'the record store did not start'))
    child.once('exit', gone)
    child.once('error', (cause) =>
      reject(new GatewayError('GW_UNAVAILABLE', 'the record store cannot be started', { cause })),
    )
    child.once('message', (message: EngineMessage) => {
      child.off('exit', gone)
      if (message.type === 'ready') resolve()
      else if (message.type === 'failed')
        reject(new GatewayError('GW_UNAVAILABLE', message.message, missingSay(message)))
    })
  })
}

/** What is missing may be said to the operator who asks; everything else is for the log. */
function missingSay(message: { message: string; missing: boolean }): { say: string } | undefined {
  return message.missing ? { say: message.message } : undefined
}

/** Undefined when it has ended. */
function mainThread(pid: number | undefined): ThreadSample | undefined {
  const folder = `/proc/${pid}/task/${pid}`
  try {
    return threadSample(readFileSync(`${folder}/stat`, 'latin1'), schedstatOf(folder))
  } catch {
    return undefined
  }
}

/** Undefined where the kernel does not count it. */
function schedstatOf(folder: string): string | undefined {
  try {
    return readFileSync(`${folder}/schedstat`, 'latin1')
  } catch {
    return undefined
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
