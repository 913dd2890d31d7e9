import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyedHash } from '../../src/base/keyed-hash.ts'

const key = fc.uint8Array({ minLength: 0, maxLength: 64 })
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
)

function node(under: Uint8Array, of: string): string {
  return createHmac('sha256', under).update(of).digest('hex')
}

test('is what Node makes of each text, one after the other under one key', () => {
  fc.assert(
    fc.property(key, fc.array(text, { maxLength: 6 }), (under, texts) => {
      const keyed = new KeyedHash(under)
      for (const one of texts) expect(keyed.hex(one)).toBe(node(under, one))
    }),
  )
})

test('is that of half a character too, as UTF-8 has it', () => {
  const keyed = new KeyedHash(Buffer.from('key'))
  expect(keyed.hex('a\ud800b')).toBe(node(Buffer.from('key'), 'a\ud800b'))
})

test.each([2729, 2730, 2731, 8191, 8192, 8193, 100_000])('is that of %i characters', (length) => {
  const keyed = new KeyedHash(Buffer.alloc(32, 7))
  for (const character of ['a', 'é', '€', '😀'])
    expect(keyed.hex(character.repeat(length))).toBe(
      node(Buffer.alloc(32, 7), character.repeat(length)),
    )
})

test('a test case of RFC 4231', () => {
  expect(new KeyedHash(Buffer.from('Jefe')).hex('what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('a key of more than a block is refused', () => {
  expect(() => new KeyedHash(Buffer.alloc(65))).toThrow(RangeError)
})
