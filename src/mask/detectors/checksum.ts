/**
 * Pure. Check digits of numbers, over texts that are known to be digits: Luhn, weighted sums,
 * ISO 7064, Verhoeff, and dates that stand inside numbers.
 */

/** ISO/IEC 7812-1, annex B. */
export function luhn(digits: string): boolean {
  let sum = 0
  let double = false
  for (let at = digits.length - 1; at >= 0; at--) {
    const digit = digits.charCodeAt(at) - 0x30
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
    double = !double
  }
  return sum % 10 === 0
}

/** Sum of the first digits, each times its weight. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < weights.length; at++) {
    sum += (digits.charCodeAt(at) - 0x30) * weights[at]!
  }
  return sum
}

/** Remainder of a number of any length. */
export function remainder(digits: string, modulus: number): number {
  let rest = 0
  for (let at = 0; at < digits.length; at++) {
    rest = (rest * 10 + digits.charCodeAt(at) - 0x30) % modulus
  }
  return rest
}

/** ISO 7064, MOD 11,10: the last digit is the check digit. */
export function isoMod11And10(digits: string): boolean {
  let product = 10
  for (let at = 0; at < digits.length - 1; at++) {
    const sum = (digits.charCodeAt(at) - 0x30 + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - 0x30
}

/** J. Verhoeff, Error Detecting Decimal Codes, 1969: the dihedral group of order ten. */
export function verhoeff(digits: string): boolean {
  let check = 0
  for (let at = digits.length - 1, place = 0; at >= 0; at--, place++) {
    check = dihedral(check, permuted(digits.charCodeAt(at) - 0x30, place % 8))
  }
  return check === 0
}

function dihedral(one: number, other: number): number {
  if (one < 5) return other < 5 ? (one + other) % 5 : ((one + other) % 5) + 5
  return other < 5 ? ((one - other + 10) % 5) + 5 : (one - other + 10) % 5
}

const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

function permuted(digit: number, times: number): number {
  let made = digit
  for (let time = 0; time < times; time++) made = PERMUTATION[made]!
  return made
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A month and a day that go together, the 29th of February included. */
export function isDate(month: number, day: number): boolean {
  const days = DAYS[month - 1]
  return days !== undefined && day >= 1 && day <= days
}

/** The two digits at `at` as a number. */
export function two(digits: string, at: number): number {
  return (digits.charCodeAt(at) - 0x30) * 10 + digits.charCodeAt(at + 1) - 0x30
}

/** One digit over and over: passes many checks, and is nobody's. */
export function isOneDigit(digits: string): boolean {
  return digits.split('').every((digit) => digit === digits[0])
}
