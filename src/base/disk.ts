/**
 * IO (files). What a disk says of itself is not all there is to know of one that the kernel has made read-only after damage: it may
 * be written, says `access`, and all is well, says an fdatasync that was under way. So both are found out by trying.
 */
import { closeSync, fdatasyncSync, futimesSync, openSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** In the folder that is asked about; it stays. */
const PROBE = 'probe'

/** undefined: it takes something, and `bytes` more would fit. Otherwise the system's code. */
export function diskProblem(folder: string, bytes: number): string | undefined {
  try {
    const { bavail, bfree, bsize } = statfsSync(folder)
    // What a file system keeps back it keeps for root.
    const free = process.getuid?.() === 0 ? bfree : bavail
    if (free * bsize < bytes) return 'ENOSPC'
    const file = openSync(join(folder, PROBE), 'w', 0o600)
    try {
      writeSync(file, '.')
    } finally {
      closeSync(file)
    }
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  }
}

/**
 * Waits until the disk has what was written to the file. Its times are changed then, a microsecond, which a file system that was
 * shut down meanwhile refuses: the last fdatasync before that has been seen to promise what was lost (ext4 of Linux 6.18).
 * Throws where the disk does not take it, and calls `onFailed` before.
 */
export function writeThrough(descriptor: number, onFailed?: () => void): void {
  try {
    fdatasyncSync(descriptor)
    const now = Date.now() / 1000
    futimesSync(descriptor, now, now)
  } catch (cause) {
    onFailed?.()
    throw cause
  }
}
