import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink, copy, same, zeroAt } from '../../src/base/bytes.ts'

test('a copy does not change when its source is reused', () => {
  const source = Buffer.from('abcdef')
  const own = copy(source, 1, 4)
  source.fill(0)
  expect(own.toString()).toBe('bcd')
})

test('a span is the same only byte for byte, short or long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(199), (bytes, shift, at) => {
      const known = Buffer.from(bytes)
      const other = Buffer.concat([Buffer.alloc(shift, 9), known, Buffer.from([1])])
      const end = shift + known.length
      expect(same(known, other, shift, end)).toBe(true)
      expect(same(known, other, shift, end + 1)).toBe(false)
      if (at >= known.length) return
      other[shift + at] = other[shift + at]! ^ 1
      expect(same(known, other, shift, end)).toBe(false)
    }),
  )
})

test('a zero byte is found at any distance', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(60), (distance, more) => {
      const bytes = Buffer.concat([Buffer.alloc(distance, 1), Buffer.alloc(1 + more)])
      expect(zeroAt(bytes, 0)).toBe(distance)
      expect(zeroAt(bytes, 0, distance)).toBe(-1)
    }),
  )
})

test('the next zero byte is found within the bounds and nowhere else', () => {
  const bytes = Buffer.from('ab\0cd\0')
  expect(zeroAt(bytes, 0)).toBe(2)
  expect(zeroAt(bytes, 3)).toBe(5)
  expect(zeroAt(bytes, 3, 5)).toBe(-1)
  expect(zeroAt(bytes, 6)).toBe(-1)
})

test('a sink holds what was written, whatever its first capacity', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 30 })
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 300 }), (chunks, capacity) => {
      const sink = new ByteSink(capacity)
      for (const chunk of chunks) sink.append(chunk)
      expect(sink.view().equals(Buffer.concat(chunks))).toBe(true)
    }),
  )
})

test('a part of a source is appended, short or long', () => {
  const sink = new ByteSink(1)
  const source = Buffer.from(Array.from({ length: 200 }, (_, at) => at))
  sink.append(source, 3, 6)
  sink.append(source, 10, 150)
  expect(sink.view().equals(Buffer.concat([source.subarray(3, 6), source.subarray(10, 150)]))).toBe(
    true,
  )
})

test('numbers are big-endian and texts end with a zero byte', () => {
  const sink = new ByteSink(2)
  sink.u8(1)
  sink.u16(0x0203)
  sink.i32(-2)
  sink.zeroTerminated('é')
  expect([...sink.view()]).toEqual([1, 2, 3, 255, 255, 255, 254, 0xc3, 0xa9, 0])
  sink.clear()
  expect(sink.size).toBe(0)
})
