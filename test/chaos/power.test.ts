/**
 * The power fails under load: with `durability: strict` every statement that reached PostgreSQL is in ClickHouse after the
 * next start, once, though the gateway's disk has forgotten all that was not written through. With `standard` it is not,
 * and that test is there to show that the disk really forgets.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { expectProven } from './evidence.ts'
import {
  expectRecordedOnce,
  figure,
  firstInsert,
  pause,
  reached,
  recorded,
  startLoad,
  until,
} from './load.ts'
import { ask, engineOf, killAll, type Place, startPlace } from './place.ts'
import { type Disk, makeDisk } from './power.ts'

const ROUNDS = Math.ceil(Number(process.env.SLUICE_CHAOS_ROUNDS ?? 5) / 2)

describe.skipIf(process.getuid?.() !== 0)(
  'a power failure (a loop device, which needs root)',
  () => {
    let place: Place | undefined
    let disk: Disk | undefined
    afterEach(async () => {
      await place?.stop()
      await disk?.remove()
      place = undefined
      disk = undefined
    })

    async function start(durability: string): Promise<{ place: Place; disk: Disk }> {
      disk = makeDisk('1G')
      const data = join(disk.folder, 'data')
      mkdirSync(data, { mode: 0o700 })
      place = await startPlace({ config: { data, recorder: { durability } } })
      return { place, disk }
    }

    /**
     * Everything that ran is gone with the power, and so is what the disk was not told to keep. It stands still first: an fdatasync
     * that is under way when this kernel's disk is cut may say that it went well, and nobody is there to hear it where power fails.
     */
    async function fail({ gateway }: Place, disk: Disk): Promise<void> {
      process.kill(gateway.pid, 'SIGSTOP')
      try {
        disk.cut()
      } finally {
        await killAll(gateway)
      }
      await disk.back()
      await gateway.restart()
    }

    test(
      `${ROUNDS} times with strict: nothing is lost, nothing is doubled`,
      async () => {
        const { place, disk } = await start('strict')
        let before = 0
        for (let round = 0; round < ROUNDS; round++) {
          const load = startLoad(place, `power-${round}`)
          await firstInsert(place)
          await pause(Math.random() * 2000)
          await fail(place, disk)
          await load.ended
          const count = await expectRecordedOnce(place)
          const { status } = await expectProven(place.gateway)
          figure(`power round ${round}: ${count - before} statements, ${status}`)
          expect(count).toBeGreaterThan(before)
          before = count
          await ask(place.server, 'TRUNCATE chaos')
        }
      },
      60_000 + ROUNDS * 60_000,
    )

    test('with standard statements are lost: the disk forgets', async () => {
      const { place, disk } = await start('standard')
      await until(() => engineOf(place.gateway) !== undefined, 'the engine to run')
      process.kill(engineOf(place.gateway)!, 'SIGSTOP')
      const load = startLoad(place, 'power-standard')
      await firstInsert(place)
      await pause(500)
      await fail(place, disk)
      await load.ended
      const wanted = await reached(place.server)
      const found = new Set(await recorded(place.gateway))
      expect(wanted.filter((marker) => !found.has(marker)).length).toBeGreaterThan(0)
    }, 180_000)
  },
)
