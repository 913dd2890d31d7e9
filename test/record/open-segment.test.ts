import { hash } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OpenSegment } from '../../src/record/open-segment.ts'
import { BLOCK_HEAD, readSegment, sealBlock, segmentHeader } from '../../src/record/segment.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-open-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function block(size: number, rows: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_HEAD + size, 7)
  sealBlock(bytes, rows)
  return bytes
}

/** Short enough to be compared. */
function told(content: ReturnType<typeof readSegment> | undefined) {
  if (content === undefined || content === 'foreign') return content
  const { bytes, blocks, seals, rows, end, sealed, damaged } = content
  const covers = seals.map((seal) => [seal.block, hash('sha256', seal.covers)])
  const joined = blocks.flatMap((to, at) =>
    at % 2 ? [hash('sha256', bytes.subarray(blocks[at - 1], to))] : [],
  )
  return { rows, end, sealed, damaged, covers, blocks, joined }
}

test('what is written while it is read is found, once, whatever its size', () => {
  const path = join(folder, 'segment.open')
  const open = new OpenSegment(path)
  expect(() => open.read()).toThrow()
  const room = Buffer.alloc(1 << 20)
  writeFileSync(path, room)
  expect(open.read()).toBeUndefined()
  let at = segmentHeader(1, 'i').copy(room)
  for (const [size, rows] of [
    [10, 1],
    [300_000, 2],
    [32, 0],
    [131_072, 3],
    [1, 4],
  ] as const) {
    const bytes = block(size, rows)
    // Half of it first: a block is copied there while we look.
    bytes.copy(room, at, 0, BLOCK_HEAD + size / 2)
    writeFileSync(path, room)
    const half = open.read()
    expect(half?.end).toBe(at)
    at += bytes.copy(room, at)
    writeFileSync(path, room)
    expect(told(open.read())).toEqual(told(readSegment(room)))
  }
  // A block that was too large for the room makes the file longer.
  const long = Buffer.concat([room.subarray(0, at), block(2 << 20, 5)])
  writeFileSync(path, long)
  expect(told(open.read())).toEqual(told(readSegment(long)))
  renameSync(path, join(folder, 'segment.seg'))
  expect(() => open.read()).toThrow()
})

test('nothing behind a block that was only half there is taken before it', () => {
  const path = join(folder, 'segment.open')
  const whole = Buffer.concat([segmentHeader(1, 'i'), block(10, 1), block(20, 2), block(30, 3)])
  const room = Buffer.concat([whole, Buffer.alloc(4096)])
  const second = segmentHeader(1, 'i').length + BLOCK_HEAD + 10
  // As a copy of pages sees it that waits between the first and the last of them.
  const torn = Buffer.from(room)
  torn.fill(0, second + BLOCK_HEAD, second + BLOCK_HEAD + 20)
  const open = new OpenSegment(path)
  writeFileSync(path, torn)
  expect(open.read()).toMatchObject({ rows: 1, end: second, damaged: 0 })
  writeFileSync(path, room)
  expect(told(open.read())).toEqual(told(readSegment(room)))
  // Where it stays so, the complete segment says that it is damaged.
  expect(readSegment(torn)).toMatchObject({ rows: 4, damaged: 1 })
})
