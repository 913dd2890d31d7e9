import { expect, test } from 'vitest'
import {
  isDate,
  isOneDigit,
  isoMod11And10,
  luhn,
  remainder,
  two,
  verhoeff,
  weighted,
} from '../../../src/mask/detectors/checksum.ts'

const DIGITS = [...'0123456789']

test('published examples pass', () => {
  expect(luhn('4111111111111111')).toBe(true)
  expect(luhn('79927398713')).toBe(true)
  expect(verhoeff('2363')).toBe(true)
  expect(verhoeff('999941057058')).toBe(true)
  expect(isoMod11And10('07945')).toBe(true)
  expect(isoMod11And10('86095742719')).toBe(true)
})

test('of ten last digits exactly one passes', () => {
  for (const check of [luhn, verhoeff, isoMod11And10])
    for (const body of ['794', '99994105705', '000000', '123456789'])
      expect(DIGITS.filter((digit) => check(body + digit))).toHaveLength(1)
})

test('Verhoeff notices every pair of neighbours that changed places', () => {
  const number = '999941057058'
  for (let at = 0; at + 1 < number.length; at++) {
    const [one, other] = [number[at]!, number[at + 1]!]
    const turned = number.substring(0, at) + other + one + number.substring(at + 2)
    expect(verhoeff(turned)).toBe(one === other)
  }
})

test('sums, remainders and parts', () => {
  expect(weighted('123', [10, 1, 0])).toBe(12)
  expect(remainder('123456789012345678901234567890', 97)).toBe(
    Number(123456789012345678901234567890n % 97n),
  )
  expect(two('0123', 2)).toBe(23)
  expect(isOneDigit('111')).toBe(true)
  expect(isOneDigit('112')).toBe(false)
})

test('dates are those of a leap year', () => {
  expect([isDate(2, 29), isDate(12, 31), isDate(4, 30)]).toEqual([true, true, true])
  expect([isDate(2, 30), isDate(13, 1), isDate(0, 1), isDate(4, 31), isDate(1, 0)]).toEqual(
    Array(5).fill(false),
  )
})
