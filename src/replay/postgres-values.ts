/**
 * Pure. Values in binary as PostgreSQL writes them in text, for the types that clients ask for in binary.
 * https://github.com/postgres/postgres/tree/master/src/backend/utils/adt (the `…send` functions)
 */
import { isUtf8 } from 'node:buffer'
import type { Value } from './timeline.ts'

interface Type {
  readonly name: string
  /** undefined: the bytes are none of this type. */
  readonly read: (bytes: Buffer) => string | undefined
}

/** 2000-01-01, in milliseconds since 1970. */
const EPOCH_MS = 946_684_800_000
const DAY_MS = 86_400_000

const sized =
  (size: number, read: (bytes: Buffer) => string): Type['read'] =>
  (bytes) =>
    bytes.length === size ? read(bytes) : undefined
const text: Type['read'] = (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : undefined)

const TYPES: Readonly<Record<number, Type>> = {
  16: { name: 'bool', read: sized(1, (bytes) => (bytes[0] === 0 ? 'f' : 't')) },
  17: { name: 'bytea', read: (bytes) => `\\x${bytes.toString('hex')}` },
  18: { name: 'char', read: text },
  19: { name: 'name', read: text },
  20: { name: 'int8', read: sized(8, (bytes) => String(bytes.readBigInt64BE(0))) },
  21: { name: 'int2', read: sized(2, (bytes) => String(bytes.readInt16BE(0))) },
  23: { name: 'int4', read: sized(4, (bytes) => String(bytes.readInt32BE(0))) },
  25: { name: 'text', read: text },
  26: { name: 'oid', read: sized(4, (bytes) => String(bytes.readUInt32BE(0))) },
  114: { name: 'json', read: text },
  142: { name: 'xml', read: text },
  700: { name: 'float4', read: sized(4, (bytes) => float4(bytes.readFloatBE(0))) },
  701: { name: 'float8', read: sized(8, (bytes) => float(bytes.readDoubleBE(0))) },
  705: { name: 'unknown', read: text },
  1042: { name: 'bpchar', read: text },
  1043: { name: 'varchar', read: text },
  1082: { name: 'date', read: sized(4, (bytes) => date(bytes.readInt32BE(0))) },
  1114: { name: 'timestamp', read: sized(8, (bytes) => moment(bytes.readBigInt64BE(0))) },
  1184: { name: 'timestamptz', read: sized(8, (bytes) => zoned(bytes.readBigInt64BE(0))) },
  1700: { name: 'numeric', read: numeric },
  2950: { name: 'uuid', read: sized(16, uuid) },
  3802: { name: 'jsonb', read: (bytes) => (bytes[0] === 1 ? text(bytes.subarray(1)) : undefined) },
}

export function typeName(oid: number): string {
  return TYPES[oid]?.name ?? String(oid)
}

export function binaryValue(oid: number, bytes: Buffer): Value {
  return TYPES[oid]?.read(bytes) ?? { hex: bytes.toString('hex') }
}

function float(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The shortest that means the same float4. */
function float4(value: number): string {
  if (!Number.isFinite(value)) return float(value)
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return float(short)
  }
  return float(value)
}

function date(days: number): string {
  if (days === 0x7fffffff) return 'infinity'
  if (days === -0x80000000) return '-infinity'
  return isoOf(EPOCH_MS + days * DAY_MS)?.substring(0, 10) ?? `${days} days since 2000-01-01`
}

function moment(us: bigint): string {
  if (us === 0x7fffffffffffffffn) return 'infinity'
  if (us === -0x8000000000000000n) return '-infinity'
  const fraction = ((us % 1_000_000n) + 1_000_000n) % 1_000_000n
  const whole = isoOf(EPOCH_MS + Number((us - fraction) / 1000n))
  if (whole === undefined) return `${us} us since 2000-01-01`
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`
  return `${whole.substring(0, 19).replace('T', ' ')}${digits}`
}

function zoned(us: bigint): string {
  const local = moment(us)
  return /^-?[iI\d]/.test(local) && local.includes('-') && local.includes(':')
    ? `${local}+00`
    : local
}

/** undefined beyond the years that both sides write alike. */
function isoOf(ms: number): string | undefined {
  const iso = Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : ''
  return /^\d{4}-/.test(iso) && !iso.startsWith('0000') ? iso : undefined
}

function uuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Digits to the base of 10,000, the weight of the first, sign, and digits behind the point. */
function numeric(bytes: Buffer): string | undefined {
  if (bytes.length < 8) return undefined
  const count = bytes.readUInt16BE(0)
  const weight = bytes.readInt16BE(2)
  const sign = bytes.readUInt16BE(4)
  const scale = bytes.readUInt16BE(6)
  if (bytes.length !== 8 + count * 2 || scale > 16_383) return undefined
  const special = SPECIAL[sign]
  if (special !== undefined) return special
  if (sign !== 0 && sign !== 0x4000) return undefined
  const digit = (i: number) => (i >= 0 && i < count ? bytes.readUInt16BE(8 + i * 2) : 0)
  const groups: string[] = []
  for (let i = 0; i <= weight; i++) groups.push(String(digit(i)).padStart(4, '0'))
  const whole = groups.join('').replace(/^0+(?=\d)/, '') || '0'
  const behind: string[] = []
  for (let i = 0; i * 4 < scale; i++) behind.push(String(digit(weight + 1 + i)).padStart(4, '0'))
  const fraction = behind.join('').substring(0, scale)
  return `${sign === 0x4000 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

const SPECIAL: Readonly<Record<number, string>> = {
  49152: 'NaN',
  53248: 'Infinity',
  61440: '-Infinity',
}
