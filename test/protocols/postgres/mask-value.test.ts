import { expect, test } from 'vitest'
import type { FieldPlan } from '../../../src/mask/plan.ts'
import type { Transform } from '../../../src/mask/transform-spec.ts'
import { fieldMasker } from '../../../src/protocols/postgres/mask-value.ts'
import { natureOf } from '../../../src/protocols/postgres/type-family.ts'
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

const PSEUDONYM: Transform = { type: 'pseudonym', domain: 'd' }

test('pseudonyms of numbers and dates keep their type, alike in text and binary', () => {
  const text = mask(column('int4', PSEUDONYM), '42')!.toString()
  const raw = Buffer.alloc(4)
  raw.writeInt32BE(42)
  expect(mask(column('int4', PSEUDONYM, { format: 1 }), raw)?.readInt32BE(0)).toBe(Number(text))
  expect(mask(column('date', PSEUDONYM), '1977-03-09')?.toString()).toMatch(/^\d{4}-\d\d-\d\d$/)
  for (const format of [0, 1]) {
    expect(mask(column('scalar', PSEUDONYM, { format }), '42')).toBeNull()
    expect(mask(column('array', PSEUDONYM, { format }), '{a}')).toBeNull()
    expect(mask(column('int4', HASH, { format }), '42')).toBeNull()
  }
})

test('pseudonyms of uuid and bytea are one value in text and binary', () => {
  const uuid = '01234567-89ab-4def-8123-456789abcdef'
  const raw = mask(
    column('uuid', PSEUDONYM, { format: 1 }),
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
  )
  expect(mask(column('uuid', PSEUDONYM), uuid)?.toString().replaceAll('-', '')).toBe(
    raw?.toString('hex'),
  )
  const bytes = mask(column('bytea', PSEUDONYM, { format: 1 }), 'ab')?.toString('hex')
  expect(mask(column('bytea', PSEUDONYM), '\\x6162')?.toString()).toBe(`\\x${bytes}`)
})

/** A binary array or row of texts and others, by the OIDs of their types. */
function row(...fields: [typeOid: number, value: string | Buffer | null][]): Buffer {
  const parts: Buffer[] = [i32(fields.length)]
  for (const [typeOid, value] of fields) {
    const bytes = value === null ? undefined : Buffer.from(value)
    parts.push(i32(typeOid), i32(bytes?.length ?? -1), bytes ?? Buffer.alloc(0))
  }
  return Buffer.concat(parts)
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function arrayOf(typeOid: number, value: Buffer): Buffer {
  const head = [1, 0, typeOid, 1, 1, value.length].map(i32)
  return Buffer.concat([...head, value])
}

test('detectors look into rows and arrays of any type by what a binary value names', () => {
  const types = (oid: number) => ({ name: oid === 16500 ? 'r' : 'x', kind: 'c', uses: [] })
  const plan = (family: 'array' | 'record', format: number) => {
    const inner = (typeOid: number) => natureOf({ typeOid }, types)
    return { ...detected(family, format), inner }
  }
  const inside = row([25, MAIL], [23, i32(7)], [3802, jsonb(`{"a":"${MAIL}"}`)], [25, null])
  const hidden = row([25, '****'], [23, i32(7)], [3802, jsonb('{"a":"****"}')], [25, null])
  expect(mask(plan('record', 1), inside)).toEqual(hidden)
  expect(mask(plan('array', 1), arrayOf(16500, inside))).toEqual(arrayOf(16500, hidden))
  expect(mask(plan('record', 1), row([16500, inside]))).toEqual(row([16500, hidden]))
  expect(mask(plan('record', 1), row([23, i32(7)]))).toBeUndefined()
  // What it holds is of a type that nobody knows, or it does not add up: hidden whole.
  expect(mask(plan('record', 1), row([3614, MAIL]))).toEqual(row([3614, null]))
  expect(mask(plan('record', 1), inside.subarray(0, -1))).toBeNull()
  expect(mask(plan('array', 1), arrayOf(16500, inside).subarray(0, -1))).toBeNull()
})

test('detectors look into rows and arrays of any type in text', () => {
  const found = (family: 'array' | 'record' | 'other', value: string) =>
    mask(detected(family), value)?.toString() ?? null
  expect(found('record', `(1,"a b ${MAIL}",,"")`)).toBe('(1,"a b ****",,"")')
  expect(found('array', `{"(1,${MAIL})",x}`)).toBe('{"(1,****)",x}')
  expect(found('array', `{"(1,\\"x ${MAIL}\\")"}`)).toBe('{"(1,\\"x ****\\")"}')
  // Escapes of JSON within a row.
  expect(found('record', `("{""a"": ""\\\\u0061lice@mail.example""}")`)).toMatch(/\*\*\*\*|^\(\)$/)
  expect(mask(detected('record'), '(1,"plain ""text""")')).toBeUndefined()
  expect(mask(detected('record'), `(1,"${MAIL}`)).toBeNull()
})
