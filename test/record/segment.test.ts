import fc from 'fast-check'
import { expect, test } from 'vitest'
import { COLUMNS_HASH } from '../../src/record/columns.ts'
import {
  BLOCK_HEAD,
  joinRows,
  readSegment,
  type SegmentContent,
  sealBlock,
  segmentHeader,
} from '../../src/record/segment.ts'

function block(body: Uint8Array, rows: number): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(BLOCK_HEAD), body])
  sealBlock(bytes, rows)
  return bytes
}

function rowsOf({ bytes, blocks }: SegmentContent): Buffer[] {
  return blocks.flatMap((end, at) => (at % 2 === 0 ? [] : [bytes.subarray(blocks[at - 1], end)]))
}

const HEADER = segmentHeader(3, '01HXYZ')
const BODIES = [
  Buffer.from('first'),
  Buffer.from('second block'),
  Buffer.alloc(0),
  Buffer.from('4'),
]
const WHOLE = Buffer.concat([HEADER, ...BODIES.map((body, i) => block(body, i + 1))])

test('what was written is read back', () => {
  const content = readSegment(WHOLE)
  expect(content).toMatchObject({
    header: { instance: '01HXYZ', thread: 3, columns: COLUMNS_HASH },
    rows: 10,
    end: WHOLE.length,
    torn: 0,
    damaged: 0,
  })
  expect(content !== 'foreign' && rowsOf(content).map(String)).toEqual(BODIES.map(String))
  expect(
    content !== 'foreign' && joinRows({ ...content, bytes: Buffer.from(WHOLE) }).toString(),
  ).toBe(BODIES.join(''))
})

test('cut off after any byte, every whole block before the cut is kept and the rest is torn', () => {
  for (let size = HEADER.length; size <= WHOLE.length; size++) {
    const content = readSegment(WHOLE.subarray(0, size))
    if (content === 'foreign') throw new Error('foreign')
    const ends = BODIES.map(
      (_, i) =>
        HEADER.length +
        BODIES.slice(0, i + 1).reduce((sum, body) => sum + BLOCK_HEAD + body.length, 0),
    )
    expect(rowsOf(content)).toHaveLength(ends.filter((end) => end <= size).length)
    expect(content.end + content.torn).toBe(size)
    expect(content.damaged).toBe(0)
  }
})

test('read in pieces is the same as read at once, with seals and damage', () => {
  const damaged = block(Buffer.from('damaged'), 1)
  damaged[BLOCK_HEAD] = 0
  const seal = block(Buffer.from('a seal'), 0)
  const blocks = BODIES.map((body, i) => block(body, i + 1))
  const bytes = Buffer.concat([
    HEADER,
    blocks[0]!,
    seal,
    damaged,
    ...blocks,
    seal,
    Buffer.alloc(40),
  ])
  const whole = readSegment(bytes)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      let content: SegmentContent | undefined
      for (const size of [...cuts.sort((a, b) => a - b), bytes.length]) {
        const read = readSegment(bytes.subarray(0, size), content)
        content = read === 'foreign' ? undefined : read
      }
      expect(content).toEqual(whole)
    }),
  )
})

test('a file without a whole header, or of another version, is foreign', () => {
  for (let size = 0; size < HEADER.length; size++) {
    expect(readSegment(WHOLE.subarray(0, size))).toBe('foreign')
  }
  const other = Buffer.from(WHOLE)
  other[9] = 3
  expect(readSegment(other)).toBe('foreign')
})

test('a changed byte in a block loses that block only, and is noticed', () => {
  const changed = Buffer.from(WHOLE)
  const at = HEADER.length + BLOCK_HEAD
  changed[at] = changed[at]! ^ 1
  expect(readSegment(changed)).toMatchObject({ rows: 9, damaged: 1, torn: 0 })
})

test('no byte can change without being noticed, and noise never throws', () => {
  const flip = fc.tuple(
    fc.integer({ min: HEADER.length, max: WHOLE.length - 1 }),
    fc.integer({ min: 1, max: 255 }),
  )
  fc.assert(
    fc.property(flip, ([at, mask]) => {
      const changed = Buffer.from(WHOLE)
      changed[at] = changed[at]! ^ mask
      const content = readSegment(changed)
      expect(content !== 'foreign' && content.rows === 10 && content.torn === 0).toBe(false)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      readSegment(Buffer.concat([HEADER, noise]))
      readSegment(Buffer.from(noise))
    }),
  )
})
