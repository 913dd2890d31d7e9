/**
 * IO. `npm run demo`: an agent with an ordinary driver works on the sample data through the gateway, then the record of
 * what it did is read back from ClickHouse. Uses the gateway that runs here, or starts one for as long as it takes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Api, runningApi } from './api.ts'
import { type Client, connect, refusalOf } from './client.ts'
import { CONNECTION } from './embedded.ts'
import { STEPS, type Step, tableOf } from './script.ts'

const DATA = resolve('var')
const START_MS_MAX = 60_000
/** Within two seconds of its end an action is in ClickHouse; the engine may have to start first. */
const RECORD_MS_MAX = 15_000

const running = await runningApi(DATA)
const child = running === undefined ? startGateway() : undefined
try {
  const api = running ?? (await waitForApi())
  const job = `demo-${process.pid}`
  const client = await agent(api, job)
  for (const step of STEPS) await play(client, step)
  await client.end()
  await showRecord(api, job)
} finally {
  if (child !== undefined) await stop(child)
}

function startGateway(): ChildProcess {
  print('Starting a gateway…')
  const entry = fileURLToPath(new URL('../cli/main.js', import.meta.url))
  return spawn(process.execPath, [entry, 'serve'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SLUICE_LOG: process.env.SLUICE_LOG ?? 'warn' },
  })
}

async function waitForApi(): Promise<Api> {
  for (let waited = 0; waited < START_MS_MAX && child?.exitCode === null; waited += 100) {
    const api = await runningApi(DATA)
    if (api !== undefined && (await isReady(api))) return api
    await pause(100)
  }
  throw new Error('The gateway did not start.')
}

async function isReady(api: Api): Promise<boolean> {
  return fetch(`${api.url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** A token of its own, so that the record of this run can be told from others. */
async function agent(api: Api, job: string): Promise<Client> {
  const fields = { subject: 'agent', kind: 'workload', job, agent: 'scripted', ttl: '10m' }
  const { token } = await api.call('POST', '/api/v1/tokens', fields)
  const { listeners } = await api.call('GET', '/api/v1/connections')
  const first: unknown = Array.isArray(listeners) ? listeners[0] : undefined
  const port = typeof first === 'object' && first !== null && 'port' in first ? first.port : 0
  const login = { user: 'agent', password: String(token), database: CONNECTION }
  return connect({ host: '127.0.0.1', port: Number(port), ...login })
}

async function play(client: Client, { says, sql, copies }: Step): Promise<void> {
  print(`\n▸ ${says}\n  ${sql};`)
  try {
    if (copies === true) return print(indent((await client.copyOut(sql, 3)).join('\n')))
    const { rows, rowCount } = await client.query(sql)
    print(indent(tableOf(rows) || `rows: ${rowCount ?? 0}`))
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    print(indent(`refused ${refusal.code}: ${refusal.message}`))
    if (refusal.hint !== '') print(indent(`hint: ${refusal.hint}`))
  }
}

async function showRecord(api: Api, job: string): Promise<void> {
  const sql = `SELECT job_seq, verb, class, verdict, rule, rows, statement FROM statements
               WHERE job = '${job}' ORDER BY job_seq`
  let rows: Readonly<Record<string, unknown>>[] = []
  for (let waited = 0; waited < RECORD_MS_MAX && rows.length < STEPS.length; waited += 300) {
    await pause(300)
    const answer = await api.call('POST', '/api/v1/audit/query', { sql })
    rows = Array.isArray(answer.rows) ? answer.rows : []
  }
  print(`\nWhat ClickHouse holds of it:\n\n${indent(tableOf(rows))}`)
}

async function stop(gateway: ChildProcess): Promise<void> {
  const ended = new Promise((done) => gateway.once('exit', done))
  if (gateway.exitCode === null && gateway.kill('SIGTERM')) await ended
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
