/**
 * IO (files). Whether a folder's disk takes anything: found by trying. The kernel's answer to "may I write there" is yes for
 * a disk that it has made read-only after damage.
 */
import { closeSync, openSync, statfsSync, writeSync } from 'node:fs'
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
