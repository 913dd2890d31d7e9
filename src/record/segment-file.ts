/**
 * IO (files). Reads complete segments one after the other into the same memory: megabytes that are new each time would be
 * what the garbage collector of the ship thread is busy with.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type ColumnList, EARLIER, upgrade } from './earlier-columns.ts'
import { readSegment, type SegmentContent } from './segment.ts'

/** Memory for a segment that is larger is not kept. */
const KEPT_BYTES_MAX = 32 << 20
const LEAST_BYTES = 64 << 10

export class SegmentFile {
  #bytes = Buffer.alloc(0)
  readonly #earlier: readonly ColumnList[]

  /** `earlier`: lists of columns that a segment may have been written with before. */
  constructor(earlier = EARLIER) {
    this.#earlier = earlier
  }

  /** In today's columns. Valid until the next call. Throws where the file cannot be read. */
  read(path: string): SegmentContent | 'foreign' {
    const content = readSegment(this.#fill(path))
    return content === 'foreign' ? content : upgrade(content, this.#earlier)
  }

  #fill(path: string): Buffer {
    const descriptor = openSync(path, 'r')
    try {
      const { size } = fstatSync(descriptor)
      const bytes = this.#room(size)
      let filled = 0
      while (filled < size) {
        const got = readSync(descriptor, bytes, filled, size - filled, filled)
        if (got === 0) break
        filled += got
      }
      return bytes.subarray(0, filled)
    } finally {
      closeSync(descriptor)
    }
  }

  #room(size: number): Buffer {
    if (size > KEPT_BYTES_MAX) return Buffer.allocUnsafeSlow(size)
    if (size > this.#bytes.length) {
      let length = LEAST_BYTES
      while (length < size) length *= 2
      this.#bytes = Buffer.allocUnsafeSlow(length)
    }
    return this.#bytes
  }
}
