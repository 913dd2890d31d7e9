import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pseudonymDomain } from '../../../src/mask/pseudonym.ts'
import {
  isNumber,
  type NumberFamily,
  pseudonymNumber,
} from '../../../src/protocols/postgres/mask-number.ts'

const domain = pseudonymDomain(Buffer.alloc(32, 7), 'd')

function text(value: string, family: NumberFamily): string | null {
  return pseudonymNumber(Buffer.from(value), { family, format: 0 }, domain)?.toString() ?? null
}

function binary(value: Buffer, family: NumberFamily): Buffer | null {
  return pseudonymNumber(value, { family, format: 1 }, domain)
}

test('an integer has one pseudonym in text and binary, in the range of its type', () => {
  const most = 2n ** 63n
  fc.assert(
    fc.property(fc.bigInt({ min: -most, max: most - 1n }), (value) => {
      const raw = Buffer.alloc(8)
      raw.writeBigInt64BE(value)
      expect(binary(raw, 'int8')?.readBigInt64BE().toString()).toBe(text(`${value}`, 'int8'))
      const int4 = raw.subarray(4)
      expect(`${binary(int4, 'int4')?.readInt32BE()}`).toBe(text(`${int4.readInt32BE()}`, 'int4'))
      const int2 = raw.subarray(6)
      expect(`${binary(int2, 'int2')?.readInt16BE()}`).toBe(text(`${int2.readInt16BE()}`, 'int2'))
    }),
  )
})

test('a date has one pseudonym in text and binary, and it is a date', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(dates, (date) => {
      const day = date.toISOString().substring(0, 10)
      const mixed = text(day, 'date')!
      expect(mixed).toMatch(/^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$/)
      expect(new Date(`${mixed}T00:00:00Z`).toISOString().substring(0, 10)).toBe(mixed)
      const raw = Buffer.alloc(4)
      raw.writeInt32BE((Date.parse(`${day}T00:00:00Z`) - Date.UTC(2000, 0, 1)) / 86_400_000)
      const shown = binary(raw, 'date')!.readInt32BE() * 86_400_000 + Date.UTC(2000, 0, 1)
      expect(new Date(shown).toISOString().substring(0, 10)).toBe(mixed)
    }),
  )
})

test('what is not written as its type says, or has no pseudonym, becomes NULL', () => {
  for (const value of ['', 'x', '1.5', '1e3', '99999999999']) expect(text(value, 'int4')).toBeNull()
  for (const value of ['infinity', '-infinity', '0044-03-15 BC', '10000-01-01', '09.03.1977']) {
    expect(text(value, 'date')).toBeNull()
  }
  expect(binary(Buffer.alloc(3), 'int4')).toBeNull()
  expect(binary(Buffer.alloc(8), 'date')).toBeNull()
  expect(binary(Buffer.from('7fffffff', 'hex'), 'date')).toBeNull()
})

test('families with a pseudonym of their own kind', () => {
  expect((['int2', 'int4', 'int8', 'date'] as const).every(isNumber)).toBe(true)
  expect(isNumber('scalar') || isNumber('text')).toBe(false)
})
