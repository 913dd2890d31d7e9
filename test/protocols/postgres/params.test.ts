import fc from 'fast-check'
import { serialize } from 'pg-protocol'
import { expect, test } from 'vitest'
import {
  cutForRecord,
  PARAM_BYTES_MAX,
  parameterTexts,
} from '../../../src/protocols/postgres/params.ts'
import { readBind } from '../../../src/protocols/postgres/read.ts'

function texts(values: (string | Buffer | null)[], whole: boolean): readonly string[] {
  const frame = serialize.bind({ portal: '', statement: '', values }) as Buffer
  return parameterTexts(readBind(frame, 0, frame.length)!, frame, whole)
}

test('values are texts, binary ones in hex, and NULL is a word', () => {
  expect(texts(['a', null, Buffer.from([1, 255])], true)).toEqual(['a', 'NULL', '\\x01ff'])
})

test('a long value is cut and says so, unless rules will read it', () => {
  const long = 'x'.repeat(5000)
  expect(texts([long], false)[0]).toBe(`${'x'.repeat(PARAM_BYTES_MAX)}… (5000 bytes)`)
  expect(texts([long], true)[0]).toBe(long)
})

test('what is kept of all values together is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 200 }), (sizes) => {
      const values = sizes.map((size) => 'v'.repeat(size))
      const kept = cutForRecord(texts(values, false)).join('')
      expect(kept.length).toBeLessThan((64 << 10) + sizes.length * 40)
      expect(cutForRecord(texts(values, true)).join('').length).toBeLessThan(
        (64 << 10) + sizes.length * 40,
      )
    }),
    { numRuns: 30 },
  )
})

test('short values are recorded as they are', () => {
  const values = ['a', 'b']
  expect(cutForRecord(values)).toBe(values)
})
