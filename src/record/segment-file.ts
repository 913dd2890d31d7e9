/**
 * IO (files). Reads complete segments one after the other into the same memory: megabytes that are new each time would be
 * what the garbage collector of the ship thread is busy with.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { COLUMNS_HASH } from './columns.ts'
import { type ColumnList, EARLIER, upgrade } from './earlier-columns.ts'
import { readSegment, type SegmentContent } from './segment.ts'
import { openingOf } from './segment-cipher.ts'
import { SpoolKeys } from './spool-cipher.ts'

/** Memory for a segment that is larger is not kept. */
const KEPT_BYTES_MAX = 32 << 20
const LEAST_BYTES = 64 << 10

export type ReadContent = SegmentContent | 'foreign' | { readonly locked: string }

export class SegmentFile {
  #bytes = Buffer.alloc(0)
  #clear: Buffer = Buffer.alloc(0)
  readonly #earlier: readonly ColumnList[]
  readonly #keys: SpoolKeys

  /** `earlier`: lists of columns that a segment may have been written with before. `keys`: of encrypted ones. */
  constructor(earlier = EARLIER, keys = new SpoolKeys()) {
    this.#earlier = earlier
    this.#keys = keys
  }

  /**
   * In today's columns, decrypted. Valid until the next call. `locked`: encrypted, with the key of this id, which is not
   * there. Throws where the file cannot be read.
   */
  read(path: string): ReadContent {
    const bytes = this.#fill(path)
    const opening = openingOf(bytes, this.#keys, this.#clear)
    if ('locked' in opening) return opening
    const { opener } = opening
    if (opener === undefined && !this.#keys.mayBeClear(basename(path))) return 'foreign'
    const content = readSegment(bytes, undefined, opener)
    if (opener !== undefined && opener.clear.length <= KEPT_BYTES_MAX) this.#clear = opener.clear
    return content === 'foreign' ? content : upgrade(content, this.#earlier)
  }

  #fill(path: string): Buffer {
    const descriptor = openSync(path, 'r')
    try {
      const { size } = fstatSync(descriptor)
      const bytes = this.#room(size)
      return bytes.subarray(0, readWhole(descriptor, bytes, { from: 0, to: size }))
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

/** Reads these places of a file to the same ones in memory; answers up to where, less where the file is shorter. */
export function readWhole(
  descriptor: number,
  into: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let filled = from
  while (filled < to) {
    const got = readSync(descriptor, into, filled, to - filled, filled)
    if (got === 0) break
    filled += got
  }
  return filled
}

/** undefined: gone in this moment, or not a segment: ship.ts says so. */
export function ownContent(read: () => ReadContent | undefined): SegmentContent | undefined {
  try {
    const content = read()
    // Rows of another version or of a key that is gone are not ours to read; ship.ts sets them aside.
    if (content === undefined || content === 'foreign' || 'locked' in content) return undefined
    return content.header.columns === COLUMNS_HASH ? content : undefined
  } catch {
    return undefined
  }
}
