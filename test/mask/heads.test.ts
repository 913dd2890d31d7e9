import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fold, Heads } from '../../src/mask/heads.ts'

const LITERALS = [['ghp_', 'gho_'], ['q~'], undefined, ['-----begin ', 'age-']]
const heads = new Heads(LITERALS)

function met(text: string, start = 0, end = Buffer.byteLength(text)): number[] {
  heads.look(Buffer.from(text), start, end)
  return [...heads.met.keys()].filter((at) => heads.met[at] === 1)
}

test('says whose literals occur, without case', () => {
  expect(met('x ghp_ y')).toEqual([0])
  expect(met('GHO_')).toEqual([0])
  expect(met('q~')).toEqual([1])
  expect(met('8Q~ and age-')).toEqual([1, 3])
  expect(met('gh p_ -----begi')).toEqual([])
  expect(fold(0x41)).toBe(0x61)
  expect(fold(0xc1)).toBe(0xc1)
})

test('does not look beyond the value', () => {
  expect(met('ghp_', 1)).toEqual([])
  expect(met('ghp_', 0, 3)).toEqual([])
  expect(met('..ghp_..', 2, 6)).toEqual([0])
})

test('says what a search of the text says', () => {
  const piece = fc.constantFrom(
    'ghp_',
    'gh',
    'p_',
    'Q~',
    '~',
    '-----',
    'BEGIN ',
    'age',
    '-',
    ' ',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      const owners = [...LITERALS.keys()].filter((at) =>
        LITERALS[at]?.some((literal) => text.toLowerCase().includes(literal)),
      )
      expect(met(text)).toEqual(owners)
    }),
  )
})
