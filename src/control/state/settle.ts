/**
 * IO (files). Waits until a folder with all that is in it is on the disk: PGlite never asks the disk to keep anything.
 */
import { open, readdir, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Files that vanish meanwhile are no failure; a disk that does not take what is there is one. */
export async function settle(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true })
  const paths = [dirname(folder), folder, ...names.map((name) => join(folder, name))]
  await Promise.all(paths.map(settleOne))
  // Refused by a file system that was shut down meanwhile, whose last promises are not to be believed (base/disk.ts). Once for
  // all: each file it is asked for would be one to write for the next call.
  const now = Date.now() / 1000
  await utimes(folder, now, now)
}

async function settleOne(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
