/**
 * IO (files). Room on the disk for the chain's log, to be given away when there is no other: on a full disk nothing is
 * shipped, and so nothing is freed, unless the leaves of what is shipped can be written.
 */
import { rmSync, writeFileSync } from 'node:fs'

/** Enough for the leaves of the segments that free the disk when they are shipped. */
const RESERVE_BYTES = 1 << 20
const RESERVE_AGAIN_MS = 5000

export class Reserve {
  readonly #path: string
  #isThere = false
  #triedMs = -RESERVE_AGAIN_MS

  constructor(path: string) {
    this.#path = path
  }

  take(): void {
    if (this.#isThere || performance.now() - this.#triedMs < RESERVE_AGAIN_MS) return
    this.#triedMs = performance.now()
    try {
      writeFileSync(this.#path, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 })
      this.#isThere = true
    } catch {
      rmSync(this.#path, { force: true })
    }
  }

  /** False: there was none. */
  give(): boolean {
    if (!this.#isThere) return false
    rmSync(this.#path, { force: true })
    this.#isThere = false
    return true
  }
}
