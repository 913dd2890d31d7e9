/**
 * IO. Whom the embedded PostgreSQL runs as. It refuses root, so root lends it an unprivileged system user, and a folder
 * that this user can reach even when the clone lies in a closed home.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { StartError } from '../threads/start-error.ts'

const OWN_NAME = 'sluice-demo'

export interface ServerUser {
  /** For `spawn`; undefined: we are not root and run it as ourselves. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
  /** Folder for its data, made, open to it alone. */
  readonly folder: string
}

/**
 * `wanted` is used as it is by ordinary users. For root it lies in a data folder that is closed to everybody else, so the
 * server gets /var/lib/sluice-demo/<digest of wanted> instead.
 */
export function serverUser(wanted: string): ServerUser {
  if (process.getuid?.() !== 0) {
    mkdirSync(wanted, { recursive: true, mode: 0o700 })
    return { ids: undefined, folder: wanted }
  }
  const ids = find('postgres') ?? find(OWN_NAME) ?? make()
  const digest = createHash('sha256').update(wanted).digest('hex').substring(0, 12)
  const folder = join('/var/lib/sluice-demo', digest)
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  chownSync(folder, ids.uid, ids.gid)
  chmodSync(folder, 0o700)
  return { ids, folder }
}

/** The folder itself, or a copy of it under `user.folder` where the user cannot reach it. */
export function reachable(folder: string, user: ServerUser): string {
  if (user.ids === undefined || isOpen(folder)) return folder
  const copy = join(user.folder, 'server')
  // A copy of another version is replaced: the marker names what it was made from.
  const marker = join(copy, `.of-${createHash('sha256').update(folder).digest('hex')}`)
  if (!existsSync(marker)) {
    cpSync(folder, copy, { recursive: true, force: true, verbatimSymlinks: true })
    mkdirSync(marker)
  }
  return copy
}

function isOpen(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

function find(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

function make(): { uid: number; gid: number } {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  try {
    execFileSync('useradd', [...flags, OWN_NAME], { stdio: 'pipe' })
  } catch (error) {
    const say = `PostgreSQL refuses to run as root, and the user ${OWN_NAME} cannot be made for it.`
    throw new StartError(`${say} Start the gateway as an ordinary user.`, error)
  }
  const made = find(OWN_NAME)
  if (made === undefined) throw new StartError(`The user ${OWN_NAME} was made and is not there.`)
  return made
}
