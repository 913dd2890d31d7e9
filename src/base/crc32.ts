/**
 * Pure. CRC-32 (ISO 3309, as in gzip) of a part of a buffer. Short parts, which most rows and blocks are, are summed
 * here: a call of zlib's and the view that it wants cost more.
 */
import { crc32 as whole } from 'node:zlib'

/** From here on the call is worth it. */
const CALL_BYTES = 192

/** Four tables of 256: for the last byte, and for those one, two and three before it. */
const TABLES = new Int32Array(1024)
for (let n = 0; n < 1024; n++) {
  let value = n < 256 ? n : TABLES[n - 256]!
  for (let i = 0; i < 8; i++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  TABLES[n] = value
}

/** Of [start, end), behind what `before` is the sum of. */
export function crc32(bytes: Uint8Array, start: number, end: number, before = 0): number {
  if (end - start >= CALL_BYTES) return whole(bytes.subarray(start, end), before)
  let value = ~before
  let at = start
  for (; at + 4 <= end; at += 4)
    value =
      TABLES[768 + ((value ^ bytes[at]!) & 255)]! ^
      TABLES[512 + (((value >>> 8) ^ bytes[at + 1]!) & 255)]! ^
      TABLES[256 + (((value >>> 16) ^ bytes[at + 2]!) & 255)]! ^
      TABLES[(value >>> 24) ^ bytes[at + 3]!]!
  for (; at < end; at++) value = TABLES[(value ^ bytes[at]!) & 255]! ^ (value >>> 8)
  return ~value >>> 0
}
