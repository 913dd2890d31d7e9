import { expect, test } from 'vitest'
import { readRowDescription } from '../../../src/protocols/postgres/read.ts'
import { NOTED, notedFrame } from '../../../src/protocols/postgres/record-frames.ts'
import { build } from '../../contract/frames.ts'
import { columns } from '../../contract/stage.ts'

const described = build(
  'RowDescription id=customers.id:int4 name=customers.name:text',
  'down',
  columns,
)

function formats(frame: Buffer): readonly number[] | undefined {
  return readRowDescription(frame, 0, frame.length)?.map(({ format }) => format)
}

test('is the description with the formats of the Bind, and no message of a target', () => {
  expect(formats(notedFrame(described, [1]))).toEqual([1, 1])
  expect(formats(notedFrame(described, [0, 1]))).toEqual([0, 1])
  expect(formats(notedFrame(described, []))).toEqual([0, 0])
  expect(notedFrame(described, [1])[0]).toBe(NOTED)
  expect(notedFrame(described, undefined).subarray(1)).toEqual(described.subarray(1))
})

test('leaves what it was made of as it was', () => {
  const before = Buffer.from(described)
  notedFrame(described, [1])
  expect(described).toEqual(before)
})
