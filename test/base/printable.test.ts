import { expect, test } from 'vitest'
import { printable, printableLines } from '../../src/base/printable.ts'

test('what a terminal would obey is written out', () => {
  expect(printable('\x1b]0;owned\x07')).toBe('\\x1b]0;owned\\x07')
  expect(printable('a\u202eb\u009bc\u2028d\ud800')).toBe('a\\u202eb\\x9bc\\u2028d\\ud800')
  expect(printable('a\nb\tc\r')).toBe('a\\nb\\tc\\r')
})

test('of several lines only breaks and tabs stay', () => {
  expect(printableLines('a\tb\r\nc\rd\x1b[2J\n')).toBe('a\tb\nc\\rd\\x1b[2J\n')
})
