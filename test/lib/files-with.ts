/** IO. Which files of a folder, at any depth, hold something; those that vanish meanwhile do not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export function filesWith(folder: string, holds: (bytes: Buffer) => readonly string[]): string[] {
  const found: string[] = []
  for (const entry of whileThere(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...filesWith(path, holds))
    if (!entry.isFile()) continue
    const bytes = whileThere(() => readFileSync(path))
    if (bytes !== undefined && holds(bytes).length > 0) found.push(path)
  }
  return found
}

function whileThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
