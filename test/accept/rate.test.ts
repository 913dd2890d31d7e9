import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AddressRate } from '../../src/accept/rate.ts'

test('an address has a burst, and then what time gives it', () => {
  const rate = new AddressRate({ perSecond: 10, burst: 3 })
  const tries = (nowMs: number) => Array.from({ length: 4 }, () => rate.take('a', nowMs))
  expect(tries(1000)).toEqual([true, true, true, false])
  expect(tries(1050)).toEqual([false, false, false, false])
  expect(tries(1100)).toEqual([true, false, false, false])
  expect(tries(9000)).toEqual([true, true, true, false])
})

test('what one address does costs no other one anything', () => {
  const rate = new AddressRate({ perSecond: 1, burst: 1 })
  expect([rate.take('a', 0), rate.take('a', 0), rate.take('b', 0)]).toEqual([true, false, true])
})

test('addresses that one IPv6 host gives itself are one', () => {
  const rate = new AddressRate({ perSecond: 1, burst: 2 })
  const from = (host: number) => rate.take(`2001:db8::${host.toString(16)}`, 0)
  expect([from(1), from(2), from(3), rate.take('2001:db8:0:1::1', 0)]).toEqual([
    true,
    true,
    false,
    true,
  ])
})

test('nobody gets more than the burst and the rate together', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (waits) => {
      const rate = new AddressRate({ perSecond: 10, burst: 5 })
      let now = 0
      let taken = 0
      for (const wait of waits) {
        now += wait
        if (rate.take('a', now)) taken += 1
      }
      expect(taken).toBeLessThanOrEqual(5 + now / 100 + 1)
    }),
  )
})

test('addresses that are many are forgotten, oldest first', () => {
  const rate = new AddressRate({ perSecond: 0, burst: 1 })
  expect(rate.take('first', 0)).toBe(true)
  for (let i = 0; i < 10_000; i++) rate.take(`a${i}`, 0)
  expect(rate.take('first', 0)).toBe(true)
  expect(rate.take('a9999', 0)).toBe(false)
})
