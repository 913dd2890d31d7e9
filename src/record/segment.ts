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
 * From version 4 on rows name their session and shape (named-rows.ts); before that, each held all of its columns.
 * An encrypted segment (version 3 or 5) has more behind its header, and in each block a frame in place of the rows: spool-cipher.ts
 * draws both, segment-cipher.ts puts them there. Seals are not encrypted, and speak for the bytes as they stand in the file.
 *
 * All numbers are big-endian. A process that is killed leaves a whole number of blocks, at most one
 * torn one behind them, and zeros to the end of the room that was reserved: everything before the
 * first block that does not check is kept, the rest is cut off.
 */
import { crc32 } from '../base/crc32.ts'
import { COLUMNS_HASH } from './columns.ts'
import { countRows, expanded, type Names, readNames } from './named-rows.ts'

const MAGIC = 'SLUICESP'
/**
 * All are read, side by side, and the last two are written. A plain one holds no seals; of those that came later, any may, and
 * a named one has names for sessions and shapes.
 */
const VERSIONS = { plain: 1, sealed: 2, encrypted: 3, named: 4, namedEncrypted: 5 } as const
const CLEAR: readonly number[] = [VERSIONS.plain, VERSIONS.sealed, VERSIONS.named]
const ENCRYPTED: readonly number[] = [VERSIONS.encrypted, VERSIONS.namedEncrypted]
const FIXED = 20

/** Room that a block's header needs in front of its rows. */
export const BLOCK_HEAD = 12

export interface SegmentHeader {
  readonly columns: number
  readonly thread: number
  readonly instance: string
  readonly isNamed: boolean
}

export interface SegmentContent {
  readonly header: SegmentHeader
  /** What was read; of an encrypted segment, what was decrypted of it. */
  readonly bytes: Buffer
  /** Where the rows of each block begin and end in it: two numbers a block, since an object for each costs more than reading it. */
  readonly blocks: readonly number[]
  /** What numbers in rows mean; none where rows have all of their columns. */
  readonly names: Names
  /** Of these, what was said since the last seal. */
  readonly said: Names
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

/** Opens the blocks of one encrypted segment, in their order (segment-cipher.ts). */
export interface BlockOpener {
  /** Where the first block begins in the file. */
  readonly begin: number
  /** What was decrypted so far, and where the last block of it begins and ends. */
  readonly clear: Buffer
  readonly start: number
  readonly end: number
  /** Blocks before the last one that are gone. */
  readonly missing: number
  /** A block with its header, whose checksum holds. False: it is not what was written there. */
  open(block: Buffer): boolean
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
  bytes.writeUInt32BE(crc32(bytes, 8, bytes.length), 4)
}

/**
 * 'foreign': not a segment of this version, or one whose header is not whole. `before`: what was read of the same bytes when
 * there were less of them; that is gone on with, and must not be used any more. `opener`: for an encrypted segment, which
 * is foreign without; the same one for the same bytes. `isOpen`: it is being written in this moment, so what does not check
 * may do so when it is read again, and nothing behind it is looked at.
 */
export function readSegment(
  bytes: Buffer,
  before?: SegmentContent,
  opener?: BlockOpener,
  isOpen: boolean = false,
): SegmentContent | 'foreign' {
  const header = before?.header ?? readHeader(bytes, opener !== undefined)
  if (header === undefined) return 'foreign'
  const blocks = (before?.blocks ?? []) as number[]
  const seals = (before?.seals ?? []) as Seal[]
  const names = (before?.names ?? new Map()) as Map<number, Buffer>
  const said = (before?.said ?? new Map()) as Map<number, Buffer>
  let { sealed, rows, damaged, end } = before ?? {
    sealed: 0,
    rows: 0,
    damaged: 0,
    end: opener?.begin ?? FIXED + header.instance.length,
  }
  let bad = damaged
  let at = end
  while (at + BLOCK_HEAD <= bytes.length) {
    const size = bytes.readUInt32BE(at)
    const next = at + BLOCK_HEAD + size
    // Zeros are the room that an open segment had left: no block's checksum is of that kind.
    if ((size === 0 && bytes.readUInt32BE(at + 4) === 0) || next > bytes.length) break
    if (crc32(bytes, at + 8, next) === bytes.readUInt32BE(at + 4)) {
      const count = bytes.readUInt32BE(at + 8)
      // Whole, and not what was written there: no crash leaves that, so it is never cut off as torn.
      let isOurs = opener?.open(bytes.subarray(at, next)) ?? true
      // Of what was just opened: of a seal it is what was opened before, and not used.
      const rowsEnd = opener?.end ?? next
      let rowsAt = opener?.start ?? at + BLOCK_HEAD
      if (isOurs && count > 0 && header.isNamed) {
        const block = { bytes: opener?.clear ?? bytes, start: rowsAt, end: rowsEnd }
        rowsAt = rowsOf(block, { names, said }, bad > 0 || (opener?.missing ?? 0) > 0)
        isOurs = rowsAt >= 0
      }
      if (!isOurs) bad++
      else if (count === 0) {
        seals.push({
          bytes: bytes.subarray(at + BLOCK_HEAD, next),
          covers: bytes.subarray(sealed, at),
          block: blocks.length / 2,
        })
        sealed = next
        said.clear()
      } else blocks.push(rowsAt, rowsEnd)
      if (isOurs) rows += count
      bad = Math.max(bad, opener?.missing ?? 0)
      damaged = bad
      end = next
    } else if (isOpen) break
    else bad++
    at = next
  }
  const torn = bytes.length - end
  const clear = opener?.clear ?? bytes
  return { header, bytes: clear, blocks, names, said, seals, rows, sealed, end, damaged, torn }
}

/**
 * Where the rows of a block begin, and notes what it says. -1: it is not whole, or cannot be trusted to mean what it meant:
 * behind damage (`isDoubted`) only what was said since the last seal counts, since that seal speaks for both.
 */
function rowsOf(
  { bytes, start, end }: { bytes: Buffer; start: number; end: number },
  { names, said }: { names: Map<number, Buffer>; said: Map<number, Buffer> },
  isDoubted: boolean,
): number {
  const read = readNames(bytes, { start, end }, names)
  if (read === undefined) return -1
  const { rowsAt } = read
  const known = () => new Map([...said, ...read.names])
  if (isDoubted && countRows(bytes, [rowsAt, end], known()) === undefined) return -1
  for (const [number, columns] of read.names) {
    names.set(number, columns)
    said.set(number, columns)
  }
  return rowsAt
}

/** The whole header of an encrypted segment, which is longer than others by `added`; undefined: it is none. */
export function encryptedHeader(bytes: Buffer, added: number): Buffer | undefined {
  const header = readHeader(bytes, true)
  if (header === undefined) return undefined
  const end = FIXED + header.instance.length + added
  return bytes.length < end ? undefined : bytes.subarray(0, end)
}

/** By its version, also where the rest of its header is torn. */
export function isEncrypted(bytes: Buffer): boolean {
  return bytes.length >= 10 && ENCRYPTED.includes(bytes.readUInt16BE(8))
}

/**
 * The rows of all blocks with all of their columns, one behind the other. Where they have them already they are moved together
 * where they stand: what was read is no segment after this. Throws where they are no rows.
 */
export function joinRows(content: SegmentContent): Buffer {
  const { header, bytes, blocks } = content
  if (header.isNamed) {
    const rows = expanded(content)
    if (rows === undefined) throw new Error('a block does not hold rows')
    return Buffer.concat(rows)
  }
  const start = blocks[0] ?? 0
  let end = start
  for (let i = 0; i < blocks.length; i += 2) {
    bytes.copyWithin(end, blocks[i]!, blocks[i + 1]!)
    end += blocks[i + 1]! - blocks[i]!
  }
  return bytes.subarray(start, end)
}

/**
 * What is left of a segment out of which whole blocks were cut, or whose blocks say that they hold another number of rows:
 * blocks with rows of which all that they name was said. Nothing else notices either where checksums were mended.
 */
export function soundBlocks(content: SegmentContent): SegmentContent {
  const { header, bytes, names } = content
  if (!header.isNamed) return content
  const blocks: number[] = []
  let [rows, dropped] = [0, 0]
  for (let i = 0; i < content.blocks.length; i += 2) {
    const [start, end] = [content.blocks[i]!, content.blocks[i + 1]!]
    const count = countRows(bytes, [start, end], names)
    if (count === undefined) dropped++
    else {
      blocks.push(start, end)
      rows += count
    }
  }
  if (dropped === 0 && rows !== content.rows) dropped = 1
  return { ...content, blocks, rows, damaged: content.damaged + dropped }
}

function readHeader(bytes: Buffer, isEncrypted: boolean): SegmentHeader | undefined {
  if (bytes.length < FIXED || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined
  const version = bytes.readUInt16BE(8)
  if (!(isEncrypted ? ENCRYPTED : CLEAR).includes(version)) return undefined
  const end = FIXED + bytes.readUInt16BE(18)
  if (bytes.length < end) return undefined
  return {
    columns: bytes.readUInt32BE(10),
    thread: bytes.readUInt32BE(14),
    instance: bytes.toString('latin1', FIXED, end),
    isNamed: version >= VERSIONS.named,
  }
}
