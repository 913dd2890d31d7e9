/**
 * Pure. A client that is not read because its target takes nothing: looked at once a second (accept/unread.ts), it is ended when it
 * has left and its session stands still.
 *
 * What it said before it left may still go up, for as long as the target takes something now and then. A client whose kernel
 * could not hand over all that it said cannot say either that it has left: it is written to, and what it no longer is
 * answers with a reset.
 */
const STILL_LOOKS_MAX = 10

export interface Progress {
  /** What the target was sent and has not taken. */
  readonly unsentBytes: number
  /** When either side last said something. */
  readonly lastActive: number
}

export class UnreadClient {
  #unsentBytes = -1
  #lastActive = -1
  #stillLooks = 0

  /** What is to be done: `ask` it for a sign of life, or `end` its session. */
  look(hasLeft: boolean, { unsentBytes, lastActive }: Progress): 'wait' | 'ask' | 'end' {
    const isStill = unsentBytes === this.#unsentBytes && lastActive === this.#lastActive
    this.#unsentBytes = unsentBytes
    this.#lastActive = lastActive
    this.#stillLooks = isStill ? this.#stillLooks + 1 : 0
    if (hasLeft) return this.#stillLooks >= STILL_LOOKS_MAX ? 'end' : 'wait'
    return isStill && this.#stillLooks % STILL_LOOKS_MAX === 0 ? 'ask' : 'wait'
  }
}
