import { expect, test } from 'vitest'
import { ascii, isAlphanumeric, isDigit, isLetter } from '../../../src/mask/detectors/detector.ts'

test('classes of bytes agree with those of regular expressions, and nothing is of none', () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = String.fromCharCode(byte)
    expect(isDigit(byte)).toBe(/^[0-9]$/.test(text))
    expect(isLetter(byte)).toBe(/^[A-Za-z]$/.test(text))
    expect(isAlphanumeric(byte)).toBe(/^[0-9A-Za-z]$/.test(text))
  }
  expect(isAlphanumeric(undefined)).toBe(false)
})

test('a span is read from within its buffer', () => {
  expect(ascii(Buffer.from('xxabcxx').subarray(1), 1, 4)).toBe('abc')
})
