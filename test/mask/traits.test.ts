import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import type { Needs } from '../../src/mask/detectors/detector.ts'
import { NeedsTable, traitsOf } from '../../src/mask/traits.ts'

function meets(needs: Needs, text: string): boolean {
  const bytes = Buffer.from(text)
  return new NeedsTable([needs]).meets(traitsOf(bytes, 0, bytes.length), bytes.length)
}

test('each need by itself', () => {
  const cases: readonly [needs: Partial<Needs>, yes: string, no: string][] = [
    [{ length: 3 }, 'abc', 'ab'],
    [{ at: true }, 'a@b', 'a b'],
    [{ digits: 3 }, '1a2b3', '12'],
    [{ run: 4 }, 'x a_-1', 'abc def'],
    [{ colons: 2 }, 'a:b:', 'a:b'],
    [{ lettersBeforeDigits: true }, '.xDE89', 'D1E89'],
    [{ fourSigns: true }, 'a----b', 'a---b'],
    [{ assigns: true }, 'a=b', 'a b'],
    [{ assigns: true }, "a 'b", 'a(b)'],
  ]
  for (const [needs, yes, no] of cases) {
    expect(meets({ length: 1, ...needs }, yes), yes).toBe(true)
    expect(meets({ length: 1, ...needs }, no), no).toBe(false)
  }
})

test('counts beyond what fits count as the most that fits', () => {
  expect(meets({ length: 1, digits: 500, run: 500 }, '1'.repeat(500))).toBe(true)
  expect(meets({ length: 1, digits: 200 }, '1'.repeat(199))).toBe(false)
})

test('a table says what its needs say one by one', () => {
  const needs = [...KNOWN_DETECTORS.values()].map((detector) => detector.needs)
  const table = new NeedsTable(needs)
  const piece = fc.constantFrom('a', 'Z', '1', '23', '@', ':', '=', '----', ' ', 'é', '.', "'")
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const traits = traitsOf(bytes, 0, bytes.length)
      const any = needs.some((one) => new NeedsTable([one]).meets(traits, bytes.length))
      expect(table.meets(traits, bytes.length)).toBe(any)
    }),
  )
})

test('more bytes around a value never take a trait away', () => {
  const table = new NeedsTable([...KNOWN_DETECTORS.values()].map((detector) => detector.needs))
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (before, value, after) => {
      const all = Buffer.concat([before, value, after])
      if (!table.meets(traitsOf(value, 0, value.length), value.length)) return
      expect(table.meets(traitsOf(all, 0, all.length), all.length)).toBe(true)
    }),
  )
})
