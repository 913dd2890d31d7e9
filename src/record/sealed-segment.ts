/**
 * Pure. The format of a segment of sealed originals: rows of the tables `sealed` and `sealed_keys`, ready to be inserted.
 *
 *   ┌────────────┬─────────┐   ┌──────┬───────┬───────┬───────────────────┐
 *   │ "SLUICESE" │ version │   │ size │ crc32 │ table │ row in RowBinary  │   repeated; size and crc32 are of what
 *   │ 8 bytes    │ u16 = 1 │   │ u32  │ u32   │ u8    │ size − 1 bytes    │   follows them
 *   └────────────┴─────────┘   └──────┴───────┴───────┴───────────────────┘
 *
 * Numbers of the segment are big-endian, those of RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary)
 * little-endian. Nothing in it is readable without the keys. As in the other spool, what does not check at its end was
 * torn by a crash, never acknowledged, and is cut off.
 */
import { crc32 } from 'node:zlib'
import type { SealedRow, SealKey } from './sealer.ts'

export type SealedTable = 'sealed' | 'sealed_keys'

/** Columns in the order in which their values stand in a row. */
export const SEALED_COLUMNS: Readonly<Record<SealedTable, string>> = {
  sealed: 'ts, session_id, event_id, place, key_id, nonce, ciphertext, batch, originals, cut',
  sealed_keys: 'ts, session_id, key_id, recipients, wrapped',
}

export const SEALED_HEADER = Buffer.from('SLUICESE\0\x01', 'latin1')
const TABLES: readonly SealedTable[] = ['sealed', 'sealed_keys']
const HEAD_BYTES = 8

export interface SealedContent {
  /** Rows of each table, one after the other. */
  readonly rows: Readonly<Record<SealedTable, readonly Buffer[]>>
  /** Where the last whole row ends. */
  readonly end: number
}

/** A batch, as a record of the segment. `at`: microseconds since 1970. */
export function sealedRecord(key: SealKey, row: SealedRow, at: number): Buffer {
  const action = row.action === 0 ? '' : `${key.session}-${row.action}`
  return record('sealed', [
    int64(at),
    text(key.session),
    text(action),
    text('values'),
    text(key.keyId),
    text(row.nonce),
    text(row.ciphertext),
    int64(row.batch),
    int64(row.values),
    int64(row.cut.values),
  ])
}

/** The wrapped key of a session, likewise. */
export function keyRecord(key: SealKey, at: number): Buffer {
  const recipients = [varint(key.recipients.length), ...key.recipients.map(text)]
  return record('sealed_keys', [
    int64(at),
    text(key.session),
    text(key.keyId),
    ...recipients,
    text(key.wrapped),
  ])
}

/** 'foreign': not a segment of this version. */
export function readSealedSegment(bytes: Buffer): SealedContent | 'foreign' {
  const start = SEALED_HEADER.length
  if (!bytes.subarray(0, start).equals(SEALED_HEADER)) return 'foreign'
  const rows: Record<SealedTable, Buffer[]> = { sealed: [], sealed_keys: [] }
  let at = start
  while (at + HEAD_BYTES < bytes.length) {
    const end = at + HEAD_BYTES + bytes.readUInt32BE(at)
    const body = bytes.subarray(at + HEAD_BYTES, end)
    const table = TABLES[body[0] ?? TABLES.length]
    if (end > bytes.length || crc32(body) >>> 0 !== bytes.readUInt32BE(at + 4)) break
    if (table === undefined) break
    rows[table].push(body.subarray(1))
    at = end
  }
  return { rows, end: at }
}

function record(table: SealedTable, parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([
    Buffer.alloc(HEAD_BYTES),
    Buffer.of(TABLES.indexOf(table)),
    ...parts,
  ])
  const body = bytes.subarray(HEAD_BYTES)
  bytes.writeUInt32BE(body.length, 0)
  bytes.writeUInt32BE(crc32(body) >>> 0, 4)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}

function text(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
  bytes.push(left)
  return Buffer.from(bytes)
}
