/**
 * IO (files). Segments that are encrypted with a key that is not configured: set aside as `.locked.bad`, nothing of them is lost,
 * and at a start with that key they are taken in as what a killed run left behind.
 */
import { closeSync, openSync, readSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { unlockSealed } from './sealed-cipher.ts'
import { sealedFolder } from './sealed-spool.ts'
import { unlockSegment } from './segment-cipher.ts'
import { spoolFiles } from './spool.ts'
import type { SpoolKeys, Unlocked } from './spool-cipher.ts'

const ENDING = '.locked.bad'
/** Longer than any header of ours. */
const HEADER_BYTES_MAX = 512

/** Throws where the disk does not take it: then it stays as it is, and is tried again. */
export function setLockedAside(folder: string, name: string): void {
  renameSync(join(folder, name), join(folder, name.replace(/\.(seg|open)$/, ENDING)))
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
