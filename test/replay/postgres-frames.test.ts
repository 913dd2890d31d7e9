import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FRAME_BYTES_KEPT, FrameReader } from '../../src/replay/postgres-frames.ts'
import { columns, frame, READY, tag, values } from './rows.ts'

const STREAM = Buffer.concat([
  columns([{ name: 'a' }]),
  values(['1', null]),
  tag('SELECT 1'),
  READY,
])

test('messages are the same however the record is cut', () => {
  const whole = new FrameReader().push(STREAM)
  expect(whole).toHaveLength(4)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (size) => {
      const reader = new FrameReader()
      const found = []
      for (let at = 0; at < STREAM.length; at += size)
        found.push(...reader.push(STREAM.subarray(at, at + size)))
      expect(found).toEqual(whole)
      expect(reader.end()).toBe(0)
    }),
  )
})

test('of a long message the beginning is kept, and its size is told', () => {
  const reader = new FrameReader()
  const body = Buffer.alloc(FRAME_BYTES_KEPT + 1000, 'x')
  const [long, next] = reader.push(Buffer.concat([frame('D', body), READY]))
  expect(long).toMatchObject({ size: body.length })
  expect((long as { body: Buffer }).body.length).toBe(FRAME_BYTES_KEPT)
  expect(next).toMatchObject({ kind: 0x5a })
})

test('what is cut off is told and forgotten; what is no message is said to be none', () => {
  const reader = new FrameReader()
  expect(reader.push(STREAM.subarray(0, 8))).toEqual([])
  expect(reader.end()).toBe(8)
  expect(reader.push(READY)).toHaveLength(1)
  expect(reader.push(Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff, 1]))).toBe('malformed')
})
