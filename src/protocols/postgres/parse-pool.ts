/**
 * IO (thread). Parses long texts in a thread of its own, so that the sessions of a worker do not stand still
 * for one of them. Each session worker owns one such thread, made when it is first needed.
 *
 * What comes back is the tree as JSON text, which is read here: measured for a 720 KiB INSERT, parsing takes 62 ms,
 * reading the JSON 31 ms, and receiving the tree as a structured clone 100 ms and more. Everything that goes wrong,
 * time included, makes the text opaque.
 */
import { Worker } from 'node:worker_threads'
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
  readonly entry: string
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
}

export class ParseThread {
  readonly #entry: string
  readonly #waitMsMax: number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0
  #length = 0

  constructor(options: ParseThreadOptions) {
    this.#entry = options.entry
    this.#waitMsMax = options.waitMsMax ?? WAIT_MS_MAX
  }

  /** As `parse` of sql/parse.ts, elsewhere. Never rejects. */
  parse(text: string): Promise<Parsed | OpaqueReason> {
    if (this.#length + text.length > WAITING_LENGTH_MAX) {
      return Promise.resolve(opaque('Too many long texts are waiting for the parser; try again.'))
    }
    const id = ++this.#lastId
    this.#length += text.length
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#late(), this.#waitMsMax)
      this.#waiting.set(id, { length: text.length, timer, resolve })
      this.#worker ??= this.#start()
      this.#worker.ref()
      const question: ParseQuestion = { id, text }
      this.#worker.postMessage(question)
    })
  }

  /** Ends the thread; texts that wait are opaque. */
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
    const parsed = 'tree' in answer ? read(answer.tree) : answer.opaque
    this.#settle(answer.id, parsed)
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
    for (const id of [...this.#waiting.keys()]) this.#settle(id, opaque(reason))
    void worker?.terminate()
  }

  #settle(id: number, answer: Parsed | OpaqueReason): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#length -= waiting.length
    clearTimeout(waiting.timer)
    waiting.resolve(answer)
  }
}

function read(tree: string): Parsed | OpaqueReason {
  try {
    const parsed: Parsed = JSON.parse(tree)
    return parsed
  } catch {
    return opaque('The text is nested too deeply for the parser.')
  }
}

function opaque(reason: string): OpaqueReason {
  return { reason, position: undefined }
}
