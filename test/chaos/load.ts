/**
 * IO. Load whose every statement can be found again: pgbench puts a number of its own into each. PostgreSQL's log says
 * which ones reached it, ClickHouse which ones are recorded.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Child, start } from '../lib/child.ts'
import type { Gateway } from '../lib/gateway.ts'
import type { Postgres } from '../lib/postgres.ts'
import { ask, CONNECTION, type Place } from './place.ts'

const STILL_MS_MAX = 60_000
const MARKER = /\b[0-9]{18}\b/g
const SCRIPT = `\\set a random(100000000000000000, 999999999999999999)
\\set b random(100000000000000000, 999999999999999999)
SELECT :a;
INSERT INTO chaos (marker) VALUES (:b);
`

const MODES = ['simple', 'prepared'] as const

export interface Load {
  readonly children: readonly Child[]
  /** When all clients have ended, by themselves or because their connection has. */
  readonly ended: Promise<unknown>
  stop(): Promise<void>
}

/**
 * Half of the clients with simple queries, half with prepared statements, until it is stopped or cut off. `perSecond`
 * bounds the transactions of each half. All of its sessions claim `job`, so that they can be found.
 */
export function startLoad(place: Place, job: string, perSecond?: number): Load {
  const work = script()
  const children = MODES.map((mode) =>
    startClients(place, { mode, job, script: work.path, clients: 4, perSecond }),
  )
  const ended = Promise.all(children.map((child) => child.ended)).then(work.remove)
  return {
    children,
    ended,
    stop: async () => {
      await Promise.all(children.map((child) => child.stop('SIGINT')))
      await ended
    },
  }
}

function script(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-load-'))
  const path = join(folder, 'script.sql')
  writeFileSync(path, SCRIPT)
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function startClients(
  { gateway, token }: Place,
  work: {
    readonly mode: string
    readonly job: string
    readonly script: string
    readonly clients: number
    readonly perSecond?: number | undefined
  },
): Child {
  const { mode, job, script, clients, perSecond } = work
  const at = ['-h', '127.0.0.1', '-p', String(gateway.port), '-U', 'agent']
  const flags = ['-n', '-f', script, '-M', mode, '-c', String(clients), '-j', '1', '-T', '900']
  // Left to itself pgbench takes the microsecond it starts in, which two of them can share.
  flags.push(`--random-seed=${randomInt(2 ** 47)}`)
  if (perSecond !== undefined) flags.push('-R', String(perSecond))
  const env = { ...process.env, PGPASSWORD: token, PGAPPNAME: `job=${job}` }
  return start('pgbench', [...at, ...flags, CONNECTION], { env })
}

/** As `startLoad`, but each client comes again when it is cut off, until it is stopped. */
export function startLastingLoad(place: Place, job: string): Pick<Load, 'stop'> {
  let isStopping = false
  const work = script()
  const current = new Set<Child>()
  const stay = async (mode: string) => {
    while (!isStopping) {
      const child = startClients(place, { mode, job, script: work.path, clients: 1 })
      current.add(child)
      await child.ended
      current.delete(child)
      await pause(20)
    }
  }
  const ended = Promise.all(Array.from({ length: 8 }, (_, at) => stay(MODES[at % 2]!)))
  return {
    stop: async () => {
      isStopping = true
      await Promise.all([...current].map((child) => child.stop('SIGINT')))
      await ended
      work.remove()
    },
  }
}

/** The load has begun to write. */
export function firstInsert({ server }: Place): Promise<void> {
  const count = 'SELECT count(*) > 0 FROM chaos'
  return until(async () => (await ask(server, count)) === 't', 'the first insert')
}

/** Markers of the statements that reached PostgreSQL; waits until it has worked off what it was sent. */
export async function reached(server: Postgres): Promise<string[]> {
  const busy = "SELECT count(*) FROM pg_stat_activity WHERE usename <> 'postgres'"
  await until(async () => (await ask(server, busy)) === '0', 'sessions at the target to end')
  const last = `-- last ${randomUUID()}`
  await ask(server, `SELECT 1 ${last}`)
  await until(() => server.readLog().includes(last), 'the log to be written')
  const said = server
    .readLog()
    .split('\n')
    .filter((line) => /LOG: {2}(statement|execute [^:]*): |DETAIL: {2}parameters: /.test(line))
  return said.flatMap((line) => line.match(MARKER) ?? [])
}

/** Markers of the actions in ClickHouse, one for each time it is there. */
export async function recorded(gateway: Gateway): Promise<string[]> {
  const text = "concat(statement, ' ', arrayStringConcat(params, ' '))"
  const found = `arrayStringConcat(groupArray(extract(${text}, '[0-9]{18}')), ' ')`
  const rows = await gateway.audit(`SELECT ${found} AS markers FROM events WHERE kind = 'action'`)
  return String(rows[0]?.markers ?? '').match(MARKER) ?? []
}

/** Every statement that reached PostgreSQL is recorded, and each that is recorded is so once. */
export async function expectRecordedOnce({ gateway, server }: Place): Promise<number> {
  const wanted = await reached(server)
  let deadline = Date.now() + STILL_MS_MAX
  let missing = wanted
  let found: string[] = []
  while (missing.length > 0 && Date.now() < deadline) {
    found = await recorded(gateway).catch(() => [])
    const known = new Set(found)
    const left = wanted.filter((marker) => !known.has(marker))
    // A store that was away for long has much to catch up with: only standing still is a failure.
    if (left.length < missing.length) deadline = Date.now() + STILL_MS_MAX
    missing = left
    if (missing.length > 0) await new Promise((resolve) => setTimeout(resolve, 300))
  }
  expect({ of: wanted.length, missing: missing.length, some: missing.slice(0, 5) }).toEqual({
    of: wanted.length,
    missing: 0,
    some: [],
  })
  expect(twice(wanted)).toEqual([])
  expect(twice(found)).toEqual([])
  return wanted.length
}

/** A statement that ends in `end` has reached the target, and runs there. */
export function runs(server: Postgres, end: string): Promise<void> {
  const running = `SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%${end}'`
  return until(async () => (await ask(server, running)) === '1', `${end} to run`)
}

export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await pause(20)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Keeps a figure where a person asked for it (`$SLUICE_CHAOS_LOG`). */
export function figure(text: string): void {
  const path = process.env.SLUICE_CHAOS_LOG
  if (path !== undefined) appendFileSync(path, `${text}\n`)
}

function twice(markers: readonly string[]): string[] {
  const seen = new Set<string>()
  return markers.filter((marker) => seen.size === seen.add(marker).size)
}
