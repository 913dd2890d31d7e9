/** SIGTERM and SIGINT: who may finish, who hears what, and how the process ends. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresClient } from './client.ts'
import { expectRecordedOnce, pause, runs } from './load.ts'
import { ask, type Place, startPlace } from './place.ts'

let place: Place
beforeAll(async () => {
  place = await startPlace()
})
afterAll(() => place?.stop())

async function exitOf(place: Place): Promise<{ code: number | string; ms: number }> {
  const since = performance.now()
  const code = await place.gateway.ended
  return { code, ms: performance.now() - since }
}

test('SIGTERM ends idle sessions at once and lets running statements finish', async () => {
  const [idle, running] = [await place.client(), await place.client()]
  const marker = '123456789012345678'
  const slow = running.query(`SELECT ${marker} FROM pg_sleep(4)`)
  let isRunning = true
  void slow.then(() => {
    isRunning = false
  })
  await runs(place.server, 'pg_sleep(4)')
  const exit = exitOf(place)
  process.kill(place.gateway.pid, 'SIGTERM')
  expect((await idle.answer()).error).toBe('57P01')
  expect(isRunning).toBe(true)
  await idle.closed
  const late = new PostgresClient(place.gateway.port)
  await late.closed
  expect(late.bytesRead).toBe(0)
  expect(await slow).toEqual({ rows: [marker], error: undefined })
  expect((await running.answer()).error).toBe('57P01')
  const { code, ms } = await exit
  expect(code).toBe(0)
  // Of the half minute that it had.
  expect(ms).toBeLessThan(20_000)
  await place.gateway.restart()
  await expectRecordedOnce(place)
}, 180_000)

test('the deadline ends what still runs and who sits in a transaction, with 57P01', async () => {
  const [idle, running] = [await place.client(), await place.client()]
  await idle.query('BEGIN')
  const slow = running.query('SELECT pg_sleep(60)')
  await runs(place.server, 'SELECT pg_sleep(60)')
  const exit = exitOf(place)
  const since = performance.now()
  process.kill(place.gateway.pid, 'SIGINT') // A drain of five seconds.
  await pause(2500)
  expect([idle.isClosed, running.isClosed]).toEqual([false, false])
  // Whoever is in a transaction may bring it to its end.
  expect((await idle.query('SELECT 4')).rows).toEqual(['4'])
  expect((await idle.answer()).error).toBe('57P01')
  expect((await slow).error).toBe('57P01')
  const { code } = await exit
  expect(code).toBe(0)
  expect(performance.now() - since).toBeLessThan(20_000)
  await place.gateway.restart()
}, 180_000)

test('a transaction that is committed while draining ends its session', async () => {
  const client = await place.client()
  await client.query('BEGIN')
  await client.query('INSERT INTO chaos VALUES (5)')
  process.kill(place.gateway.pid, 'SIGTERM')
  await pause(300)
  expect((await client.query('COMMIT')).error).toBe(undefined)
  expect((await client.answer()).error).toBe('57P01')
  expect(await place.gateway.ended).toBe(0)
  expect(await ask(place.server, 'SELECT marker FROM chaos')).toBe('5')
}, 180_000)
