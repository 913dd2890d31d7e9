/**
 * IO (/proc). What both shippers (ship.ts, sealed-ship.ts) need to store a segment exactly once: tokens that its rows may stand
 * under, settings that make an insert all or nothing, and which files somebody still writes.
 */
import { readdir, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Settings } from './clickhouse.ts'
import { quoted } from './retention.ts'

/** Tokens of a segment that are looked for, whether or not this run has sent them. */
const ATTEMPTS = 8

/** One insert, one block, one part, under the token of this attempt, from 0: all of it or nothing. */
export function wholeInsert(id: string, attempt: number): Settings {
  return {
    insert_deduplication_token: attempt === 0 ? id : `${id}~${attempt}`,
    async_insert: 0,
    insert_deduplicate: 1,
    max_insert_block_size: 10_000_000,
    min_insert_block_size_rows: 10_000_000,
    min_insert_block_size_bytes: 1 << 30,
  }
}

/** All that rows of a segment may have been sent under, as literals. Names of segments are ours. */
export function tokensOf(id: string, attempt: number): string {
  const again = Array.from({ length: Math.max(ATTEMPTS, attempt) }, (_, i) => `${id}~${i + 1}`)
  return [id, ...again].map(quoted).join(', ')
}

/** Base names of all files that this process has open. */
export async function openPaths(): Promise<Set<string>> {
  const descriptors = await readdir('/proc/self/fd')
  const paths = await Promise.all(
    descriptors.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')),
  )
  return new Set(paths.map((path) => basename(path)))
}
