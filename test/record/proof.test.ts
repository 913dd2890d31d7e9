import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  type Head,
  headText,
  hintsDigest,
  isSigned,
  keyId,
  leafNumber,
  leafText,
  newSigningKey,
  readHead,
  signingKey,
  signKey,
  signText,
  textHash,
} from '../../src/record/proof.ts'

const HEAD: Head = {
  chain: 'g.1',
  number: 3,
  size: 9,
  root: 'aa',
  at: 5,
  instance: 'i',
  kind: 'run',
  previous: 'bb',
  retention: 400,
  key: 'k',
}

test('a head is read as it was written, and nothing else is a head', () => {
  expect(readHead(headText(HEAD))).toEqual(HEAD)
  for (const text of ['', '{}', '[]', '["sluice-head-1"]', headText(HEAD).replace('9', '"9"')])
    expect(readHead(text)).toBeUndefined()
})

test('a leaf says its number', () => {
  const run = {
    session: 's',
    connection: 'c',
    first: 1,
    last: 2,
    events: 'e',
    contents: 'c',
    hints: '0011',
  }
  const leaf = {
    chain: 'g',
    n: 7,
    at: 1,
    segment: 'x',
    run,
    salt: new Uint8Array(16),
    proof: 'live',
  } as const
  expect(leafNumber(leafText(leaf))).toBe(7)
  expect(leafNumber(headText(HEAD))).toBeUndefined()
})

test('checksums are salted', () => {
  expect(hintsDigest(new Uint8Array(16), 'aa')).not.toBe(
    hintsDigest(new Uint8Array(16).fill(1), 'aa'),
  )
})

test('a signature is of one text and one key', () => {
  const [key, other] = [newSigningKey(), signingKey(generateKeyPairSync('ed25519').privateKey)]
  const signature = signText('text', key)
  expect(isSigned('text', signature, key.public)).toBe(true)
  expect(isSigned('text.', signature, key.public)).toBe(false)
  expect(isSigned('text', signature, other.public)).toBe(false)
  expect(isSigned('text', 'nonsense', 'nonsense')).toBe(false)
  expect(key.id).toBe(keyId(Buffer.from(key.public, 'base64')))
})

test('a key is signed by the one before', () => {
  const [first, second] = [newSigningKey(), newSigningKey()]
  const { text, signature } = signKey(second, first, { chain: 'g', at: 1 })
  expect(isSigned(text, signature, first.public)).toBe(true)
  expect(JSON.parse(text)).toEqual(['sluice-key-1', 'g', second.id, second.public, 1, first.id])
  expect(textHash(text)).toMatch(/^[0-9a-f]{64}$/)
})
