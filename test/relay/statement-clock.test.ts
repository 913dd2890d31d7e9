import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StatementClock, type Work } from '../../src/relay/statement-clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Entry extends Work {
  done: number
}

function clock(limitMs = 1000) {
  const ledger: Entry[] = []
  const heard: string[] = []
  const timer = new StatementClock<Entry>({
    limitMs,
    graceMs: 500,
    first: () => ledger[0],
    onLate: (entry) =>
      heard.push(`late ${ledger.indexOf(entry)} at ${Math.round(performance.now())}`),
    onDeaf: () => heard.push('deaf'),
  })
  const pass = (ms: number) => vi.advanceTimersByTime(ms)
  return { ledger, heard, timer, pass }
}

test('what runs longer than the limit is late, once, and deaf when it does not stop', () => {
  const { ledger, heard, timer, pass } = clock()
  ledger.push({ done: 0 })
  const since = performance.now()
  timer.touch()
  timer.touch()
  pass(999)
  expect(heard).toEqual([])
  pass(1)
  expect(heard).toEqual([`late 0 at ${Math.round(since + 1000)}`])
  pass(499)
  expect(heard).toHaveLength(1)
  pass(1)
  expect(heard).toEqual([heard[0], 'deaf'])
  pass(60_000)
  expect(heard).toHaveLength(2)
})

test('what ends in time is never late, however many there are and however long they take together', () => {
  const { ledger, heard, timer, pass } = clock()
  for (let at = 0; at < 50; at++) {
    ledger[0] = { done: 0 }
    timer.touch()
    pass(900)
  }
  // Parts of one message are pieces of work of their own.
  for (let at = 0; at < 50; at++) {
    ledger[0]!.done += 1
    pass(900)
  }
  ledger.length = 0
  pass(60_000)
  expect(heard).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('what begins between two looks gets its whole time, and a tenth more at most', () => {
  const { ledger, heard, timer, pass } = clock()
  ledger.push({ done: 0 })
  timer.touch()
  pass(950)
  ledger[0] = { done: 0 }
  pass(999)
  expect(heard).toEqual([])
  pass(101)
  expect(heard).toHaveLength(1)
})

test('what stops after it was late is no longer waited for, and the next has its own time', () => {
  const { ledger, heard, timer, pass } = clock()
  ledger.push({ done: 0 })
  timer.touch()
  pass(1000)
  expect(heard).toHaveLength(1)
  ledger[0] = { done: 0 }
  pass(999)
  expect(heard).toHaveLength(1)
  pass(200)
  expect(heard).toHaveLength(2)
  timer.stop()
  pass(60_000)
  expect(heard).toHaveLength(2)
})

test('limits of milliseconds and of days are looked at neither too often nor too rarely', () => {
  const short = clock(20)
  short.ledger.push({ done: 0 })
  short.timer.touch()
  short.pass(20)
  expect(short.heard).toHaveLength(1)
  const long = clock(86_400_000)
  long.ledger.push({ done: 0 })
  long.timer.touch()
  long.pass(86_400_000)
  expect(long.heard).toHaveLength(1)
})
