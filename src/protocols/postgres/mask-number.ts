/**
 * Pure. Pseudonyms of whole numbers and dates as PostgreSQL writes them, in text and binary.
 *
 * Dates in text are read in ISO form only (`DateStyle = ISO`, the default); others, infinity and years outside 1 to
 * 9999 have no pseudonym and become NULL.
 */
import type { TypeFamily } from '../../mask/plan.ts'
import type { PseudonymDomain } from '../../mask/pseudonym.ts'
import { pseudonymDays, pseudonymInteger } from '../../mask/pseudonym-number.ts'

const BINARY = 1
const SIZE = { int2: 2, int4: 4, int8: 8 } as const
const DAY_MS = 86_400_000
const YEAR_2000_MS = Date.UTC(2000, 0, 1)

export type NumberFamily = keyof typeof SIZE | 'date'

export function isNumber(family: TypeFamily): family is NumberFamily {
  return family === 'int2' || family === 'int4' || family === 'int8' || family === 'date'
}

/** null: no pseudonym, or not written as its type says. */
export function pseudonymNumber(
  value: Uint8Array,
  type: { readonly family: NumberFamily; readonly format: number },
  domain: PseudonymDomain,
): Buffer | null {
  const { family, format } = type
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  if (family === 'date') return format === BINARY ? days(bytes, domain) : date(bytes, domain)
  if (format === BINARY) {
    if (bytes.length !== SIZE[family]) return null
    const mixed = pseudonymInteger(readInteger(bytes), family, domain)
    const out = Buffer.allocUnsafe(8)
    out.writeBigInt64BE(mixed)
    return out.subarray(8 - SIZE[family])
  }
  const text = bytes.toString('latin1')
  if (!/^-?[0-9]{1,19}$/.test(text)) return null
  const read = BigInt(text)
  if (BigInt.asIntN(SIZE[family] * 8, read) !== read) return null
  return Buffer.from(pseudonymInteger(read, family, domain).toString())
}

function readInteger(bytes: Buffer): bigint {
  if (bytes.length === 2) return BigInt(bytes.readInt16BE(0))
  return bytes.length === 4 ? BigInt(bytes.readInt32BE(0)) : bytes.readBigInt64BE(0)
}

function days(bytes: Buffer, domain: PseudonymDomain): Buffer | null {
  if (bytes.length !== 4) return null
  const mixed = pseudonymDays(bytes.readInt32BE(0), domain)
  if (mixed === undefined) return null
  const out = Buffer.allocUnsafe(4)
  out.writeInt32BE(mixed)
  return out
}

function date(bytes: Buffer, domain: PseudonymDomain): Buffer | null {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(bytes.toString('latin1'))
  if (match === null) return null
  const time = new Date(0)
  // Unlike Date.UTC, this takes years below 100 as they are.
  time.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  const mixed = pseudonymDays((time.getTime() - YEAR_2000_MS) / DAY_MS, domain)
  if (mixed === undefined) return null
  const day = new Date(mixed * DAY_MS + YEAR_2000_MS).toISOString()
  return Buffer.from(day.substring(0, 10))
}
