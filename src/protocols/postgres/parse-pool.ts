/**
 * IO (thread). Parses long texts in a thread of its own, so that the sessions of a worker do not stand still
 * for one of them. Each session worker owns one such thread, made when it is first needed.
 *
 * What comes back is the tree as JSON text, which is read here: measured for a 720 KiB INSERT, parsing takes 62 ms,
 * reading the JSON 31 ms, and receiving the tree as a structured clone 100 ms and more. A text that cannot be parsed
 * there for any reason, time included, must count as opaque: it is never parsed here instead.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../../base/errors.ts'
import type { OpaqueReason } from '../../decide/action.ts'
import type { Parsed } from './sql/parse.ts'

export interface ParseQuestion {
  readonly id: number
  readonly text: string
}

export type ParseAnswer =
  | { readonly id: number; readonly tree: string }
  | { readonly id: number; readonly opaque: OpaqueReason }

export interface ParseThreadOptions {
  /** Compiled workers/parse.js. */
  readonly entry?: string
  /** From the question to the answer, waiting in line included. */
  readonly waitMsMax?: number
}

/** Texts longer than this (UTF-16 units) are worth the way to another thread. */
export const PARSE_ELSEWHERE_LENGTH = 16 * 1024

const WAIT_MS_MAX = 5000
const WAITING_LENGTH_MAX = 64 * 1024 * 1024
const HEAP_MB = 512

interface Waiting {
  readonly length: number
  readonly timer: NodeJS.Timeout
  resolve(answer: Parsed | OpaqueReason): void
  reject(error: GatewayError): void
}

let thread: ParseThread | undefined

/** As `parse` of sql/parse.ts, in this worker's parse thread. Rejects as `ParseThread.parse` does. */
export function parseElsewhere(text: string): Promise<Parsed | OpaqueReason> {
  thread ??= new ParseThread()
  return thread.parse(text)
}

export class ParseThread {
  readonly #entry: string
  readonly #waitMsMax: number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0
  #length = 0

  constructor(options: ParseThreadOptions = {}) {
    this.#entry = options.entry ?? entry()
    this.#waitMsMax = options.waitMsMax ?? WAIT_MS_MAX
  }

  /** What the parser says of the text. Rejects where it cannot say: too long, too many, or it failed. */
  parse(text: string): Promise<Parsed | OpaqueReason> {
    if (this.#length + text.length > WAITING_LENGTH_MAX) {
      return Promise.reject(failure('Too many long texts wait for the parser.'))
    }
    const id = ++this.#lastId
    this.#length += text.length
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(), this.#waitMsMax)
      this.#waiting.set(id, { length: text.length, timer, resolve, reject })
      this.#worker ??= this.#start()
      this.#worker.ref()
      const question: ParseQuestion = { id, text }
      this.#worker.postMessage(question)
    })
  }

  /** Ends the thread; texts that wait are rejected. */
  close(): void {
    this.#drop('The parser was stopped.')
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      name: 'parse',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    worker.on('message', (answer: ParseAnswer) => this.#answered(answer))
    // Both may come for one death; an old worker's end must not touch its successor.
    const lost = () => {
      if (this.#worker === worker) this.#drop('The parser failed on a long text.')
    }
    worker.on('error', lost)
    worker.on('exit', lost)
    return worker
  }

  #answered(answer: ParseAnswer): void {
    const waiting = this.#settle(answer.id)
    waiting?.resolve('tree' in answer ? read(answer.tree) : answer.opaque)
    // A thread that nobody waits for does not keep its owner alive.
    if (this.#waiting.size === 0) this.#worker?.unref()
  }

  /** The parser cannot be interrupted, so it goes, and all that wait behind with it. */
  #late(): void {
    this.#drop('The text takes the parser too long.')
  }

  #drop(reason: string): void {
    const worker = this.#worker
    this.#worker = undefined
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(failure(reason))
    void worker?.terminate()
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    this.#length -= waiting.length
    clearTimeout(waiting.timer)
    return waiting
  }
}

/** Threads run compiled code only. */
function entry(): string {
  const root = import.meta.url.endsWith('.ts') ? '../../../dist' : '../../..'
  return fileURLToPath(new URL(`${root}/workers/parse.js`, import.meta.url))
}

function failure(message: string): GatewayError {
  return new GatewayError('GW_NOT_UNDERSTOOD', message)
}

function read(tree: string): Parsed | OpaqueReason {
  try {
    const parsed: Parsed = JSON.parse(tree)
    return parsed
  } catch {
    return { reason: 'The text is nested too deeply for the parser.', position: undefined }
  }
}
