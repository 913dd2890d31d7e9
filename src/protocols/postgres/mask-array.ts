/**
 * Pure. Masks elements inside PostgreSQL arrays, which stay arrays of the same shape.
 *
 *   text     {a,"b \"c\"",NULL,{…}}, with [1:2]= before it where bounds are not 1
 *   binary   dimensions i32 · has nulls i32 · element type u32 · (length i32 · lower bound i32)… ·
 *            (length i32, -1 for NULL · bytes)…
 *
 * https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO; array_send in arrayfuncs.c. An array
 * that does not add up is `malformed`; what becomes of it the caller decides.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { Replaced } from '../../mask/spans.ts'

/** Masks one element; undefined leaves it, null makes it NULL. */
export type ElementMasker = (bytes: Uint8Array) => Replaced

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const NULL_TEXT = Buffer.from('NULL')
const DIMENSIONS_MAX = 6

export function maskArrayText(value: Uint8Array, element: ElementMasker): Replaced | 'malformed' {
  const open = value.indexOf(OPEN)
  if (open < 0 || value[value.length - 1] !== CLOSE) return 'malformed'
  let out: ByteSink | undefined
  let copied = 0
  for (let at = open; at < value.length; ) {
    const byte = value[at]!
    if (byte === OPEN || byte === CLOSE || byte === COMMA) {
      at++
      continue
    }
    const end = elementEnd(value, at)
    if (end < 0) return 'malformed'
    const masked = maskElement(value.subarray(at, end), element)
    if (masked !== undefined) {
      out ??= new ByteSink(value.length + 64)
      out.append(value, copied, at)
      appendElement(out, masked)
      copied = end
    }
    at = end
  }
  if (out === undefined) return undefined
  out.append(value, copied, value.length)
  return out.view()
}

/** End of the element that begins at `at`, its quotes included; -1 when it has none. */
function elementEnd(value: Uint8Array, at: number): number {
  const quoted = value[at] === QUOTE
  for (let end = quoted ? at + 1 : at; end < value.length; end++) {
    const byte = value[end]!
    if (byte === BACKSLASH) end++
    else if (quoted && byte === QUOTE) return end + 1
    else if (!quoted && (byte === COMMA || byte === CLOSE)) return end
  }
  return -1
}

function maskElement(raw: Uint8Array, element: ElementMasker): Replaced {
  if (raw[0] !== QUOTE) {
    // Unquoted NULL is the null value; the word itself is written in quotes.
    if (raw.length === NULL_TEXT.length && NULL_TEXT.equals(raw)) return undefined
    return element(raw.includes(BACKSLASH) ? unquote(raw) : raw)
  }
  const inner = raw.subarray(1, -1)
  return element(inner.includes(BACKSLASH) ? unquote(inner) : inner)
}

function unquote(raw: Uint8Array): Uint8Array {
  const out = new ByteSink(raw.length)
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] === BACKSLASH && at + 1 < raw.length) at++
    out.u8(raw[at]!)
  }
  return out.view()
}

function appendElement(out: ByteSink, masked: Buffer | null): void {
  if (masked === null) {
    out.append(NULL_TEXT)
    return
  }
  out.u8(QUOTE)
  for (const byte of masked) {
    if (byte === QUOTE || byte === BACKSLASH) out.u8(BACKSLASH)
    out.u8(byte)
  }
  out.u8(QUOTE)
}

export function maskArrayBinary(value: Uint8Array, element: ElementMasker): Replaced | 'malformed' {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const start = elementsStart(bytes)
  if (start < 0) return 'malformed'
  let out: ByteSink | undefined
  let copied = 0
  let hasNull = false
  let left = elementsCount(bytes)
  let at = start
  for (; left > 0; left--) {
    if (at + 4 > bytes.length) return 'malformed'
    const length = bytes.readInt32BE(at)
    const end = at + 4 + Math.max(length, 0)
    if (length < -1 || end > bytes.length) return 'malformed'
    const masked = length < 0 ? undefined : element(bytes.subarray(at + 4, end))
    if (masked !== undefined) {
      out ??= new ByteSink(bytes.length + 64)
      out.append(bytes, copied, at)
      out.i32(masked === null ? -1 : masked.length)
      if (masked === null) hasNull = true
      else out.append(masked)
      copied = end
    }
    at = end
  }
  if (at !== bytes.length) return 'malformed'
  if (out === undefined) return undefined
  out.append(bytes, copied, bytes.length)
  if (hasNull) out.bytes.writeInt32BE(1, 4)
  return out.view()
}

/** OID of the elements' type; 0 where there is no whole header. */
export function arrayElementType(value: Uint8Array): number {
  if (value.length < 12) return 0
  return Buffer.from(value.buffer, value.byteOffset, value.length).readUInt32BE(8)
}

/** Offset of the first element; -1 when there is no whole header. */
function elementsStart(bytes: Buffer): number {
  if (bytes.length < 12) return -1
  const dimensions = bytes.readInt32BE(0)
  if (dimensions < 0 || dimensions > DIMENSIONS_MAX) return -1
  const start = 12 + 8 * dimensions
  return start <= bytes.length ? start : -1
}

/**
 * Product of the lengths of all dimensions; more than the bytes can hold is found by the caller.
 */
function elementsCount(bytes: Buffer): number {
  const dimensions = bytes.readInt32BE(0)
  let count = dimensions === 0 ? 0 : 1
  for (let index = 0; index < dimensions; index++) {
    count *= Math.max(bytes.readInt32BE(12 + 8 * index), 0)
  }
  return count
}
