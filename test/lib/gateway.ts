/**
 * IO. The compiled gateway as a process of its own, in a temporary folder with free ports, driven by the commands a
 * person would use. What is fixed by the contract is all that is relied on here.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, run, start } from './child.ts'
import { freePort } from './free-port.ts'
import type { Postgres } from './postgres.ts'

/** `SLUICE_DIST`: a build of one's own, in place of the one that `npm run build` makes. */
const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL(repository('dist'), import.meta.url))
const ENTRY = 'src/cli/main.js'

/** A target of the gateway under test. Fields that are left out take the contract's defaults. */
export interface Target {
  readonly server: Pick<Postgres, 'host' | 'port'>
  readonly database: string
  readonly user: string
  readonly password?: string
  readonly auth?: readonly string[]
  /** Any other field of `connections.<name>`, in the words of sluice.yaml. */
  readonly more?: Readonly<Record<string, unknown>>
}

export interface GatewayOptions {
  readonly connections: Readonly<Record<string, Target>>
  /** As in sluice.yaml. Default: role `agents`, members `subject:*`, all connections, allow read and write. */
  readonly roles?: Readonly<Record<string, unknown>>
  /** File name → text of a policy. */
  readonly policies?: Readonly<Record<string, string>>
  /** Top-level keys of sluice.yaml that are added or replaced. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Added to the postgres listener, such as `tls`. */
  readonly listener?: Readonly<Record<string, unknown>>
  readonly env?: NodeJS.ProcessEnv
  /** Folder of another build. */
  readonly build?: string
  /** Of the data folder, where what it makes (hashes, pseudonyms) must be the same each time. Default: a random one. */
  readonly recordKey?: Uint8Array
}

export interface TokenOptions {
  readonly subject: string
  readonly kind?: 'human' | 'workload'
  readonly roles?: readonly string[]
  readonly groups?: readonly string[]
  readonly connections?: readonly string[]
  readonly job?: string
  readonly run?: string
  readonly agent?: string
  readonly owner?: string
  readonly from?: string
  readonly ttl?: string
}

export class Gateway {
  readonly folder: string
  /** The gateway's own data folder. */
  readonly data: string
  readonly port: number
  readonly controlPort: number
  readonly #env: NodeJS.ProcessEnv
  readonly #entry: string
  #child: Child

  constructor(made: {
    folder: string
    data: string
    port: number
    controlPort: number
    env: NodeJS.ProcessEnv
    build?: string
  }) {
    this.folder = made.folder
    this.data = resolve(made.folder, made.data)
    this.port = made.port
    this.controlPort = made.controlPort
    this.#env = made.env
    this.#entry = join(made.build ?? DIST, ENTRY)
    this.#child = this.#spawn()
  }

  get pid(): number {
    return this.#child.pid
  }

  get configPath(): string {
    return join(this.folder, 'sluice.yaml')
  }

  get controlUrl(): string {
    return `http://127.0.0.1:${this.controlPort}`
  }

  get ended(): Promise<number | string> {
    return this.#child.ended
  }

  /** Standard output and error of the running process. */
  output(): string {
    return this.#child.output()
  }

  /** A connection string for any driver. */
  url(token: string, connection: string): string {
    return `postgres://agent:${token}@127.0.0.1:${this.port}/${connection}`
  }

  /** `sluice …`, with this gateway's configuration. */
  cli(args: readonly string[], input?: string): ReturnType<typeof run> {
    const options = { cwd: this.folder, env: this.#env, ...(input === undefined ? {} : { input }) }
    return run(process.execPath, [this.#entry, ...args, '--config', this.configPath], options)
  }

  async token(options: TokenOptions): Promise<string> {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    const { code, stdout, stderr } = await this.cli(['token', 'issue', ...flags])
    if (code !== 0) throw new Error(`token issue: ${code} ${stderr}${stdout}`)
    return stdout.trim()
  }

  /** Rows of `sluice audit query`. What ended up to two seconds ago may not be there yet: see `eventually`. */
  async audit(sql: string): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await this.cli(['audit', 'query', sql, '--json'])
    if (code !== 0) throw new Error(`audit query: ${code} ${stderr}${stdout}`)
    const lines = stdout.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Asks again until the rows are as wanted; returns the last ones, wanted or not, after `timeoutMs`. */
  async eventually(
    sql: string,
    isDone: (rows: Record<string, unknown>[]) => boolean,
    timeoutMs = 60_000,
  ): Promise<Record<string, unknown>[]> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const rows = await this.audit(sql)
      if (isDone(rows) || Date.now() > deadline) return rows
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#child.stop(signal, 30_000)
  }

  /** Starts the process anew on the same folder and ports, after it ended. */
  async restart(): Promise<void> {
    await this.#child.ended
    this.#child = this.#spawn()
    await this.ready()
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGTERM', 30_000)
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Resolves when `/readyz` answers 200; rejects, with the output, when the process ends or time is over. */
  async ready(timeoutMs = 90_000): Promise<void> {
    const deadline = Date.now() + timeoutMs
    let end: number | string | undefined
    void this.#child.ended.then((code) => {
      end = code
    })
    while ((await status(`${this.controlUrl}/readyz`)) !== 200) {
      const late = Date.now() > deadline
      if (late || end !== undefined) {
        const why = late ? `not ready after ${timeoutMs} ms` : `ended with ${end}`
        throw new Error(`gateway: ${why}\n${this.output().slice(-6000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  #spawn(): Child {
    const args = [this.#entry, 'serve', '--config', this.configPath]
    return start(process.execPath, args, { cwd: this.folder, env: this.#env })
  }
}

/** Ready to be connected to. Stop it in `afterAll`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  if (!existsSync(join(DIST, ENTRY))) throw new Error('the gateway is not built: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-gateway-'))
  const [port, controlPort] = [await freePort(), await freePort()]
  mkdirSync(join(folder, 'policies'))
  for (const [name, text] of Object.entries(options.policies ?? {})) {
    writeFileSync(join(folder, 'policies', name), text)
  }
  const settings = {
    data: './var',
    workers: 2,
    control: { listen: `127.0.0.1:${controlPort}` },
    listeners: [{ protocol: 'postgres', listen: `127.0.0.1:${port}`, ...options.listener }],
    connections: Object.fromEntries(
      Object.entries(options.connections).map(([name, target]) => [
        name,
        describe(folder, name, target),
      ]),
    ),
    roles: options.roles ?? {
      agents: { members: ['subject:*'], connections: ['*'], allow: ['read', 'write'] },
    },
    policies: ['./policies'],
    ...options.config,
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'sluice.yaml'), JSON.stringify(settings, undefined, 2))
  if (options.recordKey !== undefined) {
    const keys = join(folder, settings.data, 'keys')
    mkdirSync(keys, { recursive: true, mode: 0o700 })
    writeFileSync(join(keys, 'record.key'), options.recordKey, { mode: 0o600 })
  }
  const gateway = new Gateway({
    folder,
    data: String(settings.data),
    port,
    controlPort,
    env: { ...process.env, ...options.env },
    ...(options.build === undefined ? {} : { build: options.build }),
  })
  try {
    await gateway.ready()
  } catch (error) {
    await gateway.stop()
    throw error
  }
  return gateway
}

function describe(folder: string, name: string, target: Target): Record<string, unknown> {
  const secret = `${name}.password`
  if (target.password !== undefined) {
    writeFileSync(join(folder, secret), target.password, { mode: 0o600 })
  }
  return {
    type: 'postgres',
    address: `${target.server.host}:${target.server.port}`,
    database: target.database,
    tls: 'disable',
    credential: {
      user: target.user,
      ...(target.password === undefined ? {} : { password: { file: secret } }),
      ...(target.auth === undefined ? {} : { auth: target.auth }),
    },
    ...target.more,
  }
}

function status(url: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: 5000, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.once('error', () => resolve(0))
    asked.once('timeout', () => asked.destroy())
    asked.end()
  })
}

/** A file of the build: `dist`, or the folder that `$SLUICE_DIST` names. */
export function built(path: string): string {
  const root = process.env.SLUICE_DIST
  if (root !== undefined) return join(root, path)
  return fileURLToPath(new URL(repository(`dist/${path}`), import.meta.url))
}

/** Relative to this file, which may run from its source or compiled (benches). */
function repository(path: string): string {
  return `${import.meta.url.includes('/dist/') ? '../../../' : '../../'}${path}`
}
