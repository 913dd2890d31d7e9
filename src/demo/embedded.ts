/**
 * IO. What `npm start` runs on when there is no sluice.yaml: an embedded PostgreSQL with sample data as connection `demo`,
 * the example policies, one role, everything on loopback.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lockFile } from '../accept/descriptor.ts'
import { readConfig } from '../config/config.ts'
import { formatProblems, loadPolicies } from '../config/load.ts'
import type { Settings } from '../threads/messages.ts'
import { StartError } from '../threads/start-error.ts'
import { APP_USER, DATABASE, fill } from './fill.ts'
import { newPassword, startEmbeddedPostgres } from './postgres.ts'
import { serverUser } from './system-user.ts'

/** Those that speak of the role that the demo has. */
const DEMO_POLICIES = ['agents-baseline.yaml', 'personal-data.yaml']
export const CONNECTION = 'demo'

export interface EmbeddedDefault {
  readonly settings: Settings
  /** Settles when the embedded PostgreSQL ends, wanted or not. */
  readonly ended: Promise<void>
  /** Stops PostgreSQL and gives its folder free. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** The gateway's data folder, absolute; the demo's own things stand in `<data>/demo`. Default: ./var. */
  readonly data?: string
  /** Names that `detect` in a policy may use. */
  readonly knownDetectors: ReadonlySet<string>
}

/**
 * The first start makes and fills the
 * database in a few seconds; later ones take a fraction of one. Throws `StartError` where something is missing.
 */
export async function embeddedDefault(options: EmbeddedOptions): Promise<EmbeddedDefault> {
  const { data = resolve('var'), knownDetectors } = options
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
      await fill({ port: server.port, superuserPassword, appPassword }).catch((error) => {
        throw new StartError(
          `The sample data of the demo cannot be made: ${reasonOf(error)}.`,
          error,
        )
      })
      const settings = settingsFor({ data, port: server.port, appPasswordFile }, knownDetectors)
      return { settings, ended: server.ended, stop: release }
    } catch (error) {
      await server.stop()
      throw error
    }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

/** PostgreSQL's own words, of texts that are ours; or what kept us from reaching it. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code === undefined ? String(message) : `${message} (${code})`
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

function settingsFor(place: Place, knownDetectors: ReadonlySet<string>): Settings {
  // As a person would write it: defaults and checks are those of every configuration. JSON is YAML.
  const text = JSON.stringify({
    data: place.data,
    listeners: [{ protocol: 'postgres', listen: '127.0.0.1:15432' }],
    connections: {
      [CONNECTION]: {
        type: 'postgres',
        address: `127.0.0.1:${place.port}`,
        database: DATABASE,
        tls: 'disable',
        credential: { user: APP_USER, password: { file: place.appPasswordFile } },
        labels: { env: 'demo' },
      },
    },
    // Anybody to whom the operator of this host gives a token.
    roles: { agents: { members: ['subject:*'], connections: ['*'], allow: ['read', 'write'] } },
    policies: DEMO_POLICIES.map((name) => join(packageRoot(), 'deploy/examples/policies', name)),
  })
  const path = join(place.data, 'embedded default')
  const read = readConfig({ path, text, cores: availableParallelism() })
  if ('problems' in read) throw new StartError(formatProblems(read.problems))
  const loaded = loadPolicies({ ...read.config, path: undefined }, { knownDetectors })
  if ('problems' in loaded) throw new StartError(formatProblems(loaded.problems))
  return loaded.settings
}

/** The folder of package.json: this file runs from `src` in tests and from `dist/src` otherwise. */
function packageRoot(): string {
  const own = dirname(fileURLToPath(import.meta.url))
  return resolve(own, import.meta.url.includes('/dist/src/demo/') ? '../../..' : '../..')
}
