/** A gateway that may open few descriptors: who comes too late is told so, and there is room again afterwards. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresClient } from './client.ts'
import { until } from './load.ts'
import { descriptorsOf, type Place, startPlace } from './place.ts'

/** Kept for the gateway itself are 256; each session takes two. */
const FILES = 400
const SESSIONS = (FILES - 256) / 2
const MORE = 30

let place: Place
beforeAll(async () => {
  place = await startPlace()
  await (await place.client()).close()
})
afterAll(() => place?.stop())

/** As many as there is room for are let in at once, as soon as whoever came before has given back what he had. */
async function fill(): Promise<PostgresClient[]> {
  let inside: PostgresClient[] = []
  await until(async () => {
    inside = fulfilled(await Promise.allSettled(opened(SESSIONS)))
    if (inside.length === SESSIONS) return true
    for (const client of inside) client.socket.destroy()
    return false
  }, 'room for all of them')
  return inside
}

function opened(count: number): Promise<PostgresClient>[] {
  return Array.from({ length: count }, () => place.client())
}

function fulfilled<One>(all: readonly PromiseSettledResult<One>[]): One[] {
  return all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

test('out of descriptors is 53300; who is in goes on, and all of it comes back', async () => {
  const { pid } = place.gateway
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${FILES}:${FILES}`])
  process.kill(pid, 'SIGHUP')
  await until(() => /allows fewer connections/.test(place.gateway.output()), 'the new limit')
  for (let round = 0; round < 2; round++) {
    const inside = await fill()
    const outside = await Promise.allSettled(opened(MORE))
    for (const one of outside)
      expect(one).toMatchObject({ status: 'rejected', reason: { message: '53300' } })
    expect(descriptorsOf(pid)).toBeLessThanOrEqual(FILES)
    const answers = await Promise.all(inside.map((client) => client.query('SELECT 7')))
    expect(answers.every(({ rows }) => rows[0] === '7')).toBe(true)
    for (const client of inside) client.socket.destroy()
  }
}, 180_000)

test('and the sentence names what to change', async () => {
  const inside = await fill()
  const late = new PostgresClient(place.gateway.port)
  const message = await late.next()
  expect(message?.body.toString()).toContain('limits.connections or its open-files limit')
  for (const client of inside) client.socket.destroy()
}, 180_000)
