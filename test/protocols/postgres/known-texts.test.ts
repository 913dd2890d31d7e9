import fc from 'fast-check'
import { expect, test } from 'vitest'
import { statementText } from '../../../src/protocols/postgres/known-texts.ts'

const long = (word: string, length: number): string => word.repeat(length).substring(0, length)

test('a text is what its bytes say, whatever came before it', () => {
  const text = fc
    .tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.integer({ min: 1, max: 400 }))
    .map(([word, times]) => word.repeat(times))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), (texts) => {
      for (const one of [...texts, ...texts]) {
        const bytes = Buffer.from(`x${one}\0`)
        expect(statementText(bytes, 1, bytes.length - 1)).toBe(
          bytes.toString('utf8', 1, bytes.length - 1),
        )
      }
    }),
    { numRuns: 300 },
  )
})

test('bytes that are no UTF-8 are read as they always are', () => {
  const bytes = Buffer.alloc(600, 0xc3)
  for (const _ of [1, 2]) expect(statementText(bytes, 0, 600)).toBe(bytes.toString('utf8'))
})

test('the memory of a text that came is its own', () => {
  const bytes = Buffer.from(long('SELECT a, ', 700))
  expect(statementText(bytes, 0, 700)).toBe(long('SELECT a, ', 700))
  bytes.write('DELETE')
  expect(statementText(bytes, 0, 700)).toMatch(/^DELETE/)
  bytes.write('SELECT')
  expect(statementText(bytes, 0, 700)).toMatch(/^SELECT/)
})

test('texts of one length take turns', () => {
  const one = Buffer.from(long('one, ', 1000))
  const other = Buffer.from(long('two, ', 1000))
  for (let round = 0; round < 3; round++)
    for (const bytes of [one, other]) expect(statementText(bytes, 0, 1000)).toBe(bytes.toString())
})
