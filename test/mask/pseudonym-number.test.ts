import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pseudonymDomain } from '../../src/mask/pseudonym.ts'
import { pseudonymDays, pseudonymInteger } from '../../src/mask/pseudonym-number.ts'

const KEY = Buffer.alloc(32, 7)
const one = pseudonymDomain(KEY, 'one')
const other = pseudonymDomain(KEY, 'other')
/** 0001-01-01 and 9999-12-31, counted from 2000-01-01. */
const FIRST = -730_119
const LAST = 2_921_939

test('all numbers of 16 bits change places', () => {
  const seen = new Set<bigint>()
  let same = 0
  for (let value = -32768n; value <= 32767n; value++) {
    const mixed = pseudonymInteger(value, 'int2', one)
    if (mixed === value) same++
    seen.add(mixed)
  }
  expect(seen.size).toBe(65_536)
  expect([...seen].every((mixed) => mixed >= -32768n && mixed <= 32767n)).toBe(true)
  expect(same).toBeLessThan(10)
})

test('longer ones stay in range, are told apart, and hang on type and domain', () => {
  for (const [type, bits] of [
    ['int4', 32],
    ['int8', 64],
  ] as const) {
    const most = 2n ** BigInt(bits - 1)
    const numbers = fc.bigInt({ min: -most, max: most - 1n })
    fc.assert(
      fc.property(numbers, numbers, (first, second) => {
        const mixed = pseudonymInteger(first, type, one)
        expect(mixed >= -most && mixed < most).toBe(true)
        expect(pseudonymInteger(first, type, one)).toBe(mixed)
        expect(pseudonymInteger(second, type, one) === mixed).toBe(first === second)
      }),
    )
  }
  const answers = [one, other].flatMap((domain) =>
    (['int4', 'int8'] as const).map((type) => pseudonymInteger(42n, type, domain)),
  )
  expect(new Set(answers).size).toBe(4)
})

test('dates stay between the years 1 and 9999', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST, max: LAST }), (days) => {
      const mixed = pseudonymDays(days, one)!
      expect(mixed >= FIRST && mixed <= LAST).toBe(true)
      expect(pseudonymDays(days, one)).toBe(mixed)
    }),
  )
  const some = Array.from({ length: 3000 }, (_, at) => pseudonymDays(at, one))
  expect(new Set(some).size).toBe(3000)
  expect(pseudonymDays(0, other)).not.toBe(pseudonymDays(0, one))
  for (const days of [FIRST - 1, LAST + 1, 2 ** 31 - 1, -(2 ** 31)]) {
    expect(pseudonymDays(days, one)).toBeUndefined()
  }
})
