/**
 * IO. One run of Debian's pgbench: always one client thread (`-j 1`), so that client, proxy and server are one thread each
 * wherever they are single-threaded.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../test/lib/child.ts'
import { quantile } from './judge.ts'

/** Where a contender listens and how it is logged into. */
export interface Door {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly tls?: boolean
  /** Waited for after each run: what the contender still does must not fall into the next one's time. */
  readonly settle?: () => Promise<void>
}

export interface Load {
  readonly clients: number
  readonly mode: 'simple' | 'extended' | 'prepared'
  readonly seconds: number
  /** `select`: -S; `tpcb`: pgbench's default; or the path of a script. */
  readonly script: 'select' | 'tpcb' | { readonly file: string }
  /** A new connection for each transaction. */
  readonly connects?: boolean
  /** Also write down each transaction's time. */
  readonly times?: boolean
}

export interface Measured {
  /** Transactions a second, without the time to connect unless each does. */
  readonly tps: number
  /** Microseconds; only with `times`. */
  readonly p50: number
  readonly p99: number
}

/** Throws when pgbench fails or any transaction did. */
export async function pgbench(door: Door, load: Load): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbench-'))
  try {
    const { code, stdout, stderr } = await run('pgbench', flags(load, folder), {
      env: environment(door),
      timeoutMs: (load.seconds + 60) * 1000,
    })
    const tps = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
    const failed = /failed transactions: ([1-9]\d*)/.test(stdout)
    if (code !== 0 || failed || !(tps > 0)) throw new Error(`pgbench: ${code} ${stderr}${stdout}`)
    const times = load.times === true ? timesIn(folder) : []
    await door.settle?.()
    return { tps, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function environment(door: Door): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    PGHOST: door.host,
    PGPORT: String(door.port),
    PGUSER: door.user,
    PGPASSWORD: door.password,
    PGDATABASE: door.database,
    PGSSLMODE: door.tls === true ? 'require' : 'disable',
    PGGSSENCMODE: 'disable',
  }
}

function flags(load: Load, folder: string): string[] {
  const work =
    load.script === 'select' ? ['-S'] : load.script === 'tpcb' ? [] : ['-f', load.script.file]
  return [
    ...['-n', '-j', '1', '-c', String(load.clients), '-M', load.mode, '-T', String(load.seconds)],
    ...work,
    ...(load.connects === true ? ['-C'] : []),
    ...(load.times === true ? ['-l', `--log-prefix=${join(folder, 'times')}`] : []),
  ]
}

/** Third field of each line of the log: microseconds of one transaction. */
function timesIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Number(line.split(' ')[2])),
  )
}
