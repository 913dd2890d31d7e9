/**
 * Pure. Replaces what detectors find inside a value: in plain text span by span, in JSON inside its
 * strings and numbers, so that JSON stays JSON.
 *
 * A result of undefined means that nothing was found and the value may go as it is; null, that the
 * whole value becomes NULL (a detector with `with: null` found something).
 */
import { createHmac } from 'node:crypto'
import { ByteSink } from '../base/bytes.ts'
import type { DetectorSet, Hit } from './detect.ts'
import { jsonString, type MaskKey, REDACTED, transformText } from './transform.ts'
import { stronger, type Transform } from './transform-spec.ts'

export type Replaced = Buffer | null | undefined

/** Counts of masked values by detector or column. */
export type Tally = Map<string, number>

export interface SpanContext {
  readonly detectors: DetectorSet
  readonly key: MaskKey
  readonly tally: Tally
  /** What the value is called; words in it count. */
  readonly names?: readonly Uint8Array[] | undefined
}

export function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1)
}

/** Masks the hits in a value of plain text. */
export function maskText(value: Uint8Array, context: SpanContext): Replaced {
  const hits = context.detectors.scan(value, 0, value.length, context.names)
  if (hits.length === 0) return undefined
  return replace(value, hits, context)
}

/**
 * The strongest of the transforms of all hits; undefined without one. For values that are hidden as
 * a whole.
 */
export function strongestHit(value: Uint8Array, context: SpanContext): Transform | undefined {
  let strongest: Transform | undefined
  for (const hit of context.detectors.scan(value, 0, value.length, context.names)) {
    count(context.tally, hit.detector)
    strongest = strongest === undefined ? hit.transform : stronger(strongest, hit.transform)
  }
  return strongest
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d

/**
 * Masks the hits in the strings (keys too) and numbers of a JSON text; a number that is hit becomes
 * a string. Text that is no JSON is scanned as plain text, and becomes NULL when that finds
 * anything.
 */
export function maskJson(value: Uint8Array, context: SpanContext): Replaced {
  // Escapes can hide anything from the cheap look; without one the tokens hold no more than the
  // text does.
  if (!value.includes(BACKSLASH) && !context.detectors.mayHold(value, 0, value.length)) {
    return undefined
  }
  let out: ByteSink | undefined
  let copied = 0
  for (let at = 0; at < value.length; ) {
    const end = tokenEnd(value, at)
    if (end < 0) return maskText(value, context) === undefined ? undefined : null
    if (end === 0) {
      at++
      continue
    }
    const masked = maskToken(value, { start: at, end }, context)
    if (masked === null) return null
    if (masked !== undefined) {
      out ??= new ByteSink(value.length + 64)
      out.append(value, copied, at)
      out.append(masked)
      copied = end
    }
    at = end
  }
  if (out === undefined) return undefined
  out.append(value, copied, value.length)
  return out.view()
}

/**
 * End of the string or number that begins at `at`; 0 when none begins here, -1 when it has no end.
 */
function tokenEnd(value: Uint8Array, at: number): number {
  const byte = value[at]!
  if (byte === QUOTE) {
    for (let end = at + 1; end < value.length; end++) {
      if (value[end] === BACKSLASH) end++
      else if (value[end] === QUOTE) return end + 1
    }
    return -1
  }
  if (byte !== MINUS && !(byte >= 0x30 && byte <= 0x39)) return 0
  let end = at + 1
  while (end < value.length && isNumeric(value[end]!)) end++
  return end
}

/** Characters of a JSON number: digits, `+ - . e E`. */
function isNumeric(byte: number): boolean {
  if (byte >= 0x30 && byte <= 0x39) return true
  return byte === 0x2b || byte === MINUS || byte === 0x2e || byte === 0x65 || byte === 0x45
}

/** Bytes before a token in which its key is looked for. */
const KEY_REACH = 64
const OPENS = 0x7b
const COMMA = 0x2c
const COLON = 0x3a

/**
 * The context of a token that is a member's value: what stands before it back to the last comma or
 * brace, its key, is one of its names. (A comma inside a key only makes the name shorter.)
 */
function withKey(value: Uint8Array, start: number, context: SpanContext): SpanContext {
  let at = start - 1
  let hasColon = false
  const least = Math.max(0, start - KEY_REACH)
  while (at >= least && value[at] !== COMMA && value[at] !== OPENS) {
    if (value[at] === COLON) hasColon = true
    at--
  }
  if (!hasColon) return context
  const key = value.subarray(at + 1, start)
  return { ...context, names: context.names === undefined ? [key] : [...context.names, key] }
}

/** A string or number token as JSON after masking. */
function maskToken(
  value: Uint8Array,
  token: { readonly start: number; readonly end: number },
  context: SpanContext,
): Replaced {
  const raw = value.subarray(token.start, token.end)
  const inner = raw[0] === QUOTE ? decode(raw) : raw
  if (!context.detectors.mayHold(inner, 0, inner.length)) return undefined
  const masked = maskText(inner, withKey(value, token.start, context))
  return masked === undefined || masked === null ? masked : jsonString(masked)
}

/** The bytes that a string token stands for. */
function decode(raw: Uint8Array): Uint8Array {
  if (!raw.includes(BACKSLASH)) return raw.subarray(1, -1)
  try {
    const text: unknown = JSON.parse(Buffer.from(raw).toString('utf8'))
    if (typeof text === 'string') return Buffer.from(text)
  } catch {
    // Control characters or an unknown escape: not JSON, and read as it stands.
  }
  return raw.subarray(1, -1)
}

function replace(value: Uint8Array, hits: readonly Hit[], context: SpanContext): Buffer | null {
  const parts: Buffer[] = []
  let length = value.length
  let isNull = false
  for (const hit of hits) {
    count(context.tally, hit.detector)
    const masked = maskHit(value, hit, context.key)
    if (masked === null) isNull = true
    else {
      parts.push(masked)
      length += masked.length - (hit.end - hit.start)
    }
  }
  return isNull ? null : join(value, hits, { parts, length })
}

function maskHit(value: Uint8Array, hit: Hit, key: MaskKey): Buffer | null {
  if (hit.transform.type === 'redact') return REDACTED_BYTES
  const span = value.subarray(hit.start, hit.end)
  const { transform } = hit
  return transformText(span, transform, {
    key: transform.type === 'hash' ? keyOfHits(key) : key,
    lengthMax: 0,
  })
}

const hitKeys = new WeakMap<MaskKey, MaskKey>()

/**
 * Whoever may read has any value hashed that a detector finds: `SELECT '4111…'`. Under the key of columns it could be compared
 * with what they show, where no condition on them passes.
 */
function keyOfHits(key: MaskKey): MaskKey {
  let made = hitKeys.get(key)
  if (made === undefined) {
    made = createHmac('sha256', key).update('what detectors find').digest()
    hitKeys.set(key, made)
  }
  return made
}

const REDACTED_BYTES = Buffer.from(REDACTED)

/** The value with each hit replaced by its part. */
function join(
  value: Uint8Array,
  hits: readonly Hit[],
  by: { readonly parts: readonly Buffer[]; readonly length: number },
): Buffer {
  const out = Buffer.allocUnsafe(by.length)
  let size = 0
  let from = 0
  for (const [index, hit] of hits.entries()) {
    out.set(value.subarray(from, hit.start), size)
    size += hit.start - from
    out.set(by.parts[index]!, size)
    size += by.parts[index]!.length
    from = hit.end
  }
  out.set(value.subarray(from), size)
  return out
}
