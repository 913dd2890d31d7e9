/**
 * IO. What `npm start` runs on when there is no sluice.yaml: an embedded PostgreSQL with sample data as connection `demo`,
 * the example policies, one role, everything on loopback.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lockFile } from '../accept/descriptor.ts'
import type { Config, ConnectionConfig, RoleConfig } from '../config/shape.ts'
import type { PolicyFile, Settings } from '../threads/messages.ts'
import { StartError } from '../threads/start-error.ts'
import { APP_USER, DATABASE, fill } from './fill.ts'
import { newPassword, startEmbeddedPostgres } from './postgres.ts'
import { serverUser } from './system-user.ts'

export const CONNECTION = 'demo'

export interface EmbeddedDefault {
  readonly settings: Settings
  /** Settles when the embedded PostgreSQL ends, wanted or not. */
  readonly ended: Promise<void>
  /** Stops PostgreSQL and gives its folder free. */
  stop(): Promise<void>
}

/**
 * `data`: the gateway's data folder; the demo's own things stand in `<data>/demo`. The first start makes and fills the
 * database in a few seconds; later ones take a fraction of one. Throws `StartError` where something is missing.
 */
export async function embeddedDefault(data = resolve('var')): Promise<EmbeddedDefault> {
  const folder = join(data, 'demo')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = take(join(folder, 'lock'))
  try {
    const superuserPassword = secret(join(folder, 'superuser.password'))
    const appPasswordFile = join(folder, 'app.password')
    const appPassword = secret(appPasswordFile)
    const user = serverUser(join(folder, 'postgres'))
    const server = await startEmbeddedPostgres({ user, password: superuserPassword })
    const release = async (): Promise<void> => {
      await server.stop()
      closeSync(lock)
    }
    try {
      await fill({ port: server.port, superuserPassword, appPassword })
    } catch (error) {
      await server.stop()
      throw new StartError('The sample data of the demo cannot be made.', error)
    }
    const settings = settingsFor({ data, port: server.port, appPasswordFile })
    return { settings, ended: server.ended, stop: release }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

function take(path: string): number {
  const fd = openSync(path, 'a+', 0o600)
  if (lockFile(fd)) return fd
  closeSync(fd)
  throw new StartError(`Another gateway runs the demo of ${dirname(path)}; stop it first.`)
}

/** Made at the first start, kept afterwards: the database knows it. */
function secret(path: string): string {
  if (!existsSync(path)) writeFileSync(path, newPassword(), { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8')
}

interface Place {
  readonly data: string
  readonly port: number
  readonly appPasswordFile: string
}

function settingsFor(place: Place): Settings {
  const policies = join(packageRoot(), 'deploy/examples/policies')
  const config: Config = {
    path: undefined,
    data: place.data,
    workers: availableParallelism(),
    control: {
      listen: { host: '127.0.0.1', port: 7070 },
      publicUrl: undefined,
      metricsFrom: ['127.0.0.0/8', '::1/128'],
    },
    state: { embedded: true },
    recorder: {
      store: { embedded: true },
      durability: 'standard',
      responseBytesMax: 1 << 20,
      retentionDays: 400,
      spoolBytesMax: 10 * 2 ** 30,
    },
    listeners: [
      {
        protocol: 'postgres',
        listen: { host: '127.0.0.1', port: 15432 },
        tls: undefined,
        plaintextFrom: ['127.0.0.0/8', '::1/128'],
      },
    ],
    connections: new Map([[CONNECTION, connection(place)]]),
    roles: new Map([['agents', AGENTS]]),
    policies: [policies],
    limits: {
      statementBytesMax: 1 << 20,
      connections: 20_000,
      connectionsPerAddress: 2_000,
      handshakeMs: 10_000,
      idleMs: 3_600_000,
      sessionMaxMs: 8 * 3_600_000,
    },
  }
  return { config, policyVersion: 1, policyFiles: filesOf(policies) }
}

function connection({ port, appPasswordFile }: Place): ConnectionConfig {
  return {
    name: CONNECTION,
    type: 'postgres',
    address: { host: '127.0.0.1', port },
    database: DATABASE,
    databases: [DATABASE],
    tls: { mode: 'disable', ca: undefined },
    credential: { user: APP_USER, password: { file: appPasswordFile }, auth: ['scram-sha-256'] },
    functionsRead: [],
    labels: { env: 'demo' },
  }
}

/** Anybody to whom the operator of this host gave a token. */
const AGENTS: RoleConfig = {
  name: 'agents',
  members: ['subject:*'],
  connections: [CONNECTION],
  allow: ['read', 'write'],
  reviews: [],
  api: [],
}

function filesOf(folder: string): PolicyFile[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => {
      const path = join(folder, name)
      return { path, text: readFileSync(path, 'utf8') }
    })
}

/** The folder of package.json: this file runs from `src` in tests and from `dist/src` otherwise. */
function packageRoot(): string {
  const own = dirname(fileURLToPath(import.meta.url))
  return resolve(own, import.meta.url.includes('/dist/src/demo/') ? '../../..' : '../..')
}
