import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Needs } from '../../src/mask/detectors/detector.ts'
import { needsRow, TRAITS, traitsOf } from '../../src/mask/traits.ts'

function traits(bytes: Uint8Array): Int32Array {
  const out = new Int32Array(TRAITS)
  traitsOf(bytes, 0, bytes.length, out)
  return out
}

function meets(needs: Needs, text: string): boolean {
  const found = traits(Buffer.from(text))
  const row = needsRow(needs)
  const flags = row.at(-1)!
  return (
    row.every((value, at) => at === TRAITS - 1 || value <= found[at]!) &&
    (flags & found.at(-1)!) === flags
  )
}

test('each need by itself', () => {
  const cases: readonly [needs: Partial<Needs>, yes: string, no: string][] = [
    [{ length: 3 }, 'abc', 'ab'],
    [{ at: true }, 'a@b', 'a b'],
    [{ digits: 3 }, '1a2b3', '12'],
    [{ digitRun: 3 }, 'x123', '12 34'],
    [{ digitRun: 3 }, '123x', '12x3'],
    [{ chain: 6 }, 'a 12-34.56', '12,34,56'],
    [{ chain: 6 }, '(123) 45/6z', '123x456'],
    [{ alphanumericRun: 4 }, '-ab12-', 'abc-123'],
    [{ run: 4 }, 'x a_-1', 'abc def'],
    [{ mixedRun: 6 }, ' aB-1_x ', 'ab-1_x aB-1'],
    [{ dottedRun: 6 }, ' a.b.cd', 'a.bcdefg h.i'],
    [{ colons: 2 }, 'a:b:', 'a:b'],
    [{ lettersBeforeDigits: true }, '.xDE89', 'D1E89'],
    [{ fourSigns: true }, 'a----b', 'a---b-'],
    [{ assigns: true }, 'a=b', 'a b'],
    [{ assigns: true }, "a 'b", 'a(b)'],
  ]
  for (const [needs, yes, no] of cases) {
    expect(meets({ length: 1, ...needs }, yes), yes).toBe(true)
    expect(meets({ length: 1, ...needs }, no), no).toBe(false)
  }
})

test('long runs count in full', () => {
  expect(meets({ length: 1, digits: 500, run: 500, chain: 500 }, '1'.repeat(500))).toBe(true)
  expect(meets({ length: 1, digits: 200 }, '1'.repeat(199))).toBe(false)
})

test('more bytes around a value never take a trait away', () => {
  const piece = fc.constantFrom('a', 'Z', '1', '23', '@', ':', '=', '----', ' ', '.', "'", '(')
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')))
  fc.assert(
    fc.property(text, text, text, (before, value, after) => {
      const own = traits(value)
      const all = traits(Buffer.concat([before, value, after]))
      for (let at = 0; at < TRAITS - 1; at++) expect(all[at]).toBeGreaterThanOrEqual(own[at]!)
      expect(all.at(-1)! & own.at(-1)!).toBe(own.at(-1))
    }),
  )
})
