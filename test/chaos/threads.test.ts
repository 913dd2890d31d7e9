/**
 * Threads of the gateway ended under load, in every way that a thread can end: session workers and the ship thread, by
 * `terminate()`, by an error that nobody catches, by their heap. Everything that reached PostgreSQL is recorded, once.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Crasher, crasher } from './crasher.ts'
import { expectProven } from './evidence.ts'
import type { Kind, Way } from './fixtures/crash.ts'
import { expectRecordedOnce, figure, firstInsert, pause, startLastingLoad } from './load.ts'
import { ask, type Place, startPlace } from './place.ts'

const ROUNDS = Number(process.env.SLUICE_CHAOS_ROUNDS ?? 5)
/** Who dies often is started again later and later: from time to time the gateway begins anew. */
const RESTART_ROUNDS = 2
/** All statements of a place are looked at in every round: a new one keeps the rounds alike. */
const PLACE_ROUNDS = 10
const FAULTS: readonly (readonly [Kind, Way])[] = [
  ['session', 'terminate'],
  ['session', 'throw'],
  ['session', 'heap'],
  ['ship', 'terminate'],
  ['ship', 'throw'],
  ['ship', 'heap'],
]

let place: Place
let crash: Crasher
beforeAll(begin)
afterAll(end)

async function begin(): Promise<void> {
  crash = crasher()
  place = await startPlace({ env: crash.env })
}

async function end(): Promise<void> {
  await place?.stop()
  crash?.close()
}

function shuffled<One>(list: readonly One[]): One[] {
  return list
    .map((one) => ({ one, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one)
}

/** Each of the faults once, in any order, at any moment. */
async function endThemAll(round: number): Promise<string> {
  const order = shuffled(FAULTS)
  const load = startLastingLoad(place, `threads-${round}`)
  for (const [kind, way] of order) {
    // What the former fault has ended works again first.
    await ask(place.server, 'TRUNCATE chaos')
    await firstInsert(place)
    await pause(Math.random() * 700)
    await crash.end(kind, way)
  }
  await pause(Math.random() * 300)
  await load.stop()
  return order.map((fault) => fault.join(' ')).join(', ')
}

/** All of a round were really had, as the gateway has said since `before`. */
function expectHad(before: number): void {
  const lines = place.gateway.output().slice(before).split('\n')
  const said = (...words: readonly string[]) =>
    lines.filter((line) => words.every((word) => line.includes(word))).length
  // Twice where no session was there to be told.
  expect(said('a session worker', 'ERR_WORKER_OUT_OF_MEMORY')).toBeGreaterThanOrEqual(1)
  expect(said('a session worker', 'chaos')).toBeGreaterThanOrEqual(1)
  expect({
    heap: said('thread crashed', 'ERR_WORKER_OUT_OF_MEMORY'),
    thrown: said('thread crashed', 'chaos'),
    started: said('thread started again'),
  }).toEqual({ heap: 1, thrown: 1, started: 3 })
}

test(
  `each of ${FAULTS.length} faults ${ROUNDS} times: nothing is lost, nothing is doubled`,
  async () => {
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0 && round % PLACE_ROUNDS === 0) {
        await end()
        await begin()
        before = 0
      } else if (round > 0 && round % RESTART_ROUNDS === 0) {
        await place.gateway.kill('SIGTERM')
        await place.gateway.restart()
      }
      const said = place.gateway.output().length
      const began = performance.now()
      const names = await endThemAll(round)
      const faulted = performance.now()
      const count = await expectRecordedOnce(place)
      const { status, leaves } = await expectProven(place.gateway)
      const times = [faulted - began, performance.now() - faulted].map((ms) => Math.round(ms))
      figure(
        `threads round ${round} (${names}): ${count - before} statements, ${leaves} leaves, ${status}, ${times} ms`,
      )
      expectHad(said)
      expect(count).toBeGreaterThan(before)
      before = count
    }
  },
  180_000 + ROUNDS * 60_000,
)
