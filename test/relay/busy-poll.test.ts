import { expect, test } from 'vitest'
import { BusyPoll } from '../../src/relay/busy-poll.ts'

/** A clock that stands until it is set, and a loop that turns when it is told to. */
function stage() {
  const state = { now: 1000, waiting: [] as (() => void)[] }
  const poll = new BusyPoll(
    () => state.now,
    (look) => state.waiting.push(look),
  )
  /** Milliseconds from now the loop turns once; true where it would not have slept. */
  const turn = (ms: number): boolean => {
    state.now += ms
    const looks = state.waiting.splice(0)
    for (const look of looks) look()
    return looks.length > 0
  }
  return { poll, turn }
}

test('after a small read the loop looks again for a tenth of a millisecond, then sleeps', () => {
  const { poll, turn } = stage()
  poll.read('one', 50)
  for (let at = 0; at < 10; at++) expect(turn(0.01)).toBe(true)
  expect([turn(0.01), turn(0.01)]).toContain(false)
  expect(turn(0.01)).toBe(false)
  poll.read('one', 50)
  expect(turn(0.01)).toBe(true)
})

test('each read of the same session makes it look for longer, once a turn', () => {
  const { poll, turn } = stage()
  for (let at = 0; at < 30; at++) {
    poll.read('one', 50)
    expect(turn(0.05)).toBe(true)
  }
})

test('sessions that take turns keep the thread awake by themselves', () => {
  const { poll, turn } = stage()
  poll.read('one', 50)
  poll.read('two', 50)
  // The look that waits already finds that there is no need.
  turn(0.01)
  for (let at = 0; at < 20; at++) {
    poll.read(at % 2 === 0 ? 'one' : 'two', 50)
    expect(turn(0.05)).toBe(false)
  }
  // One of them alone again, for long enough.
  turn(21)
  poll.read('two', 50)
  expect(turn(0.01)).toBe(true)
})

test('bulk data is not waited for', () => {
  const { poll, turn } = stage()
  poll.read('one', 64 << 10)
  expect(turn(0.01)).toBe(false)
})

test('whoever else wants the core gets it', () => {
  const { poll, turn } = stage()
  poll.read('one', 50)
  turn(0.01)
  poll.read('one', 50)
  // Another process had it meanwhile.
  expect(turn(3)).toBe(true)
  expect(turn(0.01)).toBe(false)
  poll.read('one', 50)
  expect(turn(0.01)).toBe(false)
  turn(20)
  poll.read('one', 50)
  expect(turn(0.01)).toBe(true)
})
