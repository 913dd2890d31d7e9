/**
 * IO (processes). Starts the anchor process, gives it every signed head, and starts it again when it ends. A head counts as
 * anchored when all anchors have it; newer heads speak for older ones, so only the newest is kept for a process that is
 * behind.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { AnchorTarget } from './anchor.ts'
import type { SignedHead, SignedKey } from './proof.ts'

/** parent → anchor process. */
export type AnchorOrder =
  | { readonly type: 'begin'; readonly targets: readonly AnchorTarget[] }
  | {
      readonly type: 'head'
      readonly id: number
      readonly head: SignedHead
      readonly keys: readonly SignedKey[]
    }

/** anchor process → parent. */
export type AnchorNews =
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'say'; readonly level: 'warn' | 'error'; readonly text: string }

const ENTRY = fileURLToPath(
  new URL(
    `${import.meta.url.endsWith('.ts') ? '../../dist' : '../..'}/workers/anchor.js`,
    import.meta.url,
  ),
)
const AGAIN_MS = 1000
/** At the end, the last head gets this long. */
const FAREWELL_MS = 3000

export class Anchors {
  readonly #targets: readonly AnchorTarget[]
  readonly #say: (level: 'info' | 'warn' | 'error', text: string) => void
  #child: ChildProcess | undefined
  #sent = 0
  #done = 0
  #last: AnchorOrder | undefined
  #isClosing = false
  #wake = () => {}

  constructor(
    targets: readonly AnchorTarget[],
    say: (level: 'info' | 'warn' | 'error', text: string) => void,
  ) {
    this.#targets = targets
    this.#say = say
    this.#start()
  }

  /** Heads that not every anchor has. */
  get behind(): number {
    return this.#sent - this.#done
  }

  send(head: SignedHead, keys: readonly SignedKey[]): void {
    this.#last = { type: 'head', id: ++this.#sent, head, keys }
    this.#post(this.#last)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const late = setTimeout(() => this.#wake(), FAREWELL_MS)
    while (this.behind > 0 && this.#child !== undefined) {
      const before = performance.now()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      if (performance.now() - before >= FAREWELL_MS) break
    }
    clearTimeout(late)
    if (this.behind > 0) this.#say('warn', `anchors lack the last ${this.behind} heads`)
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const force = setTimeout(() => child.kill('SIGKILL'), FAREWELL_MS)
    if (child.connected) child.disconnect()
    await ended
    clearTimeout(force)
  }

  #start(): void {
    const child = fork(ENTRY, [], {
      execArgv: [],
      env: { PATH: process.env.PATH, TZ: process.env.TZ },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    child.on('message', (news: AnchorNews) => {
      if (news.type === 'say') this.#say(news.level, news.text)
      else this.#done = Math.max(this.#done, news.id)
      this.#wake()
    })
    child.once('error', () => {})
    child.once('exit', () => this.#ended(child))
    this.#post({ type: 'begin', targets: this.#targets })
    if (this.#last !== undefined) this.#post(this.#last)
  }

  #ended(child: ChildProcess): void {
    if (child !== this.#child) return
    this.#child = undefined
    this.#wake()
    if (this.#isClosing) return
    this.#say('error', 'the anchor process ended; it is started again')
    setTimeout(() => {
      if (!this.#isClosing) this.#start()
    }, AGAIN_MS).unref()
  }

  #post(order: AnchorOrder): void {
    // One that has just gone hears of it again at its next start.
    if (this.#child?.connected) this.#child.send(order, undefined, undefined, () => {})
  }
}
