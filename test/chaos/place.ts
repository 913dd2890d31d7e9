/** IO. A PostgreSQL that logs every statement, a gateway before it, and a token: what each of these tests begins with. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { run } from '../lib/child.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { type ClientOptions, PostgresClient } from './client.ts'

/** The connection that everybody may use. */
export const CONNECTION = 'c'

export interface Place {
  readonly server: Postgres
  readonly gateway: Gateway
  readonly token: string
  /** Logged in through the gateway. */
  client(): Promise<PostgresClient>
  readonly door: ClientOptions
  stop(): Promise<void>
}

export async function startPlace(
  options: Partial<GatewayOptions> & {
    readonly target?: Pick<Postgres, 'host' | 'port'>
    /** Of the token. */
    readonly ttl?: string
  } = {},
): Promise<Place> {
  const logged = ["log_statement = 'all'", 'max_connections = 100']
  const server = await startPostgres({ config: logged, auth: 'trust' })
  server.sql('CREATE USER app; CREATE TABLE chaos (marker bigint); GRANT ALL ON chaos TO app')
  const { target, ttl, ...more } = options
  const at = { server: target ?? server, database: 'postgres', user: 'app', auth: ['trust'] }
  let gateway: Gateway
  try {
    gateway = await startGateway({ connections: { [CONNECTION]: at }, ...more })
  } catch (error) {
    await server.stop()
    throw error
  }
  const token = await gateway.token({ subject: 'chaos', ...(ttl === undefined ? {} : { ttl }) })
  const door = { port: gateway.port, database: CONNECTION, password: token }
  return {
    server,
    gateway,
    token,
    door,
    client: () => PostgresClient.open(door),
    stop: async () => {
      await gateway.stop()
      await server.stop()
    },
  }
}

/** Processes that this one has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.flatMap((task) => {
    const said = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim()
    return said === '' ? [] : said.split(' ').map(Number)
  })
}

/** The embedded ClickHouse of a gateway, while there is one. */
export function engineOf(gateway: Gateway): number | undefined {
  return childrenOf(gateway.pid).find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workers/engine')
    } catch {
      return false
    }
  })
}

/** Stops its engine, and each one that is started in place of one that hung too long. Call what comes back to let it go on. */
export function holdEngine(gateway: Gateway): () => void {
  const tell = (signal: NodeJS.Signals) => {
    try {
      const pid = engineOf(gateway)
      if (pid !== undefined) process.kill(pid, signal)
    } catch {
      // It has ended in this moment, or the gateway has.
    }
  }
  tell('SIGSTOP')
  const timer = setInterval(() => tell('SIGSTOP'), 100).unref()
  return () => {
    clearInterval(timer)
    tell('SIGCONT')
  }
}

/** Ends the gateway and all that it has started, in whatever state that is: one that is stopped keeps its output open. */
export async function killAll(gateway: Gateway): Promise<void> {
  const children = childrenOf(gateway.pid)
  const ended = gateway.kill('SIGKILL')
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  await ended
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const said = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(said?.[1] ?? 0) / 1024
}

/** Milliseconds of processor time that a process has had. */
export function processorMs(pid: number): number {
  // Behind the name, which is in brackets: user and system time, in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/**
 * As `server.sql`, without blocking this process: it is who empties the pipe of the server's log, and a server that
 * logs every statement of a load stands still when nobody does.
 */
export async function ask(server: Postgres, text: string): Promise<string> {
  const args = ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', server.url]
  const { code, stdout, stderr } = await run('psql', args, { input: text })
  if (code !== 0) throw new Error(`psql: ${code} ${stderr}`)
  return stdout.trimEnd()
}

/** Sessions that the gateway has open at the target. */
export async function sessionsAt(server: Postgres): Promise<number> {
  return Number(await ask(server, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"))
}

export function mount(folder: string, bytes: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', folder])
}

export function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder])
}
