/**
 * Pure. What a value is made of, counted in one pass over its bytes that allocates nothing: the
 * first sieve before any pattern. More bytes around a value can only raise each of its traits.
 */
import type { Needs } from './detectors/detector.ts'

/** Of which runs of digits with signs between them are made. */
export const CHAINED = '0123456789 ().+/-'
/** Of which tokens are made. */
export const TOKEN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+/=.-'

/** Places of the traits in what `traitsOf` fills. */
export const LENGTH = 0
export const DIGITS = 1
export const DIGIT_RUN = 2
export const CHAIN = 3
export const ALPHANUMERIC_RUN = 4
export const RUN = 5
export const MIXED_RUN = 6
export const DOTTED_RUN = 7
export const COLONS = 8
export const FLAGS = 9
export const TRAITS = 10

const AT = 1
const LETTERS_BEFORE_DIGITS = 2
const FOUR_SIGNS = 4
const ASSIGNS = 8

/** Up to 2 letters, 3 digit, 4 and above signs, which are bits. */
const LOWER = 1
const UPPER = 2
const DIGIT = 3
const IN_CHAIN = 4
const IN_TOKEN = 8
const OTHER = 16
const HAS_DIGIT = 4
/** Bits of all three. */
const MIXED = LOWER | UPPER | HAS_DIGIT

const KIND = new Uint8Array(256).fill(OTHER)
for (let byte = 0; byte < 128; byte++) {
  const char = String.fromCharCode(byte)
  const isChained = CHAINED.includes(char)
  const isToken = TOKEN.includes(char)
  if (isChained || isToken) KIND[byte] = (isChained ? IN_CHAIN : 0) | (isToken ? IN_TOKEN : 0)
}
for (let byte = 0x61; byte <= 0x7a; byte++) KIND[byte] = LOWER
for (let byte = 0x41; byte <= 0x5a; byte++) KIND[byte] = UPPER
for (let byte = 0x30; byte <= 0x39; byte++) KIND[byte] = DIGIT

const AT_SIGN = 0x40
const COLON = 0x3a
const EQUALS = 0x3d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const DOT = 0x2e

/** Fills `out` with the traits of [start, end). */
export function traitsOf(bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  for (let at = 0; at < TRAITS; at++) out[at] = 0
  out[LENGTH] = end - start
  let digitRun = 0
  let chain = 0
  let wordStart = start
  let runStart = start
  let mix = 0
  let dots = 0
  let signs = 0
  let lastSign = -1
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    const kind = KIND[byte]!
    if (kind < DIGIT) {
      mix |= kind
      if (chain === 0) continue
      closeNumber(out, digitRun, chain)
      digitRun = 0
      chain = 0
      continue
    }
    if (kind === DIGIT) {
      digitRun++
      chain++
      mix |= HAS_DIGIT
      if (digitRun === 2 && at - start > 2 && KIND[bytes[at - 2]!]! < DIGIT) {
        if (KIND[bytes[at - 3]!]! < DIGIT) out[FLAGS]! |= LETTERS_BEFORE_DIGITS
      }
      continue
    }
    if (digitRun !== 0) closeNumber(out, digitRun, chain)
    digitRun = 0
    if ((kind & IN_CHAIN) === 0) chain = 0
    if (at - wordStart > out[ALPHANUMERIC_RUN]!) out[ALPHANUMERIC_RUN] = at - wordStart
    wordStart = at + 1
    if ((kind & IN_TOKEN) !== 0) {
      if (byte === DOT) dots++
      else if (byte === EQUALS) out[FLAGS]! |= ASSIGNS
      signs = lastSign === at - 1 ? signs + 1 : 1
      lastSign = at
      if (signs === 4) out[FLAGS]! |= FOUR_SIGNS
      continue
    }
    closeRun(out, at - runStart, mix, dots)
    runStart = at + 1
    mix = 0
    dots = 0
    if (kind === OTHER) noteSign(out, byte)
  }
  closeNumber(out, digitRun, chain)
  if (end - wordStart > out[ALPHANUMERIC_RUN]!) out[ALPHANUMERIC_RUN] = end - wordStart
  closeRun(out, end - runStart, mix, dots)
}

/** `digitRun` digits end here, `chain` of them in their chain so far. */
function closeNumber(out: Int32Array, digitRun: number, chain: number): void {
  out[DIGITS]! += digitRun
  if (digitRun > out[DIGIT_RUN]!) out[DIGIT_RUN] = digitRun
  if (chain > out[CHAIN]!) out[CHAIN] = chain
}

function closeRun(out: Int32Array, run: number, mix: number, dots: number): void {
  if (run > out[RUN]!) out[RUN] = run
  if (mix === MIXED && run > out[MIXED_RUN]!) out[MIXED_RUN] = run
  if (dots > 1 && run > out[DOTTED_RUN]!) out[DOTTED_RUN] = run
}

function noteSign(out: Int32Array, byte: number): void {
  if (byte === AT_SIGN) out[FLAGS]! |= AT
  else if (byte === QUOTE || byte === APOSTROPHE) out[FLAGS]! |= ASSIGNS
  else if (byte === COLON) {
    out[FLAGS]! |= ASSIGNS
    out[COLONS]!++
  }
}

/** Needs as they are compared with traits, place by place. */
export function needsRow(needs: Needs): Int32Array {
  const row = new Int32Array(TRAITS)
  row[LENGTH] = needs.length
  row[DIGITS] = needs.digits ?? 0
  row[DIGIT_RUN] = needs.digitRun ?? 0
  row[CHAIN] = needs.chain ?? 0
  row[ALPHANUMERIC_RUN] = needs.alphanumericRun ?? 0
  row[RUN] = needs.run ?? 0
  row[MIXED_RUN] = needs.mixedRun ?? 0
  row[DOTTED_RUN] = needs.dottedRun ?? 0
  row[COLONS] = needs.colons ?? 0
  if (needs.at) row[FLAGS]! |= AT
  if (needs.lettersBeforeDigits) row[FLAGS]! |= LETTERS_BEFORE_DIGITS
  if (needs.fourSigns) row[FLAGS]! |= FOUR_SIGNS
  if (needs.assigns) row[FLAGS]! |= ASSIGNS
  return row
}
