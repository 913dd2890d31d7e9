import { expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { patternNeeds } from '../../src/mask/pattern-needs.ts'
import { Sieve } from '../../src/mask/sieve.ts'

const sieve = new Sieve(['[0-9]{6}', 'key-[a-z]{4}', '[0-9]{3}', '[a-z]{9}@'].map(patternNeeds))

function candidates(text: string): number[] {
  const bytes = Buffer.from(text)
  const found = [...sieve.candidates(bytes, 0, bytes.length)]
  expect(sieve.mayHold(bytes, 0, bytes.length)).toBe(found.length > 0)
  return found.sort()
}

test('names those whose needs the value meets', () => {
  expect(candidates('123456')).toEqual([0, 2])
  expect(candidates('x 123')).toEqual([2])
  expect(candidates('key-abcd')).toEqual([1])
  expect(candidates('abcdefghi@')).toEqual([3])
  expect(candidates('key 12 a@b')).toEqual([])
  expect(candidates('')).toEqual([])
})

test('a literal is nothing without the rest of the needs', () => {
  expect(candidates('key-a')).toEqual([])
})

test('forgets the value before', () => {
  expect(candidates('key-abcd')).toEqual([1])
  expect(candidates('no such thing')).toEqual([])
})

test('all known patterns together say what each says by itself', () => {
  const needs = [...KNOWN_DETECTORS.values()].flatMap(({ forms }) =>
    forms.map((form) => patternNeeds(form.source)),
  )
  const all = new Sieve(needs)
  for (const text of [
    '4111 1111 1111 1111',
    'a@b.example',
    'ghp_',
    'password = x1y2z3',
    'fe80::1',
  ]) {
    const bytes = Buffer.from(text)
    const each = [...needs.keys()].filter((at) =>
      new Sieve([needs[at]!]).mayHold(bytes, 0, bytes.length),
    )
    const found = [...all.candidates(bytes, 0, bytes.length)].sort((one, other) => one - other)
    expect(found).toEqual(each)
  }
})
