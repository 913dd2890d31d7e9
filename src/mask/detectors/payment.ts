/**
 * Pure. What pays, besides cards (credit-card.ts) and accounts (iban.ts): the stripe of a card,
 * American routing numbers, Bitcoin addresses.
 */
import { createHash } from 'node:crypto'
import { luhn, weighted } from './checksum.ts'
import { ascii, type Detector, isAlphanumeric, NONE } from './detector.ts'
import { numberDetector } from './number.ts'

/** ISO/IEC 7813: track 1 in format B, and track 2. */
export const cardTrack: Detector = {
  id: 'card_track',
  version: 1,
  group: 'payment',
  finds: 'what stands on the magnetic stripe of a card',
  checked: 'Luhn',
  forms: [
    { source: '[Bb][0-9]{12,19}\\^[^^\\n]{2,26}\\^[0-9]{4}[^?\\n]{0,60}\\??', score: 90 },
    { source: ';[0-9]{12,19}=[0-9]{4}[0-9]{0,30}\\??', score: 90 },
  ],
  probe: '[0-9]{12}\\^|[0-9]{12}=[0-9]{4}',
  needs: { length: 18, digits: 16 },
  confirm(bytes, start, end) {
    const text = ascii(bytes, start, end)
    const number = /[0-9]+/.exec(text)
    return number !== null && luhn(number[0]) ? [{ start, end }] : NONE
  },
}

const ROUTING_WEIGHTS = [3, 7, 1, 3, 7, 1, 3, 7, 1]

export const usRouting: Detector = numberDetector({
  id: 'us_bank_routing',
  group: 'payment',
  finds: 'American bank routing numbers',
  checked: 'district, weighted sum mod 10',
  forms: [{ source: '(?:0[0-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)[0-9]{7}', score: 25 }],
  needs: { length: 9, digits: 9 },
  words: ['routing', 'aba', 'rtn'],
  isValid: (text) => Number(text) > 0 && weighted(text, ROUTING_WEIGHTS) % 10 === 0,
})

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const BECH32_GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
/** Final values of the checksum: BIP 173, and BIP 350 for what came after. */
const BECH32_SUMS = [1, 0x2bc830a3]

export const bitcoinAddress: Detector = {
  id: 'bitcoin_address',
  version: 1,
  group: 'payment',
  finds: 'Bitcoin addresses',
  checked: 'Base58Check or Bech32 checksum',
  forms: [
    { source: '[13][1-9A-HJ-NP-Za-km-z]{25,34}', score: 90 },
    { source: '(?i:bc1[02-9ac-hj-np-z]{11,71})', score: 90 },
  ],
  probe: '[13][1-9A-HJ-NP-Za-km-z]{25}|(?i:bc1)',
  needs: { length: 14, run: 14, digits: 1 },
  confirm(bytes, start, end) {
    if (isAlphanumeric(bytes[start - 1]) || isAlphanumeric(bytes[end])) return NONE
    const text = ascii(bytes, start, end)
    const isSound = /^bc1/i.test(text) ? bech32(text) : base58Check(text)
    return isSound ? [{ start, end }] : NONE
  },
}

/** 25 bytes: a version, twenty of hash, four of SHA-256 over SHA-256. */
function base58Check(text: string): boolean {
  let number = 0n
  for (const letter of text) number = number * 58n + BigInt(BASE58.indexOf(letter))
  const hex = number.toString(16).padStart(50, '0')
  if (hex.length !== 50) return false
  const raw = Buffer.from(hex, 'hex')
  const hashed = sha256(sha256(raw.subarray(0, 21)))
  return hashed.subarray(0, 4).equals(raw.subarray(21))
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function bech32(text: string): boolean {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return false
  // The letters `bc` as the checksum sees them: high bits, a nought, low bits.
  let sum = [3, 3, 0, 2, 3].reduce(mixed, 1)
  for (const letter of lower.substring(3)) sum = mixed(sum, BECH32.indexOf(letter))
  return BECH32_SUMS.includes(sum)
}

function mixed(sum: number, value: number): number {
  const top = sum >>> 25
  let made = ((sum & 0x1ffffff) << 5) ^ value
  for (let bit = 0; bit < 5; bit++) if ((top >>> bit) & 1) made ^= BECH32_GENERATOR[bit]!
  return made
}
