import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SEAL_BYTES } from '../../src/record/ratchet.ts'
import {
  BLOCK_HEAD,
  joinRows,
  readSegment,
  type SegmentContent,
  sealBlock,
  segmentHeader,
} from '../../src/record/segment.ts'
import { BlockEncryptor, openingOf } from '../../src/record/segment-cipher.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { spoolKeyId } from '../../src/record/spool-key.ts'

const key = randomBytes(32)
const KEY = { id: spoolKeyId(key), key }
const RUN = makeRunKey(KEY)
const KEYS = new SpoolKeys([KEY])

/** As many rows as its place says. */
const BODIES = ['the first rows', 'second', 'a third block of rows', '4th'].map((text) =>
  Buffer.from(text.repeat(9)),
)

function block(body: Uint8Array, rows: number): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(BLOCK_HEAD), body])
  sealBlock(bytes, rows)
  return bytes
}

const seal = block(Buffer.alloc(SEAL_BYTES - BLOCK_HEAD, 7), 0)

function written(): { header: Buffer; blocks: Buffer[]; bytes: Buffer } {
  const cipher = new BlockEncryptor(RUN, segmentHeader(3, '01HXYZ', 'encrypted'))
  const blocks = BODIES.map((body, at) => cipher.encrypted(block(body, at + 1)))
  blocks.splice(2, 0, seal)
  return { header: cipher.header, blocks, bytes: Buffer.concat([cipher.header, ...blocks]) }
}

const WHOLE = written()

function read(bytes: Buffer, keys = KEYS): SegmentContent | 'foreign' {
  const opening = openingOf(bytes, keys)
  if ('locked' in opening) throw new Error(`locked by ${opening.locked}`)
  return readSegment(bytes, undefined, opening.opener)
}

function rowsOf(content: SegmentContent | 'foreign'): string {
  if (content === 'foreign') return ''
  return joinRows({ ...content, bytes: Buffer.from(content.bytes) }).toString()
}

test('what was written is read back, seals over the bytes as they stand in the file', () => {
  const content = read(WHOLE.bytes)
  expect(content).toMatchObject({
    header: { instance: '01HXYZ', thread: 3 },
    rows: 10,
    end: WHOLE.bytes.length,
    torn: 0,
    damaged: 0,
  })
  expect(rowsOf(content)).toBe(BODIES.join(''))
  if (content === 'foreign') throw new Error('foreign')
  const [only] = content.seals
  expect(only!.block).toBe(2)
  const covered = WHOLE.bytes.subarray(0, WHOLE.header.length + WHOLE.blocks[0]!.length)
  expect(only!.covers.subarray(0, covered.length)).toEqual(covered)
})

test('nothing of the rows stands in it', () => {
  for (const body of BODIES) {
    expect(WHOLE.bytes.includes(body.subarray(0, 4))).toBe(false)
    expect(WHOLE.bytes.includes(body)).toBe(false)
  }
})

test('without its key it is locked, and without an opener it is foreign; a clear one needs neither', () => {
  expect(openingOf(WHOLE.bytes, new SpoolKeys())).toEqual({ locked: KEY.id.toString('hex') })
  expect(readSegment(WHOLE.bytes)).toBe('foreign')
  const clear = Buffer.concat([segmentHeader(3, 'I', 'sealed'), block(BODIES[0]!, 2)])
  expect(rowsOf(read(clear))).toBe(BODIES[0]!.toString())
  expect(rowsOf(read(clear, new SpoolKeys()))).toBe(BODIES[0]!.toString())
})

test('cut anywhere, every whole block before the cut is kept, and nothing of it is damage', () => {
  const ends = WHOLE.blocks.map((_, at) =>
    WHOLE.blocks.slice(0, at + 1).reduce((sum, one) => sum + one.length, WHOLE.header.length),
  )
  const cuts = fc.integer({ min: WHOLE.header.length, max: WHOLE.bytes.length })
  fc.assert(
    fc.property(cuts, fc.nat(200), (size, room) => {
      // Torn off, and zeros to the end of the room that was reserved.
      const bytes = Buffer.concat([WHOLE.bytes.subarray(0, size), Buffer.alloc(room)])
      const content = read(bytes)
      const whole = ends.filter((end) => end <= size).length
      const texts = BODIES.slice(0, whole > 2 ? whole - 1 : whole)
      expect(rowsOf(content)).toBe(texts.join(''))
      expect(content).toMatchObject({ end: ends[whole - 1] ?? WHOLE.header.length, damaged: 0 })
    }),
    { numRuns: 400 },
  )
})

test('a header that is cut is no header', () => {
  for (let size = 0; size < WHOLE.header.length; size++)
    expect(read(WHOLE.bytes.subarray(0, size))).toBe('foreign')
})

/** Whoever can write there knows how a checksum is made. */
function checked(bytes: Buffer): Buffer {
  let at = WHOLE.header.length
  while (at + BLOCK_HEAD <= bytes.length) {
    const next = at + BLOCK_HEAD + bytes.readUInt32BE(at)
    if (next > bytes.length) break
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 8, next)) >>> 0, at + 4)
    at = next
  }
  return bytes
}

test('no byte of a block can change without being noticed, its checksum made good or not', () => {
  const flip = fc.tuple(
    fc.integer({ min: WHOLE.header.length, max: WHOLE.bytes.length - 1 }),
    fc.integer({ min: 1, max: 255 }),
    fc.boolean(),
  )
  // The body of a seal is the ratchet's to judge.
  const start = WHOLE.header.length + WHOLE.blocks[0]!.length + WHOLE.blocks[1]!.length
  const isInSeal = (at: number) => at >= start + BLOCK_HEAD && at < start + SEAL_BYTES
  fc.assert(
    fc.property(flip, ([at, mask, isClever]) => {
      fc.pre(!isInSeal(at))
      const changed = Buffer.from(WHOLE.bytes)
      changed[at] = changed[at]! ^ mask
      const content = read(isClever ? checked(changed) : changed)
      if (content === 'foreign') throw new Error('foreign')
      const isWhole = content.rows === 10 && content.torn === 0 && content.damaged === 0
      // A checksum alone that is made good again is as it was.
      if (Buffer.compare(changed, WHOLE.bytes) !== 0) expect(isWhole).toBe(false)
      // What is read is what was written, or nothing.
      for (let i = 0; i < content.blocks.length; i += 2) {
        const rows = content.bytes.subarray(content.blocks[i], content.blocks[i + 1])
        expect(BODIES.some((body) => body.equals(rows))).toBe(true)
      }
    }),
    { numRuns: 1000 },
  )
})

test('a block that was changed in the middle or at the end is damage, and never torn off', () => {
  for (const at of [0, 1, 3, 4]) {
    const bytes = Buffer.from(WHOLE.bytes)
    const start = WHOLE.blocks.slice(0, at).reduce((sum, one) => sum + one.length, 0)
    bytes[WHOLE.header.length + start + BLOCK_HEAD + 10]! ^= 1
    const content = read(checked(bytes))
    expect(content).toMatchObject({ torn: 0, damaged: 1, end: bytes.length })
  }
})

test('blocks that are gone, swapped, doubled, or dressed up as seals are noticed', () => {
  const { header, blocks } = WHOLE
  const made = (...list: (Buffer | undefined)[]) => Buffer.concat([header, ...(list as Buffer[])])
  const [a, b, , c, d] = blocks
  // Of the length of a block of rows, and said to hold none.
  const dressed = Buffer.from(b!)
  sealBlock(dressed, 0)
  for (const bytes of [
    made(b, seal, c, d),
    made(a, seal, c, d),
    made(b, a, seal, c, d),
    made(a, a, b, seal, c, d),
    made(a, dressed, seal, c, d),
    made(a, b, seal, c, d, written().blocks[0]),
  ]) {
    const content = read(bytes)
    expect(content !== 'foreign' && content.damaged).toBeGreaterThan(0)
    expect(content !== 'foreign' && content.torn).toBe(0)
  }
})

test('noise is never rows, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(rowsOf(read(Buffer.concat([WHOLE.header, noise])))).toBe('')
      read(Buffer.from(noise))
    }),
  )
})

test('read in pieces is the same as read at once', () => {
  const bytes = Buffer.concat([WHOLE.bytes, Buffer.alloc(40)])
  const whole = read(bytes)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: WHOLE.header.length, max: bytes.length })), (cuts) => {
      const opening = openingOf(bytes, KEYS)
      if ('locked' in opening) throw new Error('locked')
      let content: SegmentContent | undefined
      for (const size of [...cuts.sort((a, b) => a - b), bytes.length]) {
        const got = readSegment(bytes.subarray(0, size), content, opening.opener)
        content = got === 'foreign' ? undefined : got
      }
      expect(rowsOf(content!)).toBe(rowsOf(whole))
      const { bytes: _, ...facts } = content!
      expect(facts).toEqual(whole !== 'foreign' && { ...whole, bytes: undefined, ...facts })
      expect(content).toMatchObject({ damaged: 0, rows: 10, torn: 40 })
    }),
  )
})
