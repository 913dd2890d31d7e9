/** A session worker that ends takes its own sessions along and nothing else; what they had done is recorded. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { built } from '../lib/gateway.ts'
import type { PostgresClient } from './client.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad, until } from './load.ts'
import { ask, descriptorsOf, type Place, sessionsAt, startPlace } from './place.ts'

let place: Place
beforeAll(async () => {
  const hook = built('test/chaos/fixtures/crash.js')
  const env = { NODE_OPTIONS: `--import ${hook}`, SLUICE_WORKER_HEAP_MB: '64' }
  place = await startPlace({ env })
})
afterAll(() => place?.stop())

async function open(count: number): Promise<PostgresClient[]> {
  return Promise.all(Array.from({ length: count }, () => place.client()))
}

const WAYS = [
  ['an uncaught error', 'SIGUSR2', /ERR|Error/],
  ['heap exhaustion', 'SIGWINCH', /ERR_WORKER_OUT_OF_MEMORY/],
] as const

for (const [name, signal, code] of WAYS) {
  test(`a worker ended by ${name} is replaced, and its spool is shipped`, async () => {
    const { gateway, server } = place
    const before = descriptorsOf(gateway.pid)
    const clients = await open(6)
    const load = startLoad(place, signal)
    await firstInsert(place)
    await pause(300)
    process.kill(gateway.pid, signal)
    await until(() => clients.some(({ isClosed }) => isClosed), 'the worker to end')
    await pause(300)
    const kept = clients.filter(({ isClosed }) => !isClosed)
    expect(kept.length).toBe(3)
    for (const client of kept) expect((await client.query('SELECT 7')).rows).toEqual(['7'])
    expect(gateway.output()).toMatch(/a session worker crashed/)
    expect(gateway.output()).toMatch(code)
    await load.stop()
    const later = await open(6)
    for (const client of later) expect((await client.query('SELECT 8')).rows).toEqual(['8'])
    for (const client of [...kept, ...later]) await client.close()
    await expectRecordedOnce(place)
    await until(async () => (await sessionsAt(server)) === 0, 'the target to be left alone')
    // A replaced worker may keep some handles of its own kind; sessions must keep none.
    await until(() => descriptorsOf(gateway.pid) <= before + 4, 'descriptors')
    await ask(server, 'TRUNCATE chaos')
  }, 60_000)
}
