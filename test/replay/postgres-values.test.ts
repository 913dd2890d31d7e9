import { expect, test } from 'vitest'
import { binaryValue, typeName } from '../../src/replay/postgres-values.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** As `SELECT v::type, encode(typesend(v), 'hex')` writes them on PostgreSQL 15. */
const KNOWN: readonly [oid: number, bytes: string, text: string][] = [
  [16, '01', 't'],
  [20, '8000000000000000', '-9223372036854775808'],
  [21, 'ffff', '-1'],
  [23, '0000002a', '42'],
  [26, 'ffffffff', '4294967295'],
  [700, '3dcccccd', '0.1'],
  [701, '7ff8000000000000', 'NaN'],
  [701, 'fff0000000000000', '-Infinity'],
  [1082, '00000000', '2000-01-01'],
  [1082, 'ffffe49e', '1980-10-22'],
  [1082, '7fffffff', 'infinity'],
  [1114, 'ffffffffffffffff', '1999-12-31 23:59:59.999999'],
  [1184, '0000000000000000', '2000-01-01 00:00:00+00'],
  [1184, '7fffffffffffffff', 'infinity'],
  [1700, '0003 0001 0000 0002 0001 0929 1388', '12345.50'],
  [1700, '0001 ffff 4000 0004 0001', '-0.0001'],
  [1700, '0000 0000 0000 0000', '0'],
  [1700, '0001 0001 0000 0000 0005', '50000'],
  [1700, '0000 0000 c000 0000', 'NaN'],
  [2950, '77777777aaaa4aaa8aaa777777777777', '77777777-aaaa-4aaa-8aaa-777777777777'],
  [3802, '017b7d', '{}'],
  [17, '00ff', '\\x00ff'],
]

test('known types are shown as PostgreSQL writes them', () => {
  for (const [oid, bytes, text] of KNOWN)
    expect([typeName(oid), binaryValue(oid, hex(bytes))]).toEqual([typeName(oid), text])
})

test('what is unknown, or none of its type, is shown in hex', () => {
  expect(binaryValue(600, hex('0001'))).toEqual({ hex: '0001' })
  expect(binaryValue(23, hex('01'))).toEqual({ hex: '01' })
  expect(binaryValue(25, hex('ff00'))).toEqual({ hex: 'ff00' })
  expect(binaryValue(1700, hex('ffff00000000000a'))).toEqual({ hex: 'ffff00000000000a' })
  expect(binaryValue(3802, hex('027b7d'))).toEqual({ hex: '027b7d' })
  expect(typeName(600)).toBe('600')
})

test('no bytes of any type throw', () => {
  for (const oid of [16, 17, 20, 21, 23, 25, 26, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802])
    for (let size = 0; size < 20; size++)
      for (const fill of [0, 0x7f, 0x80, 0xff])
        expect(binaryValue(oid, Buffer.alloc(size, fill))).toBeDefined()
})
