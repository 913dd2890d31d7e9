/**
 * Pure. Masks fields inside PostgreSQL rows (composite values), which stay rows of the same fields.
 *
 *   text     (a,"b ""c\\",,(…)): nothing for NULL, quotes and backslashes doubled within quotes
 *   binary   fields i32 · (type u32 · length i32, -1 for NULL · bytes)…
 *
 * https://www.postgresql.org/docs/18/rowtypes.html#ROWTYPES-IO-SYNTAX; record_send in rowtypes.c. A row that does
 * not add up is `malformed`; what becomes of it the caller decides.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { Replaced } from '../../mask/spans.ts'
import type { ElementMasker } from './mask-array.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN = 0x28
const CLOSE = 0x29

export function maskRecordText(value: Uint8Array, field: ElementMasker): Replaced | 'malformed' {
  if (value[0] !== OPEN) return 'malformed'
  const plain = new ByteSink(64)
  let out: ByteSink | undefined
  let copied = 0
  for (let at = 1; ; at++) {
    const start = at
    plain.clear()
    at = readField(value, at, plain)
    if (at < 0) return 'malformed'
    // Nothing between two commas is NULL; an empty text is written as two quotes.
    const masked = at === start ? undefined : field(plain.view())
    if (masked !== undefined) {
      out ??= new ByteSink(value.length + 64)
      out.append(value, copied, start)
      if (masked !== null) appendField(out, masked)
      copied = at
    }
    if (value[at] === CLOSE) {
      if (at !== value.length - 1) return 'malformed'
      out?.append(value, copied, value.length)
      return out?.view()
    }
  }
}

/** Writes what the field at `start` stands for; the offset of the comma or parenthesis behind it, or -1. */
function readField(value: Uint8Array, start: number, plain: ByteSink): number {
  let quoted = false
  for (let at = start; at < value.length; at++) {
    const byte = value[at]!
    if (byte === BACKSLASH) {
      if (++at >= value.length) return -1
      plain.u8(value[at]!)
    } else if (byte === QUOTE) {
      if (quoted && value[at + 1] === QUOTE) plain.u8(value[++at]!)
      else quoted = !quoted
    } else if (!quoted && (byte === COMMA || byte === CLOSE)) return at
    else plain.u8(byte)
  }
  return -1
}

function appendField(out: ByteSink, masked: Buffer): void {
  out.u8(QUOTE)
  for (const byte of masked) {
    if (byte === QUOTE || byte === BACKSLASH) out.u8(byte)
    out.u8(byte)
  }
  out.u8(QUOTE)
}

/** `fieldOf`: how fields of this type are masked; undefined: they stay. */
export function maskRecordBinary(
  value: Uint8Array,
  fieldOf: (typeOid: number) => ElementMasker | undefined,
): Replaced | 'malformed' {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  if (bytes.length < 4) return 'malformed'
  let out: ByteSink | undefined
  let copied = 0
  let at = 4
  for (let left = bytes.readInt32BE(0); left > 0; left--) {
    if (at + 8 > bytes.length) return 'malformed'
    const length = bytes.readInt32BE(at + 4)
    const end = at + 8 + Math.max(length, 0)
    if (length < -1 || end > bytes.length) return 'malformed'
    const masked =
      length < 0 ? undefined : fieldOf(bytes.readUInt32BE(at))?.(bytes.subarray(at + 8, end))
    if (masked !== undefined) {
      out ??= new ByteSink(bytes.length + 64)
      out.append(bytes, copied, at + 4)
      out.i32(masked === null ? -1 : masked.length)
      if (masked !== null) out.append(masked)
      copied = end
    }
    at = end
  }
  if (at !== bytes.length) return 'malformed'
  out?.append(bytes, copied, bytes.length)
  return out?.view()
}
