/**
 * Everything that the gateway writes is on one small disk (spool, chain, record store, state), which fills up under load, or
 * becomes read-only as a broken one does. What reached the target is recorded once there is room, or a disk, again.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Gateway } from '../lib/gateway.ts'
import { expectProven } from './evidence.ts'
import { expectRecordedOnce, firstInsert, pause, startLoad, until } from './load.ts'
import { killAll, type Place, processorMs, startPlace } from './place.ts'
import { type Disk, makeDisk } from './power.ts'

/** It lives, and says why nobody should be sent there. */
async function expectAnswers({ controlUrl }: Gateway, code: string): Promise<void> {
  const [health, ready] = await Promise.all(
    ['/healthz', '/readyz'].map((path) =>
      fetch(`${controlUrl}${path}`, { signal: AbortSignal.timeout(5000) }),
    ),
  )
  expect(health!.status).toBe(200)
  expect(ready!.status).toBe(503)
  expect(await ready!.text()).toBe(`not ready: nothing can be recorded (${code})\n`)
}

describe.skipIf(process.getuid?.() !== 0)(
  'one disk for all (a loop device, which needs root)',
  () => {
    let disk: Disk
    let place: Place
    beforeEach(async () => {
      disk = makeDisk('320M')
      const data = join(disk.folder, 'data')
      mkdirSync(data, { mode: 0o700 })
      place = await startPlace({ config: { data, recorder: { durability: 'strict' } } })
    })
    afterEach(async () => {
      await place?.stop()
      await disk.remove()
    })

    /** Until there is no byte left. */
    function fillUp(): void {
      for (let size = 1 << 20; size >= 1; size >>= 1) {
        try {
          for (;;) writeFileSync(join(disk.folder, 'ballast'), Buffer.alloc(size), { flag: 'a' })
        } catch {
          // Then in smaller pieces.
        }
      }
    }

    async function isServed(): Promise<boolean> {
      const client = await place.client().catch(() => undefined)
      if (client === undefined) return false
      const { rows } = await client.query('SELECT 9')
      await client.close()
      return rows[0] === '9'
    }

    test('full: sessions end with 58030, and all goes on when there is room', async () => {
      const load = startLoad(place, 'full', 100)
      await firstInsert(place)
      let isOver = false
      void load.ended.then(() => {
        isOver = true
      })
      // Again and again: what is shipped makes room.
      await until(
        async () => {
          fillUp()
          await pause(200)
          return isOver
        },
        'sessions to end',
        180_000,
      )
      for (const child of load.children) expect(child.output()).toMatch(/cannot be recorded/)
      fillUp()
      await expect(place.client()).rejects.toThrow('58030')
      // What is shipped makes room here too.
      await until(async () => {
        fillUp()
        return (await fetch(`${place.gateway.controlUrl}/readyz`)).status === 503
      }, 'it not to be ready')
      await expectAnswers(place.gateway, 'ENOSPC')
      rmSync(join(disk.folder, 'ballast'))
      await until(isServed, 'new sessions', 30_000)
      await place.gateway.ready()
      await expectRecordedOnce(place)
      await expectProven(place.gateway)
    }, 180_000)

    test('read-only: nothing is forwarded any more, and a gateway is not started on it', async () => {
      const { gateway } = place
      const load = startLoad(place, 'read-only', 100)
      await firstInsert(place)
      await pause(300)
      // As the kernel does when it finds the file system damaged.
      execFileSync('mount', ['-o', 'remount,abort', disk.folder])
      await load.ended
      for (const child of load.children) expect(child.output()).toMatch(/cannot be recorded/)
      await expect(place.client()).rejects.toThrow('58030')
      await expectAnswers(gateway, 'EROFS')
      const { stderr: refused } = await gateway.cli(['token', 'issue', '--subject', 'late'])
      expect(refused).toMatch(/GW_RECORDING_LOST|cannot be recorded/)
      // Nobody tries for ever: neither what records nor what keeps the state, which has had a second to try.
      const [used, since] = [processorMs(gateway.pid), performance.now()]
      await pause(4000)
      const share = (processorMs(gateway.pid) - used) / (performance.now() - since)
      expect(share).toBeLessThan(0.3)
      await killAll(gateway)
      const { code, stderr } = await gateway.cli(['serve'])
      expect(code).toBe(2)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(stderr).toMatch(/lock cannot be written/)
      await disk.back()
      await gateway.restart()
      expect(await isServed()).toBe(true)
      await expectRecordedOnce(place)
      await expectProven(gateway)
    }, 180_000)
  },
)
