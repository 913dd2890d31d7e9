/**
 * IO (files). Segments that are encrypted with a key that is not configured: set aside as `.locked.bad`, nothing of them is lost,
 * and at a start with that key they are taken in as what a killed run left behind.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  renameSync,
} from 'node:fs'
import { join } from 'node:path'
import { unlockSealed } from './sealed-cipher.ts'
import { sealedFolder } from './sealed-spool.ts'
import { unlockSegment } from './segment-cipher.ts'
import { spoolFiles } from './spool.ts'
import type { SpoolKeys, Unlocked } from './spool-cipher.ts'

const ENDING = '.locked.bad'
/** Longer than any header of ours. */
const HEADER_BYTES_MAX = 512

const PAGE_BYTES = 4096
const ZEROS = Buffer.alloc(64 << 10)

/** Throws where the disk does not take it: then it stays as it is, and is tried again. */
export function setLockedAside(folder: string, name: string): void {
  if (name.endsWith('.open')) releaseRoom(join(folder, name))
  renameSync(join(folder, name), join(folder, name.replace(/\.(seg|open)$/, ENDING)))
}

/**
 * Gives back what a writer that was killed had reserved and not used: zeros, which read the same as an end. Where its last block
 * ends is not known without walking it, and a block may end in zeros itself: at least a page of them stays.
 */
function releaseRoom(path: string): void {
  const descriptor = openSync(path, 'r+')
  try {
    const { size, atime, mtime } = fstatSync(descriptor)
    const kept = Math.ceil(usedBytes(descriptor, size) / PAGE_BYTES + 1) * PAGE_BYTES
    if (kept >= size) return
    ftruncateSync(descriptor, kept)
    // When it was written last stays to be seen.
    futimesSync(descriptor, atime, mtime)
  } finally {
    closeSync(descriptor)
  }
}

/** Behind it stand zeros alone, to the end of the file. */
function usedBytes(descriptor: number, size: number): number {
  const bytes = Buffer.alloc(ZEROS.length)
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - bytes.length)
    const read = bytes.subarray(0, readSync(descriptor, bytes, 0, end - begin, begin))
    if (!read.equals(ZEROS.subarray(0, read.length))) {
      let used = read.length
      while (read[used - 1] === 0) used--
      return begin + used
    }
    end = begin
  }
  return 0
}

interface LockedFolder {
  readonly folder: string
  readonly names: readonly string[]
  /** What opens the segment whose first bytes these are; undefined: it is none. */
  readonly unlock: (bytes: Buffer) => Unlocked | undefined
}

/** Of both spools, before anything else looks at them. What stays locked is said. */
export function bringLockedBack(
  spoolFolder: string,
  keys: SpoolKeys,
  say: (level: 'error', text: string) => void,
): void {
  const ofEvents = (bytes: Buffer) => unlockSegment(bytes, keys)
  const ofOriginals = (bytes: Buffer) => unlockSealed(bytes, keys)
  const originals = sealedFolder(spoolFolder)
  const missed = new Set([
    ...bringBack({ folder: spoolFolder, names: spoolFiles(spoolFolder), unlock: ofEvents }),
    ...bringBack({ folder: originals, names: spoolFiles(originals), unlock: ofOriginals }),
  ])
  if (missed.size === 0) return
  const ids = [...missed].join(', ')
  say(
    'error',
    `segments of the spool (${ENDING}) wait for a key that recorder.spool.encrypt does not hold: ${ids}`,
  )
}

/** Returns ids of keys that are still missed, each once. */
function bringBack({ folder, names, unlock }: LockedFolder): ReadonlySet<string> {
  const missed = new Set<string>()
  for (const name of names.filter((one) => one.endsWith(ENDING))) {
    try {
      const unlocked = unlock(beginOf(join(folder, name)))
      if (unlocked !== undefined && 'locked' in unlocked) missed.add(unlocked.locked)
      // Also where its header was changed meanwhile: whoever completes it says so.
      else renameSync(join(folder, name), join(folder, name.replace(ENDING, '.open')))
    } catch {
      // A disk that does not take it or cannot be read: it stays, and the next start looks again.
    }
  }
  return missed
}

function beginOf(path: string): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(HEADER_BYTES_MAX)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** A sentence for the log. */
export function lockedText(id: string): string {
  return `it is encrypted with key ${id}, which recorder.spool.encrypt does not hold; nothing of it is lost, and it is shipped after a start with that key`
}
