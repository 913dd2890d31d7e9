/**
 * Pure. Segments that an earlier version left in the spool: their rows are written anew in the order of today's columns, with
 * the default of each that was not there yet. So there is one canonical encoding, one insert and one chain for all of them.
 *
 * Whoever changes COLUMNS puts the list that was into EARLIER; a test holds the hash of today's. Columns are only ever added,
 * moved or left with their type. Seals stay those of the bytes that were written.
 */
import { crc32 } from 'node:zlib'
import { COLUMNS, COLUMNS_HASH } from './columns.ts'
import { expanded, valueEnd } from './named-rows.ts'
import type { SegmentContent } from './segment.ts'

/** Names and types, in the order in which they stood in the spool. */
export type ColumnList = readonly (readonly [string, string])[]

/** All that a segment may have been written with before. The first list is still today's. */
export const EARLIER: readonly ColumnList[] = []

/** Nothing that could be rewritten. */
const NO_ROW = Buffer.from([0xc1])

export function columnsHash(list: ColumnList): number {
  return crc32(list.map(([name, type]) => `${name} ${type}`).join(',')) >>> 0
}

/** As it is where it is of today, of a list that nobody knows, or not what it says: then its header still tells. */
export function upgrade(content: SegmentContent, earlier: readonly ColumnList[]): SegmentContent {
  const { header } = content
  if (header.columns === COLUMNS_HASH) return content
  const list = earlier.find((one) => columnsHash(one) === header.columns)
  const places = list === undefined ? undefined : placesIn(list)
  if (list === undefined || places === undefined) return content
  const pieces: Buffer[] = []
  const made: number[] = []
  let at = 0
  for (const block of fullBlocks(content, list.length)) {
    const rows = rewritten(block, list.length, places)
    if (rows === undefined) return content
    pieces.push(rows)
    made.push(at, at + rows.length)
    at += rows.length
  }
  const columns = COLUMNS_HASH
  const bytes = Buffer.concat(pieces)
  return {
    ...content,
    header: { ...header, columns, isNamed: false },
    bytes,
    blocks: made,
    names: new Map(),
    said: new Map(),
  }
}

/** Rows of each block, with all of their columns. */
function fullBlocks(content: SegmentContent, columns: number): readonly Buffer[] {
  const { header, bytes, blocks } = content
  if (header.isNamed) return expanded(content, columns) ?? [NO_ROW]
  const starts = blocks.filter((_, at) => at % 2 === 0)
  return starts.map((start, at) => bytes.subarray(start, blocks[at * 2 + 1]))
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
