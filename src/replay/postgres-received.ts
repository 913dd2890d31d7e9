/**
 * Pure. What the client received, from what was recorded: the bytes as they are, without the frames that only the
 * record holds (protocols/postgres/record-frames.ts). Copies nothing but heads that are cut in two.
 */
import { NOTED } from '../protocols/postgres/record-frames.ts'

const HEAD = 5

export class Received {
  readonly #head = Buffer.alloc(HEAD)
  #headSize = 0
  #left = 0
  #isNoted = false

  /** Views of the given bytes, valid as long as those are. */
  push(bytes: Buffer): Buffer[] {
    const out: Buffer[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        if (!this.#isNoted) out.push(bytes.subarray(at, at + taken))
        this.#left -= taken
        at += taken
        continue
      }
      const taken = Math.min(HEAD - this.#headSize, bytes.length - at)
      bytes.copy(this.#head, this.#headSize, at, at + taken)
      this.#headSize += taken
      at += taken
      if (this.#headSize < HEAD) break
      this.#headSize = 0
      this.#isNoted = this.#head[0] === NOTED
      this.#left = Math.max(0, this.#head.readInt32BE(1) - 4)
      if (!this.#isNoted) out.push(Buffer.from(this.#head))
    }
    return out
  }

  /** A result ends here, or the record of it does: what comes next begins with a message. */
  end(): void {
    this.#headSize = 0
    this.#left = 0
  }
}
