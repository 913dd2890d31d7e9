/**
 * IO (files). A segment that is still being written, read again and again: each time from where the last good block ended
 * (segment.ts), and not the room behind it, which may be megabytes of zeros.
 *
 * Holds no descriptor: a segment on which none is open is one whose writer has died (ship.ts).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { BLOCK_HEAD, readSegment, type SegmentContent } from './segment.ts'
import { type Opening, openingOf } from './segment-cipher.ts'
import { SpoolKeys } from './spool-cipher.ts'

const CHUNK_BYTES = 128 << 10

export class OpenSegment {
  readonly #path: string
  readonly #keys: SpoolKeys
  #opening: Opening | undefined
  #bytes = Buffer.alloc(0)
  #content: SegmentContent | undefined

  constructor(path: string, keys = new SpoolKeys()) {
    this.#path = path
    this.#keys = keys
  }

  /** All of it so far; undefined where it is not a segment (yet). Throws where the file is gone. */
  read(): SegmentContent | undefined {
    const descriptor = openSync(this.#path, 'r')
    try {
      // Once, as a rule: a segment has its room from the beginning.
      const { size } = fstatSync(descriptor)
      if (size > this.#bytes.length) this.#grow(size)
      let filled = this.#content?.end ?? 0
      for (;;) {
        const wanted = Math.min(CHUNK_BYTES, size - filled)
        if (wanted <= 0) break
        const got = readSync(descriptor, this.#bytes, filled, wanted, filled)
        filled += got
        const read = this.#read(this.#bytes.subarray(0, filled))
        if (read === 'foreign') return undefined
        this.#content = read
        if (got < wanted || this.#endsIn(filled)) break
      }
      return this.#content
    } finally {
      closeSync(descriptor)
    }
  }

  #read(bytes: Buffer): SegmentContent | 'foreign' {
    // One opener for all of it: blocks are opened in their order, each once.
    if (this.#content === undefined) this.#opening = openingOf(bytes, this.#keys)
    const opening = this.#opening!
    if ('locked' in opening) return 'foreign'
    if (opening.opener === undefined && !this.#keys.mayBeClear(basename(this.#path)))
      return 'foreign'
    return readSegment(bytes, this.#content, opening.opener, true)
  }

  /** Behind the last block stands nothing. */
  #endsIn(filled: number): boolean {
    const { end } = this.#content!
    if (end + BLOCK_HEAD > filled) return false
    return this.#bytes.readUInt32BE(end) === 0 && this.#bytes.readUInt32BE(end + 4) === 0
  }

  /** What was read before keeps its memory. */
  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size)
    this.#bytes.copy(grown, 0, 0, this.#content?.end ?? 0)
    this.#bytes = grown
  }
}
