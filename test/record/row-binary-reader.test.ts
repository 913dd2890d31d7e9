import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sink } from '../../src/record/row-binary.ts'
import { RowBinaryReader } from '../../src/record/row-binary-reader.ts'

/** A text of this many bytes, as row-binary.ts writes it. */
function text(size: number): Buffer {
  const sink = new Sink(16)
  sink.length(size)
  sink.put(Buffer.alloc(size, 0x61))
  return Buffer.from(sink.bytes.subarray(0, sink.size))
}

test('lengths of any size are read as they were written, and texts, numbers and booleans behind them', () => {
  const sizes = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]
  const number = Buffer.from('ffffffffffffff7f', 'hex')
  const bytes = Buffer.concat([...sizes.map(text), number, Buffer.from([1, 0])])
  const reader = new RowBinaryReader(bytes)
  for (const size of sizes) expect(reader.text().length).toBe(size)
  expect(reader.uint64()).toBe(2n ** 63n - 1n)
  expect([reader.bool(), reader.bool(), reader.isAtEnd]).toEqual([true, false, true])
  const other = new RowBinaryReader(bytes)
  for (const _ of sizes) other.skip('String')
  for (const type of ['UInt64', 'Bool', 'Bool']) other.skip(type)
  expect(other.isAtEnd).toBe(true)
})

test('lists and maps are skipped as a whole', () => {
  const list = Buffer.concat([Buffer.from([2]), text(3), text(200)])
  const map = Buffer.concat([Buffer.from([1]), text(5), Buffer.alloc(8)])
  const reader = new RowBinaryReader(Buffer.concat([list, map, Buffer.from([7])]))
  reader.skip('Array(String)')
  expect(reader.at).toBe(list.length)
  reader.skip('Map(String, UInt64)')
  expect(reader.at).toBe(list.length + map.length)
})

test('what is cut off, counts more than there is, or has no end, throws', () => {
  const whole = text(300)
  for (let size = 0; size < whole.length; size++)
    expect(() => new RowBinaryReader(whole.subarray(0, size)).text()).toThrow('cut off')
  for (const hex of ['80'.repeat(400), `${'80'.repeat(150)}00`, `${'ff'.repeat(9)}7f`, '808080'])
    expect(() => new RowBinaryReader(Buffer.from(hex, 'hex')).length()).toThrow('cut off')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      const reader = new RowBinaryReader(Buffer.from(noise))
      try {
        while (!reader.isAtEnd) reader.skip('Map(String, UInt64)')
        expect(reader.at).toBe(noise.length)
      } catch (error) {
        expect(String(error)).toContain('cut off')
      }
    }),
  )
})
