import { expect, test } from 'vitest'
import {
  atPlace,
  isOwnDomain,
  type PathTransform,
  pathText,
  stronger,
  type Transform,
} from '../../src/mask/transform-spec.ts'

function parts(...paths: string[]): PathTransform {
  return {
    type: 'paths',
    paths: paths.map((path) => ({
      path: path.split('.'),
      transform: { type: 'redact' },
      monitor: false,
      name: path,
    })),
  }
}

const BY_STRENGTH: Transform[] = [
  { type: 'null' },
  { type: 'redact' },
  { type: 'fixed', value: 'x' },
  { type: 'hash' },
  { type: 'pseudonym', domain: 'd' },
  { type: 'partial', keepFirst: 0, keepLast: 4 },
  parts('a'),
]

test('the stronger of two wins in either order, and the first among equals', () => {
  for (const [rank, one] of BY_STRENGTH.entries()) {
    for (const other of BY_STRENGTH.slice(rank + 1)) {
      expect(stronger(one, other)).toBe(one)
      expect(stronger(other, one)).toBe(one)
    }
    const twin = { ...one }
    expect(stronger(one, twin)).toBe(one)
  }
})

test('a pseudonym without a domain belongs to where its column is', () => {
  const declared = {
    pattern: ['public', 'users', 'email'],
    with: { type: 'pseudonym', domain: '' },
    inPredicates: 'deny',
    derived: 'mask',
    monitor: false,
    rule: 'p/mask-1',
  } as const
  const placed = atPlace(declared, ['shop', 'main'])
  expect(placed.with).toEqual({ type: 'pseudonym', domain: '\0shop\0main' })
  expect(atPlace(declared, ['shop', 'other']).with).not.toEqual(placed.with)
  expect(isOwnDomain('\0shop\0main') && isOwnDomain('')).toBe(true)
  const named = { ...declared, with: { type: 'pseudonym', domain: 'person' } } as const
  expect(atPlace(named, ['shop', 'main'])).toBe(named)
  expect(isOwnDomain('person')).toBe(false)
  expect(atPlace({ ...declared, with: { type: 'hash' } }, []).with).toEqual({ type: 'hash' })
})

test('parts of a document add up', () => {
  const one = parts('a', 'b.c')
  expect(stronger(one, parts('b.c', 'd'))).toEqual(parts('a', 'b.c', 'd'))
  expect(stronger(one, parts('a'))).toBe(one)
})

test('a path is written as policy writes it', () => {
  expect(pathText(['a', "it's"])).toBe("->'a'->'it''s'")
  expect(pathText([])).toBe('')
})
