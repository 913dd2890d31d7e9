import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesWildcard } from '../../src/decide/wildcard.ts'

test('a star is any run of characters, the empty one included', () => {
  for (const [pattern, text, wanted] of [
    ['*', '', true],
    ['a*c', 'ac', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['*b*b', 'abab', true],
    ['', 'a', false],
    ['a', 'A', false],
    ['repo:org/*:ref', 'repo:org/x:y:ref', true],
  ] as const)
    expect(matchesWildcard(pattern, text), `${pattern} ${text}`).toBe(wanted)
})

test('it says what a regular expression would say', () => {
  const word = fc.array(fc.constantFrom('a', 'b', '*', '.')).map((parts) => parts.join(''))
  fc.assert(
    fc.property(word, word, (pattern, text) => {
      const source = pattern
        .split('*')
        .map((part) => part.replaceAll('.', '\\.'))
        .join('.*')
      expect(matchesWildcard(pattern, text)).toBe(new RegExp(`^${source}$`).test(text))
    }),
  )
})

test('many stars do not make it slow', () => {
  const started = performance.now()
  expect(matchesWildcard('*a'.repeat(50), `${'a'.repeat(20_000)}b`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(10_000)
})
