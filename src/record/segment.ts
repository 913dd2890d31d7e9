/**
 * Pure. The format of a spool segment, and what of it survives a crash.
 *
 *   ┌────────────┬─────────┬──────────────┬─────────┬───────────────┬──────────┐
 *   │ "SLUICESP" │ version │ columns hash │ thread  │ instance size │ instance │   header
 *   │ 8 bytes    │ u16     │ u32          │ u32     │ u16           │ ASCII    │
 *   └────────────┴─────────┴──────────────┴─────────┴───────────────┴──────────┘
 *   ┌──────┬────────┬──────┬───────────────┐
 *   │ size │ crc32  │ rows │ msgpack rows  │   block, repeated; one per flush
 *   │ u32  │ u32    │ u32  │ size bytes    │   crc32 covers rows and what follows it
 *   └──────┴────────┴──────┴───────────────┘   a block of 0 rows is a seal of the ratchet (ratchet.ts)
 *
 * All numbers are big-endian. A process that is killed leaves a whole number of blocks, at most one
 * torn one behind them, and zeros to the end of the room that was reserved: everything before the
 * first block that does not check is kept, the rest is cut off.
 */
import { crc32 } from 'node:zlib'
import { COLUMNS_HASH } from './columns.ts'

const MAGIC = 'SLUICESP'
/** 2 where the segment may hold seals. Both are read. */
const VERSIONS = { plain: 1, sealed: 2 } as const
const FIXED = 20

/** Room that a block's header needs in front of its rows. */
export const BLOCK_HEAD = 12

export interface SegmentHeader {
  readonly columns: number
  readonly thread: number
  readonly instance: string
}

export interface SegmentContent {
  readonly header: SegmentHeader
  /** What was read. */
  readonly bytes: Buffer
  /** Where the rows of each block begin and end in it: two numbers a block, since an object for each costs more than reading it. */
  readonly blocks: readonly number[]
  readonly seals: readonly Seal[]
  readonly rows: number
  /** Where the last seal ends. */
  readonly sealed: number
  /** Where the last good block ends. */
  readonly end: number
  /** Blocks before `end` that do not check: not a crash, but damage. */
  readonly damaged: number
  /** Bytes after `end`: torn, or not ours. */
  readonly torn: number
}

/** What a seal says, of the bytes from the seal before, or from the file's beginning, up to itself. */
export interface Seal {
  readonly bytes: Buffer
  readonly covers: Buffer
  /** Number of blocks before it. */
  readonly block: number
}

export function segmentHeader(
  thread: number,
  instance: string,
  kind: keyof typeof VERSIONS = 'plain',
): Buffer {
  const name = Buffer.from(instance, 'latin1')
  const bytes = Buffer.alloc(FIXED + name.length)
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeUInt16BE(VERSIONS[kind], 8)
  bytes.writeUInt32BE(COLUMNS_HASH, 10)
  bytes.writeUInt32BE(thread, 14)
  bytes.writeUInt16BE(name.length, 18)
  bytes.set(name, FIXED)
  return bytes
}

/** Fills in the header of the block that `bytes` is: BLOCK_HEAD bytes of room, then the rows. */
export function sealBlock(bytes: Buffer, rows: number): void {
  bytes.writeUInt32BE(bytes.length - BLOCK_HEAD, 0)
  bytes.writeUInt32BE(rows, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(8)) >>> 0, 4)
}

/**
 * 'foreign': not a segment of this version, or one whose header is not whole. `before`: what was read of the same bytes when
 * there were less of them; that is gone on with, and must not be used any more.
 */
export function readSegment(bytes: Buffer, before?: SegmentContent): SegmentContent | 'foreign' {
  const header = before?.header ?? readHeader(bytes)
  if (header === undefined) return 'foreign'
  const blocks = (before?.blocks ?? []) as number[]
  const seals = (before?.seals ?? []) as Seal[]
  let { sealed, rows, damaged, end } = before ?? {
    sealed: 0,
    rows: 0,
    damaged: 0,
    end: FIXED + header.instance.length,
  }
  let bad = damaged
  let at = end
  while (at + BLOCK_HEAD <= bytes.length) {
    const size = bytes.readUInt32BE(at)
    const next = at + BLOCK_HEAD + size
    // Zeros are the room that an open segment had left: no block's checksum is of that kind.
    if ((size === 0 && bytes.readUInt32BE(at + 4) === 0) || next > bytes.length) break
    if (crc32(bytes.subarray(at + 8, next)) >>> 0 === bytes.readUInt32BE(at + 4)) {
      const count = bytes.readUInt32BE(at + 8)
      if (count === 0) {
        seals.push({
          bytes: bytes.subarray(at + BLOCK_HEAD, next),
          covers: bytes.subarray(sealed, at),
          block: blocks.length / 2,
        })
        sealed = next
      } else blocks.push(at + BLOCK_HEAD, next)
      rows += count
      damaged = bad
      end = next
    } else bad++
    at = next
  }
  return { header, bytes, blocks, seals, rows, sealed, end, damaged, torn: bytes.length - end }
}

/** The rows of all blocks, one behind the other, moved together where they stand: what was read is no segment after this. */
export function joinRows({ bytes, blocks }: SegmentContent): Buffer {
  const start = blocks[0] ?? 0
  let end = start
  for (let i = 0; i < blocks.length; i += 2) {
    bytes.copyWithin(end, blocks[i]!, blocks[i + 1]!)
    end += blocks[i + 1]! - blocks[i]!
  }
  return bytes.subarray(start, end)
}

function readHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < FIXED || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined
  const version = bytes.readUInt16BE(8)
  if (version !== VERSIONS.plain && version !== VERSIONS.sealed) return undefined
  const end = FIXED + bytes.readUInt16BE(18)
  if (bytes.length < end) return undefined
  return {
    columns: bytes.readUInt32BE(10),
    thread: bytes.readUInt32BE(14),
    instance: bytes.toString('latin1', FIXED, end),
  }
}
