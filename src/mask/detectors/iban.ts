/**
 * Pure. International bank account numbers (ISO 13616): a known country, the length of its numbers,
 * mod 97 = 1. Written in one run or in groups of four; upper or lower case.
 */
import { type Detector, isAlphanumeric, isDigit, NONE } from './detector.ts'

/** Characters by country, after the SWIFT registry of IBAN formats. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 ' +
    'DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 ' +
    'HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 ' +
    'MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 ' +
    'RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 ' +
    'VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.substring(0, 2), Number(entry.substring(2))]),
)

export const iban: Detector = {
  id: 'iban',
  version: 1,
  group: 'payment',
  finds: 'international bank account numbers, in groups too',
  checked: 'length by country, mod 97',
  // Only the head: how far a number reaches, its country says.
  forms: [{ source: '\\b[A-Za-z]{2}[0-9]{2}', score: 90 }],
  probe: '[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}',
  needs: { length: 15, digits: 2, lettersBeforeDigits: true },
  confirm(bytes, start) {
    const country = String.fromCharCode(bytes[start]!, bytes[start + 1]!).toUpperCase()
    const length = LENGTHS.get(country)
    if (length === undefined) return NONE
    const end = reach(bytes, start, length)
    if (end < 0 || isAlphanumeric(bytes[end])) return NONE
    return remainder(bytes, start, end) === 1 ? [{ start, end }] : NONE
  },
}

/**
 * End of `length` letters and digits from `start` on, with one space or dash allowed after every
 * fourth; -1.
 */
function reach(bytes: Uint8Array, start: number, length: number): number {
  let at = start
  for (let count = 0; count < length; count++) {
    if (count > 0 && count % 4 === 0 && (bytes[at] === 0x20 || bytes[at] === 0x2d)) at++
    if (!isAlphanumeric(bytes[at])) return -1
    at++
  }
  return at
}

/**
 * mod 97 of the number with its first four characters moved to the end and letters read as 10…35.
 */
function remainder(bytes: Uint8Array, start: number, end: number): number {
  let rest = 0
  const add = (byte: number): void => {
    if (isDigit(byte)) rest = (rest * 10 + byte - 0x30) % 97
    else if (isAlphanumeric(byte)) rest = (rest * 100 + (byte | 0x20) - 0x61 + 10) % 97
  }
  for (let at = start + 4; at < end; at++) add(bytes[at]!)
  for (let at = start; at < start + 4; at++) add(bytes[at]!)
  return rest
}
