/**
 * Pure. What a mask makes of one value, by the kind of value (semantics §5, "Values"). Knows no
 * protocol: how a value is written on the wire stands with the protocol.
 *
 * A result of null is the protocol's NULL. No transform ever keeps a whole value: `partial` that would
 * show all of it shows none of it.
 */
import { isUtf8 } from 'node:buffer'
import { createHmac } from 'node:crypto'
import { oneWayText, pseudonymDomain, sealBytes, sealText, sealUuid } from './pseudonym.ts'
import type { Transform } from './transform-spec.ts'

export const REDACTED = '****'

/**
 * Key of the deployment for keyed hashes; at least 16 bytes, the same in all threads and replicas.
 */
export type MaskKey = Uint8Array

const HASH_DIGITS = 16
const STAR = 0x2a
const BLANK = 0x20

export interface TextOptions {
  readonly key: MaskKey
  /** Most code points that the type takes, 0 for no limit. */
  readonly lengthMax: number
  /** Blanks at the end mean nothing: `char(n)`. */
  readonly padded?: boolean
  /** Shown to one who may write such values: no pseudonym that leads nowhere, which could be tried out. */
  readonly toWriter?: boolean
}

/** Text in UTF-8. */
export function transformText(
  value: Uint8Array,
  transform: Transform,
  options: TextOptions,
): Buffer | null {
  switch (transform.type) {
    case 'null':
      return null
    case 'redact':
    // Masks of parts of what is no document.
    case 'paths':
      return cut(REDACTED, options.lengthMax)
    case 'pseudonym':
      return pseudonym(value, transform.domain, options)
    case 'fixed':
      return cut(transform.value, options.lengthMax)
    case 'hash':
      return cut(hash(value, options.key).toString('hex', 0, HASH_DIGITS / 2), options.lengthMax)
    case 'partial':
      return partial(value, transform.keepFirst, transform.keepLast)
  }
}

/** One JSON value in UTF-8, as text; the result is one as well. */
export function transformJson(
  value: Uint8Array,
  transform: Transform,
  key: MaskKey,
): Buffer | null {
  const inStrings = transform.type === 'partial' || transform.type === 'pseudonym'
  const inner = inStrings ? stringInside(value) : value
  if (inner === undefined) return jsonString(Buffer.from(REDACTED))
  const text = transformText(inner, transform, { key, lengthMax: 0 })
  return text === null ? null : jsonString(text)
}

/** The 16 bytes of a UUID. */
export function transformUuid(
  value: Uint8Array,
  transform: Transform,
  key: MaskKey,
): Buffer | null {
  if (transform.type === 'null') return null
  if (transform.type === 'hash') return hash(value, key).subarray(0, 16)
  if (transform.type === 'fixed') return uuidBytes(transform.value) ?? Buffer.alloc(16)
  if (transform.type === 'pseudonym') {
    const sealed = sealUuid(value, pseudonymDomain(key, transform.domain))
    if (sealed !== undefined) return sealed
  }
  return Buffer.alloc(16)
}

/** Bytes without a meaning known to us. */
export function transformBytes(
  value: Uint8Array,
  transform: Transform,
  key: MaskKey,
): Buffer | null {
  if (transform.type === 'null') return null
  if (transform.type === 'hash') return hash(value, key).subarray(0, HASH_DIGITS / 2)
  if (transform.type === 'fixed') return Buffer.from(transform.value)
  if (transform.type === 'pseudonym') {
    return sealBytes(value, pseudonymDomain(key, transform.domain))
  }
  return Buffer.alloc(0)
}

/** True when the result does not depend on the value, so that it may be computed once. */
export function isConstant(transform: Transform): boolean {
  const { type } = transform
  return type !== 'hash' && type !== 'partial' && type !== 'pseudonym' && type !== 'paths'
}

/** A JSON string literal of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
export function jsonString(text: Buffer): Buffer {
  return Buffer.from(JSON.stringify(text.toString('utf8')))
}

/**
 * 16 bytes of the text form of a UUID, with or without dashes and braces; undefined when it is
 * none.
 */
export function uuidBytes(text: string): Buffer | undefined {
  const digits = text.replace(/[{}-]/g, '')
  return /^[0-9A-Fa-f]{32}$/.test(digits) ? Buffer.from(digits, 'hex') : undefined
}

function hash(value: Uint8Array, key: MaskKey): Buffer {
  return createHmac('sha256', key).update(value).digest()
}

function pseudonym(value: Uint8Array, name: string, options: TextOptions): Buffer {
  const { key, lengthMax } = options
  const domain = pseudonymDomain(key, name)
  const text = options.padded === true ? withoutBlanks(value) : value
  const sealed = sealText(text, domain, lengthMax)
  if (sealed !== undefined) return sealed
  return options.toWriter === true ? cut(REDACTED, lengthMax) : oneWayText(text, domain, lengthMax)
}

function withoutBlanks(value: Uint8Array): Uint8Array {
  let end = value.length
  while (end > 0 && value[end - 1] === BLANK) end--
  return value.subarray(0, end)
}

/**
 * The bytes of a JSON value that is a string, decoded; undefined when it is another kind of value.
 */
function stringInside(json: Uint8Array): Buffer | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString('utf8'))
    return typeof value === 'string' ? Buffer.from(value) : undefined
  } catch {
    return undefined
  }
}

/** The first `lengthMax` code points. */
function cut(text: string, lengthMax: number): Buffer {
  const bytes = Buffer.from(text)
  return lengthMax === 0 ? bytes : bytes.subarray(0, offsetOf(bytes, lengthMax))
}

/**
 * Keeps the first and last code points and writes `*` for each of the others. Values that this
 * would show whole, and bytes that are not UTF-8 (whose characters cannot be counted), are hidden
 * whole.
 */
function partial(value: Uint8Array, keepFirst: number, keepLast: number): Buffer {
  if (!isUtf8(value)) return Buffer.from(REDACTED)
  const length = codePoints(value)
  if (keepFirst + keepLast >= length) return Buffer.alloc(length, STAR)
  const head = offsetOf(value, keepFirst)
  const tail = offsetOf(value, length - keepLast)
  const hidden = length - keepFirst - keepLast
  const masked = Buffer.allocUnsafeSlow(head + hidden + value.length - tail)
  masked.set(value.subarray(0, head), 0)
  masked.fill(STAR, head, head + hidden)
  masked.set(value.subarray(tail), head + hidden)
  return masked
}

/** UTF-8 bytes of the form 10xxxxxx continue a code point; every other one begins it. */
function codePoints(value: Uint8Array): number {
  let count = 0
  for (const byte of value) if ((byte & 0xc0) !== 0x80) count++
  return count
}

/** Byte offset at which code point number `index` (from 0) begins. */
function offsetOf(value: Uint8Array, index: number): number {
  let left = index
  for (let at = 0; at < value.length; at++) {
    if ((value[at]! & 0xc0) !== 0x80 && left-- === 0) return at
  }
  return value.length
}
