/** A process that records and ships, killed at random moments: what it flushed is in the store once. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from './running.ts'

const place = new Place()
afterAll(() => place.close())

const dist = fileURLToPath(new URL('../../dist/src', import.meta.url))

/** Tells its parent how many events are flushed, after each flush. */
const GATEWAY = `
import { writeSync } from 'node:fs'
const { openRecorder } = await import('${dist}/record/recorder.js')
const { startShipping } = await import('${dist}/record/ship-thread.js')
const { clock } = await import('${dist}/base/clock.js')
const [folder, facts, shape, times, outcome] = process.argv.slice(1).map((text) => JSON.parse(text))
const { instance } = facts
startShipping({ instance, gateway: 'test', spoolFolder: folder + '/spool', retention: { days: 400, connections: {} }, chainFolder: folder + '/chain',
  store: { embedded: true, folder: folder + '/clickhouse' } }, () => {})
const recorder = openRecorder({ spoolFolder: folder + '/spool', instance, thread: 1,
  recordKey: Buffer.alloc(32), bytesMax: 1e9, clock })
const session = recorder.open(facts)
const encoded = recorder.shape(shape)
let flushed = 0
setInterval(() => {
  for (let i = 0; i < 50; i++) {
    const action = session.action(encoded, times)
    session.outcome(encoded, action, { ...outcome, masked: undefined, payload: undefined })
  }
  recorder.flush()
  flushed += 100
  writeSync(1, flushed + '\\n')
}, 2)
`

/** Returns how many events were flushed for certain. */
async function runAndKill(sessionId: string): Promise<number> {
  const given = [place.folder, facts(ulid(), { sessionId }), SHAPE, TIMES, OUTCOME]
  const args = ['--input-type=module', '-e', GATEWAY, ...given.map((one) => JSON.stringify(one))]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let flushed = 0
  child.stdout.on('data', (chunk: Buffer) => {
    flushed = Number(chunk.toString().trimEnd().split('\n').at(-1))
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await until(() => flushed > 0)
  await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1800))
  child.kill('SIGKILL')
  await ended
  return flushed
}

test('a gateway that is killed loses nothing that was flushed, and doubles nothing', async () => {
  const sessions = new Map<string, number>()
  for (let round = 0; round < 4; round++) {
    const sessionId = ulid()
    sessions.set(sessionId, await runAndKill(sessionId))
  }
  place.instance = ulid()
  const ship = place.ship()
  const left = () => existsSync(place.spool) && readdirSync(place.spool).length > 0
  await until(() => !left(), 60_000)
  expect(readdirSync(join(place.folder, 'spool'))).toEqual([])
  const rows = await place.rows(
    ship,
    'SELECT session_id, count() AS n, uniqExact(seq) AS distinct FROM events GROUP BY session_id',
  )
  for (const [sessionId, flushed] of sessions) {
    const row = rows.find((one) => one.session_id === sessionId)
    expect(row?.n).toBe(row?.distinct)
    expect(Number(row?.n)).toBeGreaterThanOrEqual(flushed)
    expect(Number(row?.n) % 100).toBe(0)
  }
}, 180_000)
