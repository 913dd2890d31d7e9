import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Places } from '../../src/control/places.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function places(limits: Record<string, number>) {
  const all = new Places({ max: (connection) => limits[connection], waitMs: 5000 })
  const told: string[] = []
  const take = (name: string, thread = 1, connection = 'c') =>
    void all.take(thread, connection).then((has) => told.push(`${name} ${has}`))
  /** What was answered so far. */
  const answers = async (ms = 0) => {
    await vi.advanceTimersByTimeAsync(ms)
    return told.splice(0)
  }
  return { all, take, answers }
}

test('who comes first is served first, over all workers, and the wait has an end', async () => {
  const { all, take, answers } = places({ c: 2 })
  for (const name of ['a', 'b', 'd', 'e', 'f']) take(name, name < 'd' ? 1 : 2)
  expect(await answers()).toEqual(['a true', 'b true'])
  all.leave(1, 'c')
  expect(await answers(4000)).toEqual(['d true'])
  take('g')
  expect(await answers(1000)).toEqual(['e false', 'f false'])
  all.leave(2, 'c')
  expect(await answers()).toEqual(['g true'])
})

test('connections do not wait for each other, and one without a limit never waits', async () => {
  const { take, answers } = places({ c: 1, d: 1 })
  take('a')
  take('b')
  take('other', 1, 'd')
  for (let at = 0; at < 3; at++) take('free', 1, 'free')
  expect(await answers()).toEqual(['a true', 'other true', 'free true', 'free true', 'free true'])
})

test('a worker that dies leaves its places and its wait', async () => {
  const { all, take, answers } = places({ c: 2 })
  take('a', 1)
  take('b', 1)
  take('c', 1)
  take('d', 2)
  await answers()
  all.gone(1)
  expect(await answers()).toEqual(['c false', 'd true'])
})

test('what workers tell counts, once', async () => {
  const { all, take, answers } = places({ c: 3 })
  all.tell(1, { c: 2 })
  all.tell(1, { c: 2 })
  take('a', 2)
  take('b', 2)
  expect(await answers()).toEqual(['a true'])
  all.leave(1, 'c')
  expect(await answers()).toEqual(['b true'])
})

test('a limit that a reload raises lets those in who wait, in their order', async () => {
  const limits = { c: 1 }
  const { take, answers } = places(limits)
  take('a')
  take('b')
  expect(await answers()).toEqual(['a true'])
  limits.c = 2
  take('c')
  expect(await answers()).toEqual(['b true'])
})
