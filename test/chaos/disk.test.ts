/**
 * No room for the spool: sessions wait, then end with 58030; everything else lives on, and so do new sessions as soon
 * as there is room. What reached the target is recorded.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresClient } from './client.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad, until } from './load.ts'
import { engineOf, holdEngine, mount, type Place, startPlace, unmount } from './place.ts'

let number = 0
/** A statement that `expectRecordedOnce` finds again. */
function statement(): string {
  number++
  return `SELECT ${100_000_000_000_000_000n + BigInt(number)}`
}

/** Waits while it is full, then reads how its session ended. */
async function endOf(client: PostgresClient): Promise<{ error: string | undefined; ms: number }> {
  const since = performance.now()
  const { error } = await client.query(statement())
  return { error, ms: performance.now() - since }
}

/** While there is room for nothing. */
async function expectRefused(place: Place): Promise<void> {
  await expect(place.client()).rejects.toThrow('58030')
  // What records nothing goes on.
  expect((await fetch(`${place.gateway.controlUrl}/healthz`)).status).toBe(200)
}

async function expectServed(place: Place): Promise<void> {
  let answer: readonly string[] = []
  await until(async () => {
    const client = await place.client().catch(() => undefined)
    if (client === undefined) return false
    answer = (await client.query('SELECT 9')).rows
    await client.close()
    return true
  }, 'a new session')
  expect(answer).toEqual(['9'])
  await expectRecordedOnce(place)
}

describe.skipIf(process.getuid?.() !== 0)('a full disk (tmpfs, which needs root)', () => {
  let place: Place
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  const spool = join(folder, 'spool')
  const ballast = join(spool, 'ballast')
  beforeAll(async () => {
    mkdirSync(spool, { mode: 0o700 })
    // Room for segments of all workers, also where one is shipped late.
    mount(spool, '32m')
    // A larger quota reserves more for each segment.
    place = await startPlace({
      config: { data: folder, recorder: { spool: { bytes_max: '64MiB' } } },
    })
  })
  afterEach(() => rmSync(ballast, { force: true }))
  afterAll(async () => {
    await place?.stop()
    unmount(spool)
    rmSync(folder, { recursive: true, force: true })
  })

  /** To the last byte. First all segments are gone: one that is shipped later would make room. */
  async function fill(): Promise<void> {
    const hasSegments = () => readdirSync(spool).some((name) => /\.(open|seg)$/.test(name))
    await until(() => !hasSegments(), 'the spool to be shipped')
    fillUp()
  }

  function fillUp(): void {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      try {
        for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' })
      } catch {
        // Then in smaller pieces.
      }
    }
  }

  test('that has room again in time only makes sessions wait', async () => {
    const client = await place.client()
    await client.query('SELECT 1')
    await fill()
    const asked = endOf(client)
    await pause(1500)
    rmSync(ballast)
    const { error, ms } = await asked
    expect(error).toBe(undefined)
    expect(ms).toBeGreaterThan(1000)
    expect((await client.query('SELECT 5')).rows).toEqual(['5'])
    await client.close()
    await expectRecordedOnce(place)
  }, 180_000)

  test('ends sessions with 58030 in time, and new ones work when there is room', async () => {
    const busy = await place.client()
    await fill()
    const { error, ms } = await endOf(busy)
    expect(error).toBe('58030')
    expect(ms).toBeGreaterThan(3000)
    expect(ms).toBeLessThan(15_000)
    await expectRefused(place)
    rmSync(ballast)
    await expectServed(place)
  }, 180_000)

  test('under load loses nothing that reached the target', async () => {
    const load = startLoad(place, 'disk')
    await firstInsert(place)
    // Or what is shipped would make room for ever.
    const letGo = holdEngine(place.gateway)
    fillUp()
    await load.ended
    for (const child of load.children) expect(child.output()).toMatch(/cannot be recorded/)
    // Before the engine goes on, which makes room.
    await expectRefused(place)
    letGo()
    rmSync(ballast)
    await expectServed(place)
  }, 180_000)
})

test('a spool over its quota, its store hanging, ends sessions and takes new ones when shipped', async () => {
  const place = await startPlace({ config: { recorder: { spool: { bytes_max: '16MiB' } } } })
  try {
    await until(() => engineOf(place.gateway) !== undefined, 'the engine to run')
    const letGo = holdEngine(place.gateway)
    const load = startLoad(place, 'quota')
    await load.ended
    for (const child of load.children) expect(child.output()).toMatch(/cannot be recorded/)
    await expectRefused(place)
    letGo()
    await expectServed(place)
  } finally {
    await place.stop()
  }
}, 180_000)
