/** A session worker that ends takes its own sessions along and nothing else; what they had done is recorded. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PostgresClient } from './client.ts'
import { type Crasher, crasher } from './crasher.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad, until } from './load.ts'
import { ask, descriptorsOf, type Place, sessionsAt, startPlace } from './place.ts'

let place: Place
let crash: Crasher
beforeAll(async () => {
  crash = crasher()
  place = await startPlace({ env: crash.env })
})
afterAll(async () => {
  await place?.stop()
  crash?.close()
})

async function open(count: number): Promise<PostgresClient[]> {
  return Promise.all(Array.from({ length: count }, () => place.client()))
}

const WAYS = [
  ['an uncaught error', 'throw', /ERR|Error/],
  ['heap exhaustion', 'heap', /ERR_WORKER_OUT_OF_MEMORY/],
] as const

for (const [name, way, code] of WAYS) {
  test(`a worker ended by ${name} is replaced, and its spool is shipped`, async () => {
    const { gateway, server } = place
    const before = descriptorsOf(gateway.pid)
    const clients = await open(6)
    const load = startLoad(place, way)
    await firstInsert(place)
    await pause(300)
    await crash.end('session', way)
    await until(() => clients.filter(({ isClosed }) => isClosed).length >= 3, 'its sessions to end')
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
  }, 180_000)
}
