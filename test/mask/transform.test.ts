import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openBytes, openUuid, pseudonymDomain } from '../../src/mask/pseudonym.ts'
import {
  isConstant,
  transformBytes,
  transformJson,
  transformText,
  transformUuid,
  uuidBytes,
} from '../../src/mask/transform.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'

const KEY = Buffer.from('0123456789abcdef')
const PERSON: Transform = { type: 'pseudonym', domain: 'person' }
const KEEP_LAST: Transform = { type: 'partial', keepFirst: 0, keepLast: 4 }

function text(value: string, transform: Transform, lengthMax = 0): string | null {
  return transformText(Buffer.from(value), transform, { key: KEY, lengthMax })?.toString() ?? null
}

test('text follows the table of semantics §5', () => {
  expect(text('alice', { type: 'null' })).toBeNull()
  expect(text('alice', { type: 'redact' })).toBe('****')
  expect(text('alice', { type: 'redact' }, 2)).toBe('**')
  expect(text('alice', PERSON)).toMatch(/^pn_[a-z2-7]{21}$/)
  expect(text('alice', PERSON, 24)).toBe(text('alice', PERSON))
  expect(text('alice', PERSON, 23)).toMatch(/^[a-z2-7]{16}$/)
  expect(text('alice', PERSON, 3)).toMatch(/^[a-z2-7]{3}$/)
  expect(text('alice', { type: 'fixed', value: 'grün' }, 3)).toBe('grü')
  const wanted = createHmac('sha256', KEY).update('alice').digest('hex').substring(0, 16)
  expect(text('alice', { type: 'hash' })).toBe(wanted)
  expect(text('alice', { type: 'hash' }, 5)).toBe(wanted.substring(0, 5))
})

test('partial keeps code points and hides the rest one by one', () => {
  expect(text('4111111111111111', KEEP_LAST)).toBe('************1111')
  expect(text('äöü€𝄞abc', { type: 'partial', keepFirst: 2, keepLast: 1 })).toBe('äö*****c')
  expect(text('äöü€𝄞abc', { type: 'partial', keepFirst: 0, keepLast: 0 })).toBe('********')
})

test('partial that would show all of a value shows none of it', () => {
  expect(text('4111', KEEP_LAST)).toBe('****')
  expect(text('ab', KEEP_LAST)).toBe('**')
  expect(text('', KEEP_LAST)).toBe('')
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(9), fc.nat(9), (value, first, last) => {
      fc.pre(!value.includes('*'))
      const partial: Transform = { type: 'partial', keepFirst: first, keepLast: last }
      expect(text(value, partial)).not.toBe(value)
    }),
  )
})

test('what is no UTF-8 is hidden whole', () => {
  const value = Buffer.of(0xc3, 0x28, 0x41, 0x42, 0x43, 0x44, 0x45)
  const masked = transformText(value, KEEP_LAST, { key: KEY, lengthMax: 0 })
  expect(masked?.toString()).toBe('****')
})

test('json stays json, and partial looks into strings only', () => {
  const json = (value: string, transform: Transform): string | undefined =>
    transformJson(Buffer.from(value), transform, KEY)?.toString()
  expect(json('{"a":1}', { type: 'redact' })).toBe('"****"')
  expect(json('1', { type: 'fixed', value: 'a"b' })).toBe('"a\\"b"')
  expect(json('"x"', { type: 'hash' })).toMatch(/^"[0-9a-f]{16}"$/)
  expect(json('"\\u0034111 2222"', KEEP_LAST)).toBe('"*****2222"')
  expect(json('41112222', KEEP_LAST)).toBe('"****"')
  expect(json('{broken', KEEP_LAST)).toBe('"****"')
  expect(json('1', { type: 'null' })).toBeUndefined()
})

test('uuid and bytea become the zero value, one from the keyed hash, or NULL', () => {
  const uuid = Buffer.alloc(16, 7)
  expect(transformUuid(uuid, { type: 'redact' }, KEY)).toEqual(Buffer.alloc(16))
  expect(transformUuid(uuid, KEEP_LAST, KEY)).toEqual(Buffer.alloc(16))
  expect(transformUuid(uuid, { type: 'hash' }, KEY)).toHaveLength(16)
  expect(transformUuid(uuid, { type: 'null' }, KEY)).toBeNull()
  const fixed = '00000000-0000-4000-8000-000000000001'
  expect(transformUuid(uuid, { type: 'fixed', value: fixed }, KEY)).toEqual(uuidBytes(fixed))
  expect(transformUuid(uuid, { type: 'fixed', value: 'x' }, KEY)).toEqual(Buffer.alloc(16))
  expect(transformBytes(uuid, { type: 'redact' }, KEY)).toHaveLength(0)
  expect(transformBytes(uuid, { type: 'hash' }, KEY)).toHaveLength(8)
  expect(transformBytes(uuid, { type: 'fixed', value: 'x' }, KEY)?.toString()).toBe('x')
  expect(transformBytes(uuid, { type: 'null' }, KEY)).toBeNull()
})

test('a transform that is called constant does not look at the value', () => {
  const all: Transform[] = [{ type: 'null' }, { type: 'redact' }, { type: 'fixed', value: 'x' }]
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.string(), fc.string(), (transform, one, other) => {
      expect(isConstant(transform)).toBe(true)
      expect(text(one, transform)).toBe(text(other, transform))
    }),
  )
  expect(isConstant({ type: 'hash' })).toBe(false)
  expect(isConstant(KEEP_LAST)).toBe(false)
  expect(isConstant(PERSON)).toBe(false)
})

test('a pseudonym of char(n) is that of the text without its blanks', () => {
  const options = { key: KEY, lengthMax: 40, padded: true }
  const padded = transformText(Buffer.from('alice   '), PERSON, options)
  expect(padded?.toString()).toBe(text('alice', PERSON))
})

test('one who may write is shown no pseudonym that leads nowhere', () => {
  const options = { key: KEY, lengthMax: 10, toWriter: true }
  expect(transformText(Buffer.from('alice'), PERSON, options)?.toString()).toBe('****')
  const roomy = { ...options, lengthMax: 30 }
  expect(transformText(Buffer.from('alice'), PERSON, roomy)?.toString()).toBe(text('alice', PERSON))
})

test('pseudonyms of strings in JSON are those of the text; other JSON is redacted', () => {
  const json = (value: string) => transformJson(Buffer.from(value), PERSON, KEY)?.toString()
  expect(json('"alice"')).toBe(`"${text('alice', PERSON)}"`)
  expect(json('"al\\u0069ce"')).toBe(`"${text('alice', PERSON)}"`)
  for (const other of ['7', '{"a":"alice"}', 'null', 'true']) expect(json(other)).toBe('"****"')
})

test('pseudonyms of bytes and UUIDs lead back', () => {
  const domain = pseudonymDomain(KEY, 'person')
  const bytes = Buffer.from([0, 1, 255])
  expect(openBytes(transformBytes(bytes, PERSON, KEY)!, domain)).toEqual(bytes)
  const uuid = Buffer.from('0123456789ab4def8123456789abcdef', 'hex')
  expect(openUuid(transformUuid(uuid, PERSON, KEY)!, domain)).toEqual(uuid)
  expect(transformUuid(Buffer.alloc(16), PERSON, KEY)).toEqual(Buffer.alloc(16))
})
