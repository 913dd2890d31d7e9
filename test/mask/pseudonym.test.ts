import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  oneWayText,
  openBytes,
  openText,
  openUuid,
  PREFIX,
  type PseudonymDomain,
  pseudonymDomain,
  pseudonymLength,
  sealBytes,
  sealText,
  sealUuid,
} from '../../src/mask/pseudonym.ts'

const KEY = Buffer.alloc(32, 7)
const person = pseudonymDomain(KEY, 'person')
const order = pseudonymDomain(KEY, 'order')
const UUID = Buffer.from('77777777aaaa4aaa8aaa777777777777', 'hex')

function sealed(value: string, domain: PseudonymDomain = person, lengthMax = 0): string {
  return sealText(Buffer.from(value), domain, lengthMax)!.toString()
}

test('a text comes back from its pseudonym, and from no other', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
      const pseudonym = sealed(one)
      expect(pseudonym).toMatch(/^pn_[a-z2-7]{13,}$/)
      expect(pseudonym).toHaveLength(pseudonymLength(Buffer.byteLength(one)))
      expect(openText(pseudonym, person)?.toString()).toBe(Buffer.from(one).toString())
      expect(sealed(other) === pseudonym).toBe(Buffer.from(other).equals(Buffer.from(one)))
    }),
  )
})

test('the same value has the same pseudonym under the same key and domain only', () => {
  expect(sealed('a@b.example')).toBe(sealed('a@b.example', pseudonymDomain(KEY, 'person')))
  expect(sealed('a@b.example')).toBe(
    sealed('a@b.example', pseudonymDomain(Buffer.alloc(32, 7), 'person')),
  )
  expect(sealed('a@b.example', order)).not.toBe(sealed('a@b.example'))
  const other = pseudonymDomain(Buffer.alloc(32, 8), 'person')
  expect(sealed('a@b.example', other)).not.toBe(sealed('a@b.example'))
  expect(openText(sealed('a@b.example', order), person)).toBeUndefined()
  expect(openText(sealed('a@b.example', other), person)).toBeUndefined()
})

test('whatever nobody with the key made does not open', () => {
  const pseudonym = sealed('alice@example.com')
  for (const no of ['', 'alice@example.com', PREFIX, 'pn_aaaaaaaaaaaaa', pseudonym.toUpperCase()]) {
    expect(openText(no, person)).toBeUndefined()
  }
  for (let at = 0; at < pseudonym.length; at++) {
    const other = pseudonym[at] === 'c' ? 'd' : 'c'
    const bent = pseudonym.substring(0, at) + other + pseudonym.substring(at + 1)
    expect(openText(bent, person)).toBeUndefined()
    expect(openText(pseudonym.substring(0, at), person)).toBeUndefined()
  }
  for (const more of ['a', ' ', '=', '\0'])
    expect(openText(pseudonym + more, person)).toBe(undefined)
})

test('one pseudonym has one spelling', () => {
  // 8 + 1 bytes are 15 digits with three bits left over.
  const pseudonym = sealed('x')
  const last = pseudonym.at(-1)!
  for (const digit of 'abcdefghijklmnopqrstuvwxyz234567') {
    const opened = openText(pseudonym.substring(0, pseudonym.length - 1) + digit, person)
    expect(opened?.toString()).toBe(digit === last ? 'x' : undefined)
  }
})

test('what does not fit the type leads back to nothing', () => {
  const value = Buffer.from('alice@example.com')
  const length = pseudonymLength(value.length)
  expect(sealText(value, person, length)).toHaveLength(length)
  expect(sealText(value, person, length - 1)).toBeUndefined()
  expect(oneWayText(value, person, 5).toString()).toMatch(/^[a-z2-7]{5}$/)
  expect(oneWayText(value, person, 0)).toHaveLength(16)
  expect(oneWayText(value, person, 0)).toEqual(oneWayText(value, person, 99))
  expect(oneWayText(value, person, 0)).not.toEqual(oneWayText(value, order, 0))
})

test('bytes come back, and only of this domain', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      const pseudonym = sealBytes(value, person)
      expect(openBytes(pseudonym, person)).toEqual(Buffer.from(value))
      expect(openBytes(pseudonym, order)).toBeUndefined()
      expect(openBytes(pseudonym.subarray(1), person)).toBeUndefined()
      pseudonym[pseudonym.length - 1]! ^= 1
      expect(openBytes(pseudonym, person)).toBeUndefined()
    }),
  )
})

const uuids = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .chain((raw) => fc.integer({ min: 1, max: 8 }).map((version) => ({ raw, version })))
  .map(({ raw, version }) => {
    const uuid = Buffer.from(raw)
    uuid[6] = (version << 4) | (uuid[6]! & 15)
    uuid[8] = 0x80 | (uuid[8]! & 63)
    return uuid
  })

test('a UUID of RFC 9562 becomes one that no such UUID is, and comes back', () => {
  fc.assert(
    fc.property(uuids, (uuid) => {
      const pseudonym = sealUuid(uuid, person)!
      expect(pseudonym[8]! >> 5).toBe(7)
      expect(openUuid(pseudonym, person)).toEqual(uuid)
      expect(openUuid(uuid, person)).toBeUndefined()
      expect(sealUuid(pseudonym, person)).toBeUndefined()
      expect(sealUuid(uuid, order)).not.toEqual(pseudonym)
    }),
  )
})

test('every UUID of that variant is the pseudonym of exactly one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (raw) => {
      const pseudonym = Buffer.from(raw)
      pseudonym[8] = 0xe0 | (pseudonym[8]! & 31)
      expect(sealUuid(openUuid(pseudonym, person)!, person)).toEqual(pseudonym)
    }),
  )
})

test('UUIDs without a version have no pseudonym', () => {
  expect(sealUuid(Buffer.alloc(16), person)).toBeUndefined()
  expect(sealUuid(Buffer.alloc(16, 0xff), person)).toBeUndefined()
  expect(sealUuid(UUID.subarray(1), person)).toBeUndefined()
  expect(openUuid(UUID.subarray(1), person)).toBeUndefined()
})
