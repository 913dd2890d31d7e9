/** IO. Whom servers that refuse root run as, when we are root: the user that Debian's PostgreSQL made. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** For `spawn`; undefined: we are not root, run them as ourselves. */
export function serverIds(): Ids | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (line === null) throw new Error('run as root, the tests need the system user postgres')
  return { uid: Number(line[1]), gid: Number(line[2]) }
}

/** Hands a folder and all in it to that user. */
export function give(folder: string): void {
  const ids = serverIds()
  if (ids !== undefined) execFileSync('chown', ['-R', `${ids.uid}:${ids.gid}`, folder])
}
