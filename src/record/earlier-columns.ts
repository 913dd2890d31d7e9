/**
 * Pure. Segments that an earlier version left in the spool: their rows are written anew in the order of today's columns, with
 * the default of each that was not there yet. So there is one canonical encoding, one insert and one chain for all of them.
 *
 * Whoever changes COLUMNS puts the list that was into EARLIER; a test holds the hash of today's. Columns are only ever added,
 * moved or left with their type. Seals stay those of the bytes that were written.
 */
import { crc32 } from 'node:zlib'
import { COLUMNS, COLUMNS_HASH } from './columns.ts'
import type { SegmentContent } from './segment.ts'

/** Names and types, in the order in which they stood in the spool. */
export type ColumnList = readonly (readonly [string, string])[]

/** All that a segment may have been written with before. The first list is still today's. */
export const EARLIER: readonly ColumnList[] = []

export function columnsHash(list: ColumnList): number {
  return crc32(list.map(([name, type]) => `${name} ${type}`).join(',')) >>> 0
}

/** As it is where it is of today, of a list that nobody knows, or not what it says: then its header still tells. */
export function upgrade(content: SegmentContent, earlier: readonly ColumnList[]): SegmentContent {
  const { header, bytes, blocks } = content
  if (header.columns === COLUMNS_HASH) return content
  const list = earlier.find((one) => columnsHash(one) === header.columns)
  const places = list === undefined ? undefined : placesIn(list)
  if (list === undefined || places === undefined) return content
  const pieces: Buffer[] = []
  const made: number[] = []
  let at = 0
  for (let i = 0; i < blocks.length; i += 2) {
    const rows = rewritten(bytes.subarray(blocks[i], blocks[i + 1]), list.length, places)
    if (rows === undefined) return content
    pieces.push(rows)
    made.push(at, at + rows.length)
    at += rows.length
  }
  const columns = COLUMNS_HASH
  return { ...content, header: { ...header, columns }, bytes: Buffer.concat(pieces), blocks: made }
}

/** For each of today's columns its place in that list, or the bytes of its default; undefined: something would be lost. */
function placesIn(list: ColumnList): readonly (number | Buffer)[] | undefined {
  const today = new Map<string, string>(COLUMNS)
  if (list.some(([name, type]) => today.get(name) !== type)) return undefined
  return COLUMNS.map(([name, type]) => {
    const place = list.findIndex(([one]) => one === name)
    return place < 0 ? defaultOf(type) : place
  })
}

function defaultOf(type: string): Buffer {
  if (type === 'String') return Buffer.from([0xa0])
  if (type === 'Bool') return Buffer.from([0xc2])
  if (type.startsWith('Array')) return Buffer.from([0x90])
  return Buffer.from([type.startsWith('Map') ? 0x80 : 0])
}

/** undefined: these are no rows of so many values. */
function rewritten(
  block: Buffer,
  count: number,
  places: readonly (number | Buffer)[],
): Buffer | undefined {
  const pieces: Buffer[] = []
  let at = 0
  while (at < block.length) {
    const values: Buffer[] = []
    for (let i = 0; i < count; i++) {
      const next = valueEnd(block, at)
      if (next === undefined) return undefined
      values.push(block.subarray(at, next))
      at = next
    }
    for (const place of places) pieces.push(typeof place === 'number' ? values[place]! : place)
  }
  return Buffer.concat(pieces)
}

/** Where the value of msgpack that begins at `at` ends; only kinds that encode.ts writes. */
function valueEnd(bytes: Buffer, at: number): number | undefined {
  const tag = bytes[at]
  if (tag === undefined) return undefined
  const next = at + 1
  if (tag < 0x80 || tag === 0xc2 || tag === 0xc3) return next
  if (tag >= 0xcc && tag <= 0xcf) return within(bytes, next + (1 << (tag - 0xcc)))
  if (tag < 0x90) return valuesEnd(bytes, next, (tag & 0x0f) * 2)
  if (tag < 0xa0) return valuesEnd(bytes, next, tag & 0x0f)
  if (tag < 0xc0) return within(bytes, next + (tag & 0x1f))
  const wide = WIDE.get(tag)
  if (wide === undefined || next + wide.bytes > bytes.length) return undefined
  const size = bytes.readUIntBE(next, wide.bytes)
  const start = next + wide.bytes
  return wide.each === 0 ? within(bytes, start + size) : valuesEnd(bytes, start, size * wide.each)
}

function valuesEnd(bytes: Buffer, start: number, count: number): number | undefined {
  let at: number | undefined = start
  for (let left = count; left > 0 && at !== undefined; left--) at = valueEnd(bytes, at)
  return at
}

function within(bytes: Buffer, end: number): number | undefined {
  return end <= bytes.length ? end : undefined
}

/** Tag → bytes of the size, and values of each entry; 0 where it counts bytes. */
const WIDE = new Map([
  [0xc4, { bytes: 1, each: 0 }],
  [0xc5, { bytes: 2, each: 0 }],
  [0xc6, { bytes: 4, each: 0 }],
  [0xd9, { bytes: 1, each: 0 }],
  [0xda, { bytes: 2, each: 0 }],
  [0xdb, { bytes: 4, each: 0 }],
  [0xdc, { bytes: 2, each: 1 }],
  [0xdd, { bytes: 4, each: 1 }],
  [0xde, { bytes: 2, each: 2 }],
  [0xdf, { bytes: 4, each: 2 }],
])
