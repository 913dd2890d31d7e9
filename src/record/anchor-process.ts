/**
 * IO (files, sockets). What the anchor process does: writes each head to every anchor, in order, and says when all of them
 * have it. Runs only in the process of workers/anchor.ts.
 *
 * A file gets every head, on the disk before it counts. An HTTP address and a bucket get the newest one that waits when
 * the one before was taken; what fails is tried again until it is overtaken by a newer head.
 */
import { createPrivateKey } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type AnchorTarget, anchorLine, type Countersignature, s3Put } from './anchor.ts'
import type { AnchorNews, AnchorOrder } from './anchor-child.ts'
import { readHead, type SigningKey, signingKey, signText } from './proof.ts'

type HeadOrder = Extract<AnchorOrder, { type: 'head' }>
type Tell = (news: AnchorNews) => void

const ANSWER_MS_MAX = 10_000
const PAUSE_MS = { first: 500, max: 30_000 }

export class AnchorProcess {
  readonly #tell: Tell
  #lanes: Lane[] = []

  constructor(tell: Tell) {
    this.#tell = tell
  }

  on(order: AnchorOrder): void {
    if (order.type === 'head') {
      for (const lane of this.#lanes) lane.add(order)
      return
    }
    this.#lanes = order.targets.map((target) => new Lane(target, this.#tell, () => this.#report()))
  }

  /** What the slowest anchor has. */
  #report(): void {
    const id = Math.min(...this.#lanes.map(({ done }) => done))
    if (id > 0) this.#tell({ type: 'done', id })
  }
}

class Lane {
  done = 0
  readonly #target: AnchorTarget
  readonly #tell: Tell
  readonly #onDone: () => void
  readonly #key: SigningKey | undefined
  #waiting: HeadOrder[] = []
  #isRunning = false
  #isFailing = false

  constructor(target: AnchorTarget, tell: Tell, onDone: () => void) {
    this.#target = target
    this.#tell = tell
    this.#onDone = onDone
    this.#key = target.keyFile === undefined ? undefined : readKey(target.keyFile)
  }

  add(order: HeadOrder): void {
    // Each head is in a file; elsewhere the newest speaks for those before it.
    this.#waiting = this.#target.type === 'file' ? [...this.#waiting, order] : [order]
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    let pauseMs = PAUSE_MS.first
    for (let order = this.#waiting.shift(); order !== undefined; order = this.#waiting.shift()) {
      try {
        await this.#write(order)
        this.done = order.id
        this.#isFailing = false
        pauseMs = PAUSE_MS.first
        this.#onDone()
      } catch (error) {
        this.#failed(error)
        if (this.#target.type === 'file') this.#waiting.unshift(order)
        else if (this.#waiting.length === 0) this.#waiting.push(order)
        await wait(pauseMs * (0.75 + Math.random() / 2))
        pauseMs = Math.min(pauseMs * 2, PAUSE_MS.max)
      }
    }
    this.#isRunning = false
  }

  #failed(error: unknown): void {
    if (this.#isFailing) return
    this.#isFailing = true
    const why = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error)
    this.#tell({ type: 'say', level: 'error', text: `a ${this.#target.type} anchor fails: ${why}` })
  }

  async #write({ head, keys }: HeadOrder): Promise<void> {
    const line = `${anchorLine(head, keys, this.#countersign(head.text))}\n`
    const target = this.#target
    if (target.type === 'file') return append(target.path, line)
    if (target.type === 'http') {
      const token = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }
      const headers = { 'content-type': 'application/json', ...token }
      return send(target.url, { method: 'POST', headers, body: line })
    }
    const { chain, number } = readHead(head.text)!
    const name = `${chain}/${String(number).padStart(12, '0')}.json`
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const { url, headers } = s3Put(target, { name, body: line, date })
    return send(url, { method: 'PUT', headers, body: line })
  }

  #countersign(text: string): Countersignature | undefined {
    const key = this.#key
    return key === undefined ? undefined : { key: key.public, signature: signText(text, key) }
  }
}

function readKey(path: string): SigningKey {
  return signingKey(createPrivateKey(readFileSync(path)))
}

function append(path: string, line: string): void {
  const descriptor = openSync(path, 'a', 0o600)
  try {
    writeSync(descriptor, line)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

async function send(url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, {
    ...init,
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`it answered ${answer.status}`)
}
