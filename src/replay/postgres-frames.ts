/**
 * Pure. Cuts recorded bytes of PostgreSQL's protocol into its messages, wherever the pieces of the record end. Of a
 * long message only the beginning is kept, so that memory stays bounded whatever was recorded.
 */

/** Bytes of a message that are kept for reading. */
export const FRAME_BYTES_KEPT = 4 << 20
const HEAD = 5

export interface Frame {
  readonly kind: number
  /** Without kind and length; the beginning of it where `size` says more. */
  readonly body: Buffer
  readonly size: number
}

export class FrameReader {
  readonly #head = Buffer.alloc(HEAD)
  #headSize = 0
  #chunks: Buffer[] = []
  #kept = 0
  #left = 0

  /** Whole messages that end in these bytes. 'malformed': they are no messages; read on behind the next `end`. */
  push(bytes: Buffer): Frame[] | 'malformed' {
    const frames: Frame[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#headSize < HEAD) {
        const taken = Math.min(HEAD - this.#headSize, bytes.length - at)
        bytes.copy(this.#head, this.#headSize, at, at + taken)
        this.#headSize += taken
        at += taken
        if (this.#headSize < HEAD) break
        this.#left = this.#head.readInt32BE(1) - 4
        if (this.#left < 0) return 'malformed'
      } else {
        const taken = Math.min(this.#left, bytes.length - at)
        const room = Math.min(taken, FRAME_BYTES_KEPT - this.#kept)
        if (room > 0) this.#chunks.push(Buffer.from(bytes.subarray(at, at + room)))
        this.#kept += Math.max(0, room)
        this.#left -= taken
        at += taken
      }
      if (this.#left === 0) frames.push(this.#take())
    }
    return frames
  }

  /** Forgets what was begun; answers how many bytes of it there were. */
  end(): number {
    const bytes = this.#headSize + this.#kept
    this.#take()
    return bytes
  }

  #take(): Frame {
    const size = this.#headSize === HEAD ? this.#head.readInt32BE(1) - 4 : 0
    const frame = { kind: this.#head[0]!, body: Buffer.concat(this.#chunks), size }
    this.#chunks = []
    this.#kept = 0
    this.#headSize = 0
    this.#left = 0
    return frame
  }
}
