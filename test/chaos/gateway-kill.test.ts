/** The gateway killed under load: every statement that reached PostgreSQL is in ClickHouse after the restart, once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectProven } from './evidence.ts'
import { expectRecordedOnce, figure, firstInsert, pause, startLoad } from './load.ts'
import { ask, type Place, startPlace } from './place.ts'

const ROUNDS = Number(process.env.SLUICE_CHAOS_ROUNDS ?? 5)

let place: Place
beforeAll(async () => {
  place = await startPlace()
})
afterAll(() => place?.stop())

test(
  `killed ${ROUNDS} times, it has lost nothing and doubled nothing`,
  async () => {
    const { server, gateway } = place
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      const load = startLoad(place, `round-${round}`)
      await firstInsert(place)
      await pause(Math.random() * 1200)
      await gateway.kill('SIGKILL')
      await load.ended
      await gateway.restart()
      const count = await expectRecordedOnce(place)
      const { unsigned } = await expectProven(gateway)
      figure(`gateway-kill round ${round}: ${count - before} statements, ${unsigned} signed later`)
      expect(count).toBeGreaterThan(before)
      before = count
      await ask(server, 'TRUNCATE chaos')
    }
  },
  180_000 + ROUNDS * 60_000,
)
