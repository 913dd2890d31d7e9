import { expect, test } from 'vitest'
import { compilePattern } from '../../src/base/pattern.ts'

test('a pattern is found anywhere in the text', () => {
  expect(compilePattern('b+c')?.test('aabbcc')).toBe(true)
  expect(compilePattern('^b')?.test('ab')).toBe(false)
})

test('what cannot be linear is no pattern', () => {
  expect(compilePattern('(a)\\1')).toBeUndefined()
  expect(compilePattern('(?=a)')).toBeUndefined()
  expect(compilePattern('(')).toBeUndefined()
})

test('a pattern that explodes elsewhere answers at once', () => {
  const started = performance.now()
  expect(compilePattern('^(a+)+$')?.test(`${'a'.repeat(50_000)}b`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(10_000)
})
