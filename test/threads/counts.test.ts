import { expect, test } from 'vitest'
import { Counts } from '../../src/threads/counts.ts'
import {
  LAG_BUCKETS_US,
  LATENCY_BUCKETS_US,
  UPSTREAM_BUCKETS_US,
} from '../../src/threads/messages.ts'

test('sessions that are open are counted, and actions by connection and verdict', () => {
  const counts = new Counts()
  counts.opened('postgres')
  counts.opened('postgres')
  counts.closed('postgres')
  counts.action('orders', 'allow')
  counts.action('orders', 'allow')
  counts.action('lab', 'denied')
  counts.masked('email', 'orders', 3)
  counts.masked('email', 'orders', 4)
  counts.signal('one')
  counts.signal('one')
  const { sessionsOpen, actions, maskedValues, signals, heldBytes } = counts.metrics([
    { heldBytes: () => 5 },
    { heldBytes: () => 2 },
  ])
  expect(signals).toEqual({ one: 2 })
  expect(heldBytes).toBe(7)
  expect(sessionsOpen).toEqual({ postgres: 1 })
  expect(actions).toEqual({ 'postgres|orders|allow': 2, 'postgres|lab|denied': 1 })
  expect(maskedValues).toEqual({ 'email|orders': 7 })
})

test('a latency is counted in the first bucket that holds it, and added up', () => {
  const counts = new Counts()
  const last = LATENCY_BUCKETS_US.at(-1)!
  for (const us of [0, LATENCY_BUCKETS_US[0]!, LATENCY_BUCKETS_US[0]! + 1, last + 1]) {
    counts.latency('total', us)
  }
  const buckets = counts.metrics([]).addedLatency['postgres|total']!
  expect(buckets).toHaveLength(LATENCY_BUCKETS_US.length + 2)
  expect(buckets.slice(0, 2)).toEqual([2, 1])
  expect(buckets.at(-2)).toBe(1)
  expect(buckets.at(-1)).toBe(2 * LATENCY_BUCKETS_US[0]! + 2 + last)
})

test('phases that nothing was counted in yet are there, so that a rate begins at nought', () => {
  const counts = new Counts()
  counts.upstream(70)
  counts.late(1500)
  const { addedLatency, upstream, loopLag } = counts.metrics([])
  const phases = ['parse', 'decide', 'mask', 'record', 'total']
  expect(Object.keys(addedLatency)).toEqual(phases.map((phase) => `postgres|${phase}`))
  expect(
    Object.values(addedLatency)
      .flat()
      .every((number) => number === 0),
  ).toBe(true)
  expect([upstream[UPSTREAM_BUCKETS_US.indexOf(100)], upstream.at(-1)]).toEqual([1, 70])
  expect([loopLag[LAG_BUCKETS_US.indexOf(2000)], loopLag.at(-1)]).toEqual([1, 1500])
})

test('what was handed out is not changed by what comes later', () => {
  const counts = new Counts()
  counts.latency('mask', 1)
  const before = counts.metrics([])
  counts.latency('mask', 1)
  expect(before.addedLatency['postgres|mask']![0]).toBe(1)
})
