import { expect, test } from 'vitest'
import type { FieldPlan } from '../../../src/mask/plan.ts'
import type { Transform } from '../../../src/mask/transform-spec.ts'
import { fieldMasker } from '../../../src/protocols/postgres/mask-value.ts'
import { column, context, detected } from '../../lib/mask-frames.ts'

const REDACT: Transform = { type: 'redact' }
const HASH: Transform = { type: 'hash' }
const UUID = '01234567-89ab-cdef-0123-456789abcdef'
const MAIL = 'alice@mail.example'

function mask(plan: FieldPlan, value: Buffer | string): Buffer | null | undefined {
  const masker = fieldMasker(plan, context())
  if (masker === undefined) return undefined
  const bytes = Buffer.concat([Buffer.from('<'), Buffer.from(value), Buffer.from('>')])
  if (masker.constant !== undefined) return masker.constant
  return masker.mask(bytes, 1, bytes.length - 1)
}

function jsonb(text: string): Buffer {
  return Buffer.concat([Buffer.of(1), Buffer.from(text)])
}

test('jsonb in binary keeps its version byte', () => {
  expect(mask(column('jsonb', REDACT, { format: 1 }), jsonb('{}'))).toEqual(jsonb('"****"'))
  expect(mask(column('jsonb', REDACT), '{}')).toEqual(Buffer.from('"****"'))
  const keep: Transform = { type: 'partial', keepFirst: 1, keepLast: 0 }
  expect(mask(column('jsonb', keep, { format: 1 }), jsonb('"abc"'))).toEqual(jsonb('"a**"'))
})

test('a uuid is hashed to the same uuid in text and binary, and what is none becomes NULL', () => {
  const raw = Buffer.from(UUID.replaceAll('-', ''), 'hex')
  const binary = mask(column('uuid', HASH, { format: 1 }), raw)
  const text = mask(column('uuid', HASH), UUID)
  expect(text?.toString()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(text?.toString().replaceAll('-', '')).toBe(binary?.toString('hex'))
  expect(mask(column('uuid', HASH), 'no uuid')).toBeNull()
  expect(mask(column('uuid', HASH, { format: 1 }), 'short')).toBeNull()
  expect(mask(column('uuid'), UUID)?.toString()).toBe('00000000-0000-0000-0000-000000000000')
  expect(mask(column('uuid', REDACT, { format: 1 }), raw)).toEqual(Buffer.alloc(16))
})

test('bytea is hashed alike in binary, hex and escape form', () => {
  const raw = Buffer.from('a\\b\u0001', 'latin1')
  const wanted = mask(column('bytea', HASH, { format: 1 }), raw)?.toString('hex')
  expect(mask(column('bytea', HASH), '\\x615c6201')?.toString()).toBe(`\\x${wanted}`)
  expect(mask(column('bytea', HASH), 'a\\\\b\\001')?.toString()).toBe(`\\x${wanted}`)
  expect(mask(column('bytea', HASH), 'a\\9')).toBeNull()
  expect(mask(column('bytea'), '\\x00')?.toString()).toBe('\\x')
})

test('types without a masked form become NULL, in both formats, whatever the transform', () => {
  for (const format of [0, 1]) {
    for (const transform of [REDACT, HASH, { type: 'fixed', value: '1' } as const]) {
      expect(mask(column('scalar', transform, { format }), '12')).toBeNull()
      expect(mask(column('other', transform, { format }), '12')).toBeNull()
      expect(mask(column('text-array', transform, { format }), '{a}')).toBeNull()
    }
  }
})

test('text is cut to the length of its type, and looks the same in text and binary', () => {
  expect(mask(column('text', REDACT, { lengthMax: 3 }), 'abcdef')?.toString()).toBe('***')
  expect(mask(column('text', HASH, { format: 1 }), 'a')).toEqual(mask(column('text', HASH), 'a'))
})

test('detectors look into json, jsonb, arrays of them, and text of unknown types', () => {
  const found = (plan: FieldPlan, value: Buffer | string) => mask(plan, value)?.toString()
  expect(found(detected('json'), `{"a":"${MAIL}"}`)).toBe('{"a":"****"}')
  expect(mask(detected('jsonb', 1), jsonb(`["${MAIL}"]`))).toEqual(jsonb('["****"]'))
  expect(found(detected('json-array'), `{"{\\"a\\": \\"${MAIL}\\"}"}`)).toBe(
    '{"{\\"a\\": \\"****\\"}"}',
  )
  expect(found(detected('text-array'), `{a,${MAIL}}`)).toBe('{a,"****"}')
  expect(found(detected('other'), `(1,"x ${MAIL}")`)).toBe('(1,"x ****")')
  expect(found(detected('text', 1), MAIL)).toBe('****')
})

test('where the inner form is unknown or broken a hit hides all', () => {
  expect(mask(detected('other', 1), `\u0000\u0001${MAIL}`)).toBeNull()
  expect(mask(detected('other', 1), 'nothing')).toBeUndefined()
  expect(mask(detected('jsonb', 1), `\u0002"${MAIL}"`)).toBeNull()
  expect(mask(detected('text-array'), `{"${MAIL}`)).toBeNull()
  expect(mask(detected('text-array', 1), `xx ${MAIL}`)).toBeNull()
})

test('types that hold no text are not read', () => {
  for (const family of ['scalar', 'uuid', 'bytea'] as const) {
    expect(fieldMasker(detected(family), context())).toBeUndefined()
  }
  expect(fieldMasker(undefined, context())).toBeUndefined()
})
