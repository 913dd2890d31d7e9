import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyedWord } from '../../src/mask/keyed-word.ts'

const MOST = 2n ** 64n - 1n
const rotated = (word: bigint, by: bigint) => ((word << by) | (word >> (64n - by))) & MOST

/** The definition, in words of 64 bits. */
function reference(k0: bigint, k1: bigint, message: bigint): bigint {
  let v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint]
  const round = () => {
    let [a, b, c, d] = v
    a = (a + b) & MOST
    b = rotated(b, 13n) ^ a
    a = rotated(a, 32n)
    c = (c + d) & MOST
    d = rotated(d, 16n) ^ c
    a = (a + d) & MOST
    d = rotated(d, 21n) ^ a
    c = (c + b) & MOST
    b = rotated(b, 17n) ^ c
    v = [a, b, rotated(c, 32n), d]
  }
  for (const block of [message, 8n << 56n]) {
    v[3] ^= block
    round()
    round()
    v[0] ^= block
  }
  v[2] ^= 0xffn
  for (let left = 4; left > 0; left--) round()
  return v[0] ^ v[1] ^ v[2] ^ v[3]
}

const keyOf = (k0: bigint, k1: bigint) =>
  Uint32Array.of(
    Number(k0 & 0xffffffffn),
    Number(k0 >> 32n),
    Number(k1 & 0xffffffffn),
    Number(k1 >> 32n),
  )

test('the answer of the reference implementation for eight bytes', () => {
  // vectors_sip64 of the authors' reference, key 00…0f, message 00…07.
  const key = keyOf(0x0706050403020100n, 0x0f0e0d0c0b0a0908n)
  expect(reference(0x0706050403020100n, 0x0f0e0d0c0b0a0908n, 0x0706050403020100n)).toBe(
    0x93f5f5799a932462n,
  )
  expect(keyedWord(key, 0x03020100, 0x07060504)).toBe(0x9a932462)
})

test('the same as the definition, for any key and word', () => {
  const word = fc.bigInt({ min: 0n, max: MOST })
  fc.assert(
    fc.property(word, word, word, (k0, k1, message) => {
      const [low, high] = [Number(message & 0xffffffffn), Number(message >> 32n)]
      expect(keyedWord(keyOf(k0, k1), low, high)).toBe(
        Number(reference(k0, k1, message) & 0xffffffffn),
      )
    }),
  )
})
