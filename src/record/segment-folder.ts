/**
 * IO (files, /proc). A folder of the spool as its shipper sees it (ship.ts, sealed-ship.ts): segments that are complete, those that a
 * dead writer left open, and those that are set aside because of what is in them.
 */
import { renameSync, rmSync, truncateSync } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { lockedText, setLockedAside } from './locked.ts'
import { spoolFiles } from './spool.ts'

/** A segment that nobody writes any more. */
export interface LeftSegment {
  readonly isEmpty: boolean
  /** Where the last whole part of it ends, and what stands behind that. */
  readonly end: number
  readonly torn: number
}

/** `blank`: torn while it was made. `locked`: encrypted with the key of this id, which is not there. */
export type ReadLeft = LeftSegment | 'foreign' | 'blank' | { readonly locked: string }

export interface SegmentFolderOptions {
  readonly folder: string
  readonly instance: string
  /** As it is called in the log. */
  readonly what: string
  /** Throws where it cannot be read. */
  readonly read: (path: string) => ReadLeft
  /** It was set aside, and its name is gone. */
  readonly gone: (name: string) => void
  /** It may have been sent before. */
  readonly doubt: (name: string) => void
  readonly say: (level: 'error', text: string) => void
}

export class SegmentFolder {
  readonly #options: SegmentFolderOptions
  /** That were set aside. */
  bad = 0

  constructor(options: SegmentFolderOptions) {
    this.#options = options
  }

  /** Complete segments, oldest first. */
  get complete(): string[] {
    return this.#files('.seg')
  }

  path(name: string): string {
    return join(this.#options.folder, name)
  }

  /** Once, before anything is sent: what earlier runs left is completed, and may have been sent. */
  recover(): void {
    for (const name of this.#files('.open'))
      if (!name.startsWith(this.#options.instance)) this.#complete(name)
    for (const name of this.complete) this.#options.doubt(name)
  }

  /** Of threads of this run that have died: no descriptor of the process is open on their files. */
  async recoverOrphans(): Promise<void> {
    const open = this.#files('.open').filter((name) => name.startsWith(this.#options.instance))
    if (open.length === 0) return
    const used = await openPaths()
    for (const name of open) if (!used.has(name)) this.#complete(name)
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true })
  }

  setAside(name: string, why: string): void {
    renameSync(this.path(name), this.path(name.replace(/\.(seg|open)$/, '.bad')))
    this.bad++
    this.#options.say('error', `${this.#options.what} ${name} is set aside as .bad: ${why}`)
    this.#options.gone(name.replace(/\.open$/, '.seg'))
  }

  /** Its key may come back, at another start. */
  lock(name: string, id: string): void {
    setLockedAside(this.#options.folder, name)
    this.bad++
    this.#options.say('error', `${this.#options.what} ${name} is set aside: ${lockedText(id)}`)
    this.#options.gone(name.replace(/\.open$/, '.seg'))
  }

  #complete(name: string): void {
    const path = this.path(name)
    try {
      const left = this.#options.read(path)
      if (left === 'foreign') this.setAside(name, 'it is not a segment')
      else if (left === 'blank') this.remove(name)
      else if ('locked' in left) this.lock(name, left.locked)
      else if (left.isEmpty) this.remove(name)
      else {
        // Never acknowledged, so never forwarded: what was torn describes nothing that happened.
        if (left.torn > 0) truncateSync(path, left.end)
        renameSync(path, path.replace(/\.open$/, '.seg'))
        this.#options.doubt(name.replace(/\.open$/, '.seg'))
      }
    } catch {
      // Completed by its own thread in this moment, or unreadable: the next look decides.
    }
  }

  #files(ending: '.open' | '.seg'): string[] {
    return spoolFiles(this.#options.folder).filter((name) => name.endsWith(ending))
  }
}

/** Base names of all files that this process has open. */
async function openPaths(): Promise<Set<string>> {
  const descriptors = await readdir('/proc/self/fd')
  const paths = await Promise.all(
    descriptors.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')),
  )
  return new Set(paths.map((path) => basename(path)))
}
