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

test('out of descriptors is 53300; who is in goes on, and all of it comes back', async () => {
  const { pid } = place.gateway
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${FILES}:${FILES}`])
  process.kill(pid, 'SIGHUP')
  await until(() => /allows fewer connections/.test(place.gateway.output()), 'the new limit')
  for (let round = 0; round < 2; round++) {
    const opened = await Promise.allSettled(
      Array.from({ length: SESSIONS + MORE }, () => place.client()),
    )
    const inside = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const outside = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect([inside.length, outside.length]).toEqual([SESSIONS, MORE])
    expect(new Set(outside.map(({ message }) => message))).toEqual(new Set(['53300']))
    expect(descriptorsOf(pid)).toBeLessThanOrEqual(FILES)
    const answers = await Promise.all(inside.map((client) => client.query('SELECT 7')))
    expect(answers.every(({ rows }) => rows[0] === '7')).toBe(true)
    for (const client of inside) client.socket.destroy()
    await until(async () => {
      const client = await place.client().catch(() => undefined)
      await client?.close()
      return client !== undefined && descriptorsOf(pid) < 256
    }, 'room to be there again')
  }
}, 180_000)

test('and the sentence names what to change', async () => {
  const inside = await Promise.all(Array.from({ length: SESSIONS }, () => place.client()))
  const late = new PostgresClient(place.gateway.port)
  const message = await late.next()
  expect(message?.body.toString()).toContain('limits.connections or its open-files limit')
  for (const client of inside) client.socket.destroy()
}, 180_000)
