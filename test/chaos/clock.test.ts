/** The machine's clock is set under the gateway, by hours, ahead and back: sessions go on, and the record stays whole. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectProven } from './evidence.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad } from './load.ts'
import { ask, type Place, startPlace } from './place.ts'

const HOUR = 3600
const SOURCE = fileURLToPath(new URL('fixtures/clock.c', import.meta.url))

let place: Place
const folder = mkdtempSync(join(tmpdir(), 'sluice-clock-'))
const [library, offset] = [join(folder, 'clock.so'), join(folder, 'offset')]

beforeAll(async () => {
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, SOURCE])
  setClock(0)
  place = await startPlace({
    env: { LD_PRELOAD: library, SLUICE_CHAOS_CLOCK: offset },
    ttl: '30d',
  })
})
afterAll(async () => {
  await place?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** In place, as the gateway has mapped the file. */
function setClock(seconds: number): void {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(seconds))
  writeFileSync(offset, bytes, { flag: existsSync(offset) ? 'r+' : 'w' })
}

/** What the gateway takes for the time: of its log. */
function hourOf(output: string): number {
  const said = [...output.matchAll(/"time":"([^"]+)"/g)].at(-1)?.[1] ?? ''
  // Not -0.
  return Math.round((Date.parse(said) - Date.now()) / 1000 / HOUR) + 0
}

async function underLoad(job: string, act: () => Promise<void>): Promise<void> {
  const load = startLoad(place, job, 100)
  await firstInsert(place)
  await act()
  for (const { process } of load.children) expect(process.exitCode).toBe(null)
  await load.stop()
  for (const child of load.children) expect(child.output()).not.toMatch(/error|aborted/i)
  await ask(place.server, 'TRUNCATE chaos')
}

test('sessions go on while it jumps five hours ahead and eight back', async () => {
  const idle = await place.client()
  await underLoad('jumps', async () => {
    for (const hours of [5, -3, 5, -3]) {
      setClock(hours * HOUR)
      await pause(700)
    }
  })
  expect((await idle.query('SELECT 1')).rows).toEqual(['1'])
  await idle.close()
  await expectRecordedOnce(place)
  expect((await expectProven(place.gateway)).status).toBe('intact')
}, 180_000)

test('runs whose clocks are hours before those of the runs before them go on with spool and chain', async () => {
  const { gateway } = place
  for (const hours of [5, -3, 0]) {
    await underLoad(`runs-${hours}`, () => pause(500))
    setClock(hours * HOUR)
    // Killed: what lies in the spool has the names of another time.
    await gateway.kill('SIGKILL')
    await gateway.restart()
    expect(hourOf(gateway.output())).toBe(hours)
  }
  await underLoad('last', () => pause(500))
  await expectRecordedOnce(place)
  await expectProven(gateway)
}, 180_000)
