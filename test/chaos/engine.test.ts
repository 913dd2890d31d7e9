/** The record store fails while sessions work: they do not notice, and it has everything once when it is back. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectProven } from './evidence.ts'
import { expectRecordedOnce, figure, firstInsert, pause, startLoad, until } from './load.ts'
import { ask, engineOf, type Place, startPlace } from './place.ts'

const ROUNDS = Number(process.env.SLUICE_CHAOS_ROUNDS ?? 5)
/** Shorter than it is waited for. */
const AWAY_MS = 4000

let place: Place
beforeAll(async () => {
  place = await startPlace()
})
afterAll(() => place?.stop())

async function engine(): Promise<number> {
  await until(() => engineOf(place.gateway) !== undefined, 'the engine to run', 30_000)
  return engineOf(place.gateway)!
}

/** Its number is not needed: the load goes on whatever happens to the store. */
async function underLoad(job: string, act: () => Promise<void>): Promise<void> {
  const load = startLoad(place, job, 300)
  const { server } = place
  await firstInsert(place)
  await act()
  for (const { process } of load.children) expect(process.exitCode).toBe(null)
  await load.stop()
  for (const child of load.children) expect(child.output()).not.toMatch(/error|aborted/i)
  await ask(server, 'TRUNCATE chaos')
}

test(
  `killed ${ROUNDS} times under load, some in mid-insert, it has every statement once`,
  async () => {
    await underLoad('engine-killed', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const pid = await engine()
        await pause(Math.random() * 1500)
        // Stopped first, every other time: then an insert is on its way for certain.
        if (round % 2 === 1) {
          process.kill(pid, 'SIGSTOP')
          await pause(700)
        }
        process.kill(pid, 'SIGKILL')
        await until(() => engineOf(place.gateway) !== pid, 'the engine to end')
      }
    })
    const count = await expectRecordedOnce(place)
    const { status } = await expectProven(place.gateway)
    figure(`engine-kill: ${count} statements, ${status}`)
  },
  180_000 + ROUNDS * 60_000,
)

test(
  `while it hangs for ${AWAY_MS / 1000} s sessions go on, and then it catches up`,
  async () => {
    await underLoad('engine-hangs', async () => {
      const pid = await engine()
      process.kill(pid, 'SIGSTOP')
      await pause(AWAY_MS)
      process.kill(pid, 'SIGCONT')
      // Where there is time: another one takes the place of one that hangs for good.
      if (ROUNDS <= 5) return
      process.kill(pid, 'SIGSTOP')
      await until(() => engineOf(place.gateway) !== pid, 'it to be ended', 20_000)
    })
    await expectRecordedOnce(place)
    expect((await expectProven(place.gateway)).status).toBe('intact')
  },
  180_000 + 2 * AWAY_MS,
)
