/**
 * Pure. What a value is made of, counted in one pass over its bytes that allocates nothing: the
 * first sieve before any pattern. A value that meets the needs of no detector holds no hit.
 */
import type { Needs } from './detectors/detector.ts'

/** digits 8 bits, longest run 8, colons 2, then flags. Counts stop at what their bits hold. */
const COUNT_MOST = 0xff
const RUN_SHIFT = 8
const COLON_SHIFT = 16
const AT = 1 << 18
const HEAD = 1 << 19
const SIGNS = 1 << 20
const ASSIGN = 1 << 21
const FLAGS = AT | HEAD | SIGNS | ASSIGN

/**
 * Classes of bytes: 0 ends a run, 1 letter, 2 digit, 3 other token characters, 4 and above what is
 * also counted by itself.
 */
const CLASS = new Uint8Array(256)
for (let byte = 0x61; byte <= 0x7a; byte++) CLASS[byte] = 1
for (let byte = 0x41; byte <= 0x5a; byte++) CLASS[byte] = 1
for (let byte = 0x30; byte <= 0x39; byte++) CLASS[byte] = 2
for (const token of '_+/=.-') CLASS[token.charCodeAt(0)] = 3
const AT_SIGN = 4
const COLON = 5
const QUOTE = 6
CLASS[0x40] = AT_SIGN
CLASS[0x3a] = COLON
CLASS[0x22] = QUOTE
CLASS[0x27] = QUOTE
const EQUALS = 0x3d

/** Letter, letter, digit, digit, as four classes of two bits. */
const LETTERS_BEFORE_DIGITS = 0b01_01_10_10
const FOUR_SIGNS = 0b11_11_11_11

export function traitsOf(bytes: Uint8Array, start: number, end: number): number {
  let digits = 0
  let longest = 0
  let runStart = start
  let last = 0
  let colons = 0
  let flags = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    const kind = CLASS[byte]!
    if (kind === 0 || kind > 3) {
      if (at - runStart > longest) longest = at - runStart
      runStart = at + 1
      last = 0
      if (kind === 0) continue
      if (kind === AT_SIGN) flags |= AT
      else {
        flags |= ASSIGN
        if (kind === COLON) colons++
      }
      continue
    }
    last = ((last << 2) | kind) & 0xff
    if (kind === 2) {
      digits++
      if (last === LETTERS_BEFORE_DIGITS) flags |= HEAD
    } else if (kind === 3) {
      if (last === FOUR_SIGNS) flags |= SIGNS
      if (byte === EQUALS) flags |= ASSIGN
    }
  }
  if (end - runStart > longest) longest = end - runStart
  if (digits > COUNT_MOST) digits = COUNT_MOST
  if (longest > COUNT_MOST) longest = COUNT_MOST
  if (colons > 3) colons = 3
  return digits | (longest << RUN_SHIFT) | (colons << COLON_SHIFT) | flags
}

/** The needs of many detectors, each kind of need once, as they are compared. */
export class NeedsTable {
  readonly lengthLeast: number
  /** Per kind: digits, run, colons, flags, length. Side by side, as this is read for every value. */
  readonly #table: Int32Array

  constructor(needs: readonly Needs[]) {
    const rows = needs.map(packed)
    const distinct = rows.filter(
      (row, index) => !rows.some((other, at) => at !== index && implies(row, other, at < index)),
    )
    this.#table = Int32Array.from(distinct.flat())
    this.lengthLeast = Math.min(...needs.map((one) => one.length))
  }

  /** False: a value of this length with these traits meets the needs of none. */
  meets(traits: number, length: number): boolean {
    const digits = traits & COUNT_MOST
    const run = (traits >>> RUN_SHIFT) & COUNT_MOST
    const colons = (traits >>> COLON_SHIFT) & 3
    const table = this.#table
    for (let at = 0; at < table.length; at += 5) {
      if (table[at]! > digits || table[at + 1]! > run || table[at + 2]! > colons) continue
      const flags = table[at + 3]!
      if ((flags & traits) === flags && table[at + 4]! <= length) return true
    }
    return false
  }
}

function packed(needs: Needs): readonly number[] {
  let flags = needs.at ? AT : 0
  if (needs.lettersBeforeDigits) flags |= HEAD
  if (needs.fourSigns) flags |= SIGNS
  if (needs.assigns) flags |= ASSIGN
  const digits = Math.min(needs.digits ?? 0, COUNT_MOST)
  const run = Math.min(needs.run ?? 0, COUNT_MOST)
  return [digits, run, needs.colons ?? 0, flags & FLAGS, needs.length]
}

/** Whatever meets `row` meets `other`, so that `row` need not be asked; of equal ones the first stays. */
function implies(row: readonly number[], other: readonly number[], isEarlier: boolean): boolean {
  const isEqual = row.every((value, at) => value === other[at])
  if (isEqual) return isEarlier
  return row.every((value, at) =>
    at === 3 ? (value & other[at]!) === other[at]! : value >= other[at]!,
  )
}
