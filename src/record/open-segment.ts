/**
 * IO (files). A segment that is still being written, read again and again: each time from where the last good block ended
 * (segment.ts), and not the room behind it, which may be megabytes of zeros. What was read of it is not read once more when
 * it is complete.
 *
 * Holds no descriptor: a segment on which none is open is one whose writer has died (ship.ts).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { NO_SPARE, type SpareMemory } from '../base/spare-memory.ts'
import { BLOCK_HEAD, readSegment, type SegmentContent } from './segment.ts'
import { type Opening, openingOf } from './segment-cipher.ts'
import { readWhole } from './segment-file.ts'
import { baseName } from './spool.ts'
import { SpoolKeys } from './spool-cipher.ts'

const CHUNK_BYTES = 128 << 10
/** Complete ones that wait to be shipped are kept in memory, up to this many. */
const COMPLETE_MAX = 4
const NONE = Buffer.alloc(0)

export class OpenSegment {
  readonly #path: string
  readonly #keys: SpoolKeys
  readonly #spare: SpareMemory
  #opening: Opening | undefined
  #bytes: Buffer = NONE
  #content: SegmentContent | undefined
  isComplete = false

  constructor(path: string, keys = new SpoolKeys(), spare: SpareMemory = NO_SPARE) {
    this.#path = path
    this.#keys = keys
    this.#spare = spare
  }

  /** What was read of it is not looked at any more. */
  end(): void {
    this.#spare.give(this.#bytes)
    this.#bytes = NONE
    this.#content = undefined
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
        const read = this.#read(this.#bytes.subarray(0, filled), true)
        if (read === 'foreign') return undefined
        this.#content = read
        if (got < wanted || this.#endsIn(filled)) break
      }
      return this.#content
    } finally {
      closeSync(descriptor)
    }
  }

  /** All of it, as it was left by its writer under this path. undefined where nothing was read of it, or it is none. */
  complete(path: string): SegmentContent | undefined {
    if (this.isComplete || this.#content === undefined) return this.#content
    const descriptor = openSync(path, 'r')
    try {
      const { size } = fstatSync(descriptor)
      // Its writer has taken back what the disk did not: what is in memory is not what was written.
      if (size < this.#content.end) {
        this.#content = undefined
        return undefined
      }
      if (size > this.#bytes.length) this.#grow(size)
      const filled = readWhole(descriptor, this.#bytes, { from: this.#content.end, to: size })
      const read = this.#read(this.#bytes.subarray(0, filled), false)
      this.#content = read === 'foreign' ? undefined : read
      this.isComplete = true
      return this.#content
    } finally {
      closeSync(descriptor)
    }
  }

  #read(bytes: Buffer, isOpen: boolean): SegmentContent | 'foreign' {
    // One opener for all of it: blocks are opened in their order, each once.
    if (this.#content === undefined) this.#opening = openingOf(bytes, this.#keys)
    const opening = this.#opening!
    if ('locked' in opening) return 'foreign'
    if (opening.opener === undefined && !this.#keys.mayBeClear(basename(this.#path)))
      return 'foreign'
    return readSegment(bytes, this.#content, opening.opener, isOpen)
  }

  /** Behind the last block stands nothing. */
  #endsIn(filled: number): boolean {
    const { end } = this.#content!
    if (end + BLOCK_HEAD > filled) return false
    return this.#bytes.readUInt32BE(end) === 0 && this.#bytes.readUInt32BE(end + 4) === 0
  }

  /** What was read before keeps its memory. */
  #grow(size: number): void {
    const grown = this.#spare.take(size)
    this.#bytes.copy(grown, 0, 0, this.#content?.end ?? 0)
    this.#bytes = grown
  }
}

/** Those of this run, by their names without the ending. */
export class OpenSegments {
  readonly #keys: SpoolKeys | undefined
  readonly #spare: SpareMemory | undefined
  readonly #segments = new Map<string, OpenSegment>()
  /** Given away, and looked at until they are stored. */
  readonly #taken = new Map<string, OpenSegment>()

  constructor(keys?: SpoolKeys, spare?: SpareMemory) {
    this.#keys = keys
    this.#spare = spare
  }

  /** What stands in an open segment so far. Throws where it is gone. */
  read(path: string): SegmentContent | undefined {
    const name = baseName(basename(path))
    let segment = this.#segments.get(name)
    if (segment === undefined) {
      segment = new OpenSegment(path, this.#keys, this.#spare)
      this.#segments.set(name, segment)
    }
    return segment.read()
  }

  /** A segment that was read while it was open, and is complete; undefined: it must be read from its file. */
  complete(path: string): SegmentContent | undefined {
    const name = baseName(basename(path))
    const segment = this.#segments.get(name)
    if (segment === undefined) return undefined
    const content = segment.complete(path)
    let complete = 0
    for (const one of this.#segments.values()) if (one.isComplete) complete++
    if (content === undefined || complete > COMPLETE_MAX) this.forget(name)
    return content
  }

  /** The same once: whoever has it may change its bytes. */
  take(path: string): SegmentContent | undefined {
    const name = baseName(basename(path))
    const content = this.complete(path)
    const segment = this.#segments.get(name)
    this.forget(name)
    if (segment !== undefined) this.#taken.set(name, segment)
    return content
  }

  /** Where its file has another name now, or none. */
  forget(segment: string): void {
    this.#segments.delete(segment)
    this.#taken.delete(segment)
  }

  /** It is stored: what was given away of it is not looked at any more. */
  stored(segment: string): void {
    this.#taken.get(segment)?.end()
    this.forget(segment)
  }

  /** Forgets all of which there is no file. */
  keep(names: readonly string[]): void {
    if (this.#segments.size === 0) return
    const kept = new Set(names.map(baseName))
    for (const name of this.#segments.keys()) if (!kept.has(name)) this.#segments.delete(name)
  }
}
