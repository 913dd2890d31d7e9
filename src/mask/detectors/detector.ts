/**
 * Pure. What a detector is: a pattern that finds candidates and a check that confirms them.
 *
 * Patterns are RE2 sources over raw bytes and use ASCII classes where they can: bytes that are no
 * UTF-8 then only end a run and never hide what stands beside them. `needs` and `probe` are
 * necessary conditions: whatever the pattern and the check accept must satisfy both, or a secret
 * would slip past the fast path (a property test holds each detector to that).
 */

/** Bytes [start, end) of the scanned value. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Counted over a value in one cheap pass; more bytes around a match can only raise each of them.
 */
export interface Needs {
  /** Bytes. */
  readonly length: number
  readonly at?: boolean
  /** Decimal digits in all. */
  readonly digits?: number
  /** Longest run of [A-Za-z0-9_+/=.-]. */
  readonly run?: number
  /** Somewhere two letters stand before two digits. */
  readonly lettersBeforeDigits?: boolean
  /** Somewhere four of `_+/=.-` stand in a row. */
  readonly fourSigns?: boolean
}

export interface Detector {
  readonly id: string
  /** Rises when it begins or ceases to match something. */
  readonly version: number
  /** RE2 sources of the candidates; each runs on its own, so that none hides what another finds. */
  readonly patterns: readonly string[]
  /**
   * RE2 source that every match holds, without any assumption on what stands before and after it.
   */
  readonly probe: string
  readonly needs: Needs
  /**
   * The parts of the candidate [start, end) that are hits, in order and apart; it may read on past
   * `end`. None: a false alarm.
   */
  confirm(bytes: Uint8Array, start: number, end: number): readonly Span[]
}

export const NONE: readonly Span[] = []

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

export function isLetter(byte: number | undefined): boolean {
  if (byte === undefined) return false
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

export function isAlphanumeric(byte: number | undefined): boolean {
  return isDigit(byte) || isLetter(byte)
}

/** ASCII text of a span whose bytes are known to be ASCII. */
export function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
