import { expect, test } from 'vitest'
import { atPlace, isOwnDomain, stronger, type Transform } from '../../src/mask/transform-spec.ts'

const BY_STRENGTH: Transform[] = [
  { type: 'null' },
  { type: 'redact' },
  { type: 'fixed', value: 'x' },
  { type: 'hash' },
  { type: 'pseudonym', domain: 'd' },
  { type: 'partial', keepFirst: 0, keepLast: 4 },
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
