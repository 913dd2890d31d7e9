/**
 * Pure. Pseudonyms of whole numbers and dates: one way, because these types have no room for a check (semantics §5).
 *
 * Each is a keyed permutation of all values of its type, by a Feistel network (FF1 of NIST SP 800-38G in spirit): two
 * values never share a pseudonym, so that joins and groups are right; but a pseudonym may well be somebody else's
 * real number, and the gateway never translates it back. Dates stay between the years 1 and 9999.
 */
import { keyedWord } from './keyed-word.ts'
import type { PseudonymDomain } from './pseudonym.ts'

const ROUNDS = 10
/** Days between 0001-01-01 and 10000-01-01, and from 0001-01-01 to PostgreSQL's 2000-01-01. */
const DAYS = 3_652_059
const DAYS_BEFORE_2000 = 730_119
/** Even, and the least number of bits that holds DAYS. */
const DAYS_BITS = 22

export type WholeType = 'int2' | 'int4' | 'int8'

const BITS: Readonly<Record<WholeType, number>> = { int2: 16, int4: 32, int8: 64 }
/** Tells dates, whose numbers have no bits of their own, from integers. */
const DATE = 1

/** `value` must be in the type's range; so is the result. */
export function pseudonymInteger(value: bigint, type: WholeType, domain: PseudonymDomain): bigint {
  const bits = BITS[type]
  const mixed = permute(BigInt.asUintN(bits, value), bits, { domain, use: bits })
  return BigInt.asIntN(bits, mixed)
}

/** Days since 2000-01-01, as PostgreSQL counts; undefined: outside the years 1 to 9999, infinity included. */
export function pseudonymDays(days: number, domain: PseudonymDomain): number | undefined {
  let mixed = BigInt(days + DAYS_BEFORE_2000)
  if (mixed < 0n || mixed >= DAYS) return undefined
  do mixed = permute(mixed, DAYS_BITS, { domain, use: DATE })
  while (mixed >= DAYS)
  return Number(mixed) - DAYS_BEFORE_2000
}

/** A balanced Feistel network over `bits` bits, half of which are at most 32. */
function permute(
  value: bigint,
  bits: number,
  by: { readonly domain: PseudonymDomain; readonly use: number },
): bigint {
  const half = bits / 2
  const keep = 32 - half
  const key = by.domain.mixing
  let left = Number(value >> BigInt(half))
  let right = Number(BigInt.asUintN(half, value))
  for (let round = 0; round < ROUNDS; round++) {
    const mixed = (left ^ (keyedWord(key, right, (by.use << 8) | round) >>> keep)) >>> 0
    left = right
    right = mixed
  }
  return (BigInt(left) << BigInt(half)) | BigInt(right)
}
