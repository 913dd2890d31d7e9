/**
 * Pure. What a detector is: patterns that find candidates, a check that confirms them, and words
 * beside them that make them likelier.
 *
 * Patterns are RE2 sources over raw bytes and use ASCII classes where they can: bytes that are no
 * UTF-8 then only end a run and never hide what stands beside them. `needs` and `probe` are
 * necessary conditions: whatever a pattern and the check accept must satisfy both, or a secret
 * would slip past the fast path (a property test holds each detector to that).
 */

/** Bytes [start, end) of the scanned value. */
export interface Span {
  readonly start: number
  readonly end: number
  /** Where the check is less or more sure than the form. */
  readonly score?: number
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
  /** Longest run of digits. */
  readonly digitRun?: number
  /** Digits in the longest run of digits and `space ( ) . + / -`. */
  readonly chain?: number
  /** Longest run of letters and digits. */
  readonly alphanumericRun?: number
  /** Longest run of [A-Za-z0-9_+/=.-]. */
  readonly run?: number
  /** Longest of these runs that holds small letters, capital ones and digits. */
  readonly mixedRun?: number
  /** Longest of these runs that holds two dots. */
  readonly dottedRun?: number
  readonly colons?: number
  /** Somewhere two letters stand before two digits. */
  readonly lettersBeforeDigits?: boolean
  /** Somewhere four of `_+/=.-` stand in a row. */
  readonly fourSigns?: boolean
  /** One of `= : ' "` stands somewhere. */
  readonly assigns?: boolean
}

/** One way in which something is written. */
export interface Form {
  /** RE2 source of the candidates; each runs on its own, so that none hides what another finds. */
  readonly source: string
  /** 0 to 100: how sure a confirmed candidate is by itself, with no word beside it. */
  readonly score: number
  /** Beyond those of the detector and what the source itself says (pattern-needs.ts). */
  readonly needs?: Partial<Needs>
}

/** From this score on a candidate is a hit. */
export const SCORE_LEAST = 50
/** What one of a detector's words nearby adds, and one of its doubts takes away. */
export const WORD_SCORE = 40
export const DOUBT_SCORE = 25

export const GROUPS = [
  'payment',
  'identity',
  'health',
  'contact',
  'network',
  'cloud',
  'delivery',
  'service',
  'secret',
] as const

export interface Detector {
  readonly id: string
  /** Rises when it begins or ceases to match something. */
  readonly version: number
  readonly group: (typeof GROUPS)[number] | 'custom'
  /** What it finds, for the README. */
  readonly finds: string
  /** What confirms a candidate beyond its form; '' when nothing does. */
  readonly checked: string
  readonly forms: readonly Form[]
  /**
   * RE2 source that every match holds, without any assumption on what stands before and after it.
   */
  readonly probe: string
  readonly needs: Needs
  /** Lower-case words: beside a candidate, or in the name of its column or key, they raise it. */
  readonly words?: readonly string[]
  /** Lower-case words that, right before a candidate, speak against it. */
  readonly doubts?: readonly string[]
  /**
   * True: nothing is confirmed that begins within a run of digits, so that the rest of a run that
   * was no candidate need not be tried.
   */
  readonly isWhole?: boolean
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

/** Signs that join numbers to longer ones: `1-123-45-6789`, `10.0.0.1.2`. */
const JOINTS = new Set([0x2d, 0x2e, 0x2f])

/**
 * Nothing that belongs to the same word or number stands right before or after [start, end).
 */
export function isApart(bytes: Uint8Array, start: number, end: number): boolean {
  const before = bytes[start - 1]
  const after = bytes[end]
  if (isAlphanumeric(before) || isAlphanumeric(after)) return false
  if (before !== undefined && JOINTS.has(before) && isDigit(bytes[start - 2])) return false
  return !(after !== undefined && JOINTS.has(after) && isDigit(bytes[end + 1]))
}
