/**
 * Pure. Payment card numbers: digits in one run or in groups, with a known issuer, its length and a
 * Luhn digit (ISO/IEC 7812-1). Groups of a number share one separator (space, `-` or `.`) and have
 * at least four digits but for the last, so that dates and lists of small numbers are none.
 */
import { luhn } from './checksum.ts'
import { ascii, type Detector, isAlphanumeric, isDigit, NONE, type Span } from './detector.ts'

/** First digits from–to (of equal length), and the lengths that their issuers use. */
const ISSUERS: readonly (readonly [from: number, to: number, least: number, most: number])[] = [
  [4, 4, 13, 13], // Visa
  [4, 4, 16, 16],
  [4, 4, 19, 19],
  [51, 55, 16, 16], // Mastercard
  [2221, 2720, 16, 16],
  [34, 34, 15, 15], // American Express
  [37, 37, 15, 15],
  [6011, 6011, 16, 19], // Discover
  [644, 649, 16, 19],
  [65, 65, 16, 19],
  [300, 305, 14, 19], // Diners Club
  [3095, 3095, 14, 19],
  [36, 36, 14, 19],
  [38, 39, 14, 19],
  [3528, 3589, 16, 19], // JCB
  [62, 62, 16, 19], // UnionPay
  [81, 81, 16, 19],
  [2200, 2204, 16, 19], // Mir
  [5018, 5018, 12, 19], // Maestro
  [5020, 5020, 12, 19],
  [5038, 5038, 12, 19],
  [5893, 5893, 12, 19],
  [6304, 6304, 12, 19],
  [6759, 6759, 12, 19],
  [6761, 6763, 12, 19],
  [508500, 508999, 16, 16], // RuPay
  [606985, 607984, 16, 16],
  [608001, 608500, 16, 16],
]

const DIGITS_LEAST = 12
const DIGITS_MOST = 19
const IBAN_HEAD = /^[A-Z]{2}[0-9]{2} $/
const SHORT = 13
const SHORT_SCORE = 30
/**
 * A longer chain of groups is a table of numbers; each start still looks at no more than this many.
 */
const GROUPS_MOST = 7

export const creditCard: Detector = {
  id: 'credit_card',
  version: 2,
  group: 'payment',
  finds: 'payment card numbers, in groups too',
  checked: 'issuer, its lengths, Luhn',
  forms: [{ source: '[0-9](?:[ .-]?[0-9]){11,}', score: 75 }],
  words: ['card', 'visa', 'maestro', 'credit', 'pan', 'karte', 'carte', 'tarjeta', 'cc'],
  probe: '[0-9](?:[ .-]?[0-9]){11}',
  needs: { length: DIGITS_LEAST, digits: DIGITS_LEAST },
  confirm(bytes, start, end) {
    // Within the groups of an account number: `DE02 5559 8679 1001 3461 01`.
    if (IBAN_HEAD.test(ascii(bytes, Math.max(0, start - 5), start))) return NONE
    const groups = groupsOf(bytes, start, end)
    let found: Span[] | undefined
    for (let first = 0; first < groups.length; ) {
      const last = numberAt(bytes, groups, first)
      if (last < 0) {
        first++
        continue
      }
      found ??= []
      const [start, stop] = [groups[first]!.start, groups[last]!.end]
      // Cards of thirteen digits are old, article numbers of thirteen digits are everywhere.
      const isShort = digitsIn(bytes, start, stop) <= SHORT
      found.push(isShort ? { start, end: stop, score: SHORT_SCORE } : { start, end: stop })
      first = last + 1
    }
    return found ?? NONE
  },
}

function digitsIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) if (isDigit(bytes[at])) count++
  return count
}

/** Runs of digits in [start, end). */
function groupsOf(bytes: Uint8Array, start: number, end: number): Span[] {
  const groups: Span[] = []
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) continue
    const from = at
    while (at < end && isDigit(bytes[at])) at++
    groups.push({ start: from, end: at })
  }
  return groups
}

/**
 * Index of the last group of a card number that begins with group `first`, the longest one; -1 when
 * none does.
 */
function numberAt(bytes: Uint8Array, groups: readonly Span[], first: number): number {
  let digits = ''
  let found = -1
  const separator = bytes[groups[first]!.end]
  for (let index = first; index < groups.length && index < first + GROUPS_MOST; index++) {
    const group = groups[index]!
    if (index > first) {
      const before = groups[index - 1]!
      if (before.end - before.start < 4 || bytes[before.end] !== separator) break
    }
    if (digits.length + group.end - group.start > DIGITS_MOST) break
    for (let at = group.start; at < group.end; at++) digits += String.fromCharCode(bytes[at]!)
    // Letters may touch a number in one run (`PAN4111…`); in groups they make it part of something
    // else.
    const apart =
      index === first ||
      !(isAlphanumeric(bytes[groups[first]!.start - 1]) || isAlphanumeric(bytes[group.end]))
    if (apart && isCard(digits)) found = index
  }
  return found
}

function isCard(digits: string): boolean {
  if (digits.length < DIGITS_LEAST || !luhn(digits)) return false
  for (const [from, to, least, most] of ISSUERS) {
    if (digits.length < least || digits.length > most) continue
    const head = Number(digits.substring(0, String(from).length))
    if (head >= from && head <= to) return true
  }
  return false
}
