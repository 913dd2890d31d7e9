import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowValues } from '../../src/replay/row-values.ts'

const COLUMNS = [
  ['a', 'String'],
  ['n', 'UInt64'],
  ['ts', "DateTime64(6, 'UTC')"],
  ['ok', 'Bool'],
  ['list', 'Array(String)'],
  ['map', 'Map(String, UInt64)'],
] as const

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const size = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from(size), bytes])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

const ROW = Buffer.concat([
  ...[text('é'.repeat(100)), number(7), number(1_000_000), Buffer.of(1)],
  ...[Buffer.of(2), text('x'), text(''), Buffer.of(1), text('email'), number(3)],
])

test('rows are read with their types', () => {
  const row = {
    a: 'é'.repeat(100),
    n: 7,
    ts: 1_000_000,
    ok: true,
    list: ['x', ''],
    map: { email: 3 },
  }
  expect(rowValues(Buffer.concat([ROW, ROW]), COLUMNS)).toEqual([row, row])
})

test('what is cut off or no rows at all is refused, and takes no room', () => {
  for (let end = 1; end < ROW.length; end++)
    expect(() => rowValues(ROW.subarray(0, end), COLUMNS)).toThrow('cut off')
  const forged = Buffer.concat([text('a'), number(1), number(1), Buffer.of(0)])
  const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])
  expect(() => rowValues(Buffer.concat([forged, huge]), COLUMNS)).toThrow('cut off')
  // A length without an end is none, however long somebody goes on with it.
  const endless = Buffer.concat([Buffer.alloc(200, 0x80), Buffer.of(0)])
  expect(() => rowValues(endless, COLUMNS)).toThrow('cut off')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        rowValues(Buffer.from(bytes), COLUMNS)
      } catch (error) {
        expect(String(error)).toContain('cut off')
      }
    }),
  )
})
