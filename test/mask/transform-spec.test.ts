import { expect, test } from 'vitest'
import { stronger, type Transform } from '../../src/mask/transform-spec.ts'

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
