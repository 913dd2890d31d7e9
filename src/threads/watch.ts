/**
 * IO (disk). Says when files have changed: the configuration, its policies, certificates.
 *
 * Looks at size, inode and time of change once a second instead of asking the kernel to tell: editors that replace
 * files, symbolic links that are switched and network disks all look the same this way. Reads no contents.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const EVERY_MS = 1000
const ENTRIES_MAX = 20_000

export interface Watch {
  close(): void
}

/**
 * `paths` is asked at every look: files, or folders with all that is in them. `changed` is called when two looks in
 * a row agree on something new, so that files that belong together have both been written; the next look comes after
 * it has returned.
 */
export function watchFiles(
  paths: () => readonly string[],
  changed: () => void,
  everyMs = EVERY_MS,
): Watch {
  const closed = new AbortController()
  void look(paths, changed, { everyMs, signal: closed.signal })
  return { close: () => closed.abort() }
}

async function look(
  paths: () => readonly string[],
  changed: () => void,
  { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let known = await fingerprint(paths())
  let last = known
  for (;;) {
    try {
      await wait(everyMs, undefined, { signal, ref: false })
    } catch {
      return
    }
    const now = await fingerprint(paths())
    if (now === last && now !== known && !signal.aborted) {
      const before = paths().join('\n')
      changed()
      const after = paths()
      // Known is what was there before the call: what was written meanwhile is another change. Unless there are
      // other files to look at now.
      known = after.join('\n') === before ? now : await fingerprint(after)
      last = known
    } else last = now
  }
}

async function fingerprint(paths: readonly string[]): Promise<string> {
  const marks: string[] = []
  for (const path of paths) await mark(path, marks)
  return marks.join('\n')
}

async function mark(path: string, marks: string[]): Promise<void> {
  if (marks.length >= ENTRIES_MAX) return
  try {
    const found = await stat(path)
    if (found.isDirectory()) {
      for (const name of (await readdir(path)).sort()) await mark(join(path, name), marks)
    } else {
      marks.push(`${path} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`)
    }
  } catch {
    marks.push(`${path} -`) // Missing counts as a state too.
  }
}
