import { hash } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SpareMemory } from '../../src/base/spare-memory.ts'
import { OpenSegment, OpenSegments } from '../../src/record/open-segment.ts'
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

test('a complete segment is gone on with where it was read while it was open', () => {
  const path = join(folder, 'segment.open')
  const done = join(folder, 'segment.seg')
  const head = segmentHeader(1, 'i')
  const blocks = [block(10, 1), block(32, 0), block(90_000, 2), block(7, 3)]
  blocks[2]!.fill(1, 100, 200)
  const whole = Buffer.concat([head, ...blocks])
  const opened = new OpenSegments()
  expect(opened.complete(done)).toBe(undefined)
  writeFileSync(path, Buffer.concat([whole.subarray(0, head.length + 22 + 44), Buffer.alloc(4096)]))
  expect(opened.read(path)).toMatchObject({ rows: 1 })
  writeFileSync(done, whole)
  rmSync(path)
  const content = opened.complete(done)!
  expect(told(content)).toEqual(told(readSegment(whole)))
  expect(content).toMatchObject({ rows: 4, damaged: 1, torn: 0 })
  expect(opened.complete(done)).toBe(content)
  expect(opened.take(done)).toBe(content)
  // Whoever took it may have changed its bytes.
  expect(opened.complete(done)).toBe(undefined)
})

test('memory of a segment is used again once that is stored, and not before', () => {
  const spare = new SpareMemory(1 << 20, 1 << 20)
  const opened = new OpenSegments(undefined, spare)
  const head = segmentHeader(1, 'i')
  const written = (name: string, ...blocks: Buffer[]) => {
    const bytes = Buffer.concat([head, ...blocks])
    writeFileSync(join(folder, `${name}.open`), Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(opened.read(join(folder, `${name}.open`))).toMatchObject({ damaged: 0 })
    writeFileSync(join(folder, `${name}.seg`), bytes)
    return told(readSegment(bytes))
  }
  const take = (name: string) => opened.take(join(folder, `${name}.seg`))!
  const first = written('a', block(3000, 1), block(900, 2))
  const a = take('a')
  expect(told(a)).toEqual(first)
  const second = written('b', block(10, 3))
  const b = take('b')
  expect(b.bytes.buffer).not.toBe(a.bytes.buffer)
  expect([told(a), told(b)]).toEqual([first, second])
  expect(spare.bytes).toBe(0)
  opened.stored('a')
  expect(spare.bytes).toBeGreaterThan(4096)
  // What the former one left behind the end is not taken for its own.
  const third = written('c', block(20, 4))
  const c = take('c')
  expect(c.bytes.buffer).toBe(a.bytes.buffer)
  expect([told(c), told(b)]).toEqual([third, second])
  opened.forget('b')
  expect(spare.bytes).toBe(0)
})

test('of complete segments a few are kept, and none whose file is gone', () => {
  const opened = new OpenSegments()
  const whole = Buffer.concat([segmentHeader(1, 'i'), block(10, 1)])
  const names = Array.from({ length: 8 }, (_, n) => `s-${n}`)
  for (const name of names) {
    writeFileSync(join(folder, `${name}.open`), whole)
    opened.read(join(folder, `${name}.open`))
    writeFileSync(join(folder, `${name}.seg`), whole)
    expect(opened.complete(join(folder, `${name}.seg`))).toMatchObject({ rows: 1 })
  }
  const kept = () => names.filter((name) => opened.complete(join(folder, `${name}.seg`)))
  expect(kept()).toEqual(names.slice(0, 4))
  opened.keep(['s-1.seg', 's-2.open', 's-7.seg'])
  expect(kept()).toEqual(['s-1', 's-2'])
})

test('what its writer has taken back, because the disk did not take it, is not kept', () => {
  const path = join(folder, 'segment.open')
  const done = join(folder, 'segment.seg')
  const good = Buffer.concat([segmentHeader(1, 'i'), block(10, 1)])
  const opened = new OpenSegments()
  writeFileSync(path, Buffer.concat([good, block(20, 2), Buffer.alloc(4096)]))
  expect(opened.read(path)).toMatchObject({ rows: 3 })
  writeFileSync(done, good)
  expect(opened.complete(done)).toBe(undefined)
  // A seal behind what was left is shorter than any block of rows.
  opened.read(path)
  writeFileSync(done, Buffer.concat([good, block(16, 0)]))
  expect(opened.take(done)).toBe(undefined)
})
