import { crc32 as zlib } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from '../../src/base/crc32.ts'

test('is what zlib says of any part, behind any other', () => {
  const bytes = fc.uint8Array({ maxLength: 500 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), bytes, fc.nat(9), (first, part, more) => {
      const within = Buffer.concat([Buffer.alloc(more, 1), part, Buffer.alloc(more, 2)])
      const sum = crc32(within, more, more + part.length, crc32(first, 0, first.length))
      expect(sum).toBe(zlib(Buffer.concat([first, part])))
    }),
  )
})

test('is what zlib says at every length around the call', () => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 151 + 7) & 255))
  for (let length = 0; length < 300; length++)
    expect(crc32(bytes, 0, length)).toBe(zlib(bytes.subarray(0, length)))
})

test('the check value of the catalogue of CRCs', () => {
  expect(crc32(Buffer.from('123456789'), 0, 9)).toBe(0xcbf43926)
})
