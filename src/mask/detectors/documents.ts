/** Pure. Passports by their machine-readable line, and mobile phones by their number. */
import { luhn, weighted } from './checksum.ts'
import { ascii, type Detector, isAlphanumeric, NONE } from './detector.ts'
import { numberDetector } from './number.ts'

const MRZ_WEIGHTS = [7, 3, 1]

/** ICAO Doc 9303, part 4: the lower line of a passport, and the upper one before it. */
export const passportMrz: Detector = {
  id: 'passport_mrz',
  version: 1,
  group: 'identity',
  finds: 'machine-readable lines of passports',
  checked: 'three check digits',
  forms: [
    {
      source:
        '(?:P[A-Z<][A-Z<]{42}[\\r\\n ]{1,2})?[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{15}[0-9]',
      score: 95,
    },
  ],
  probe: '[0-9][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}',
  needs: { length: 44, digits: 15 },
  confirm(bytes, start, end) {
    if (isAlphanumeric(bytes[start - 1]) || isAlphanumeric(bytes[end])) return NONE
    const line = ascii(bytes, end - 44, end)
    const isSound = [
      [0, 9],
      [13, 19],
      [21, 27],
    ].every(([from, to]) => checkDigit(line.substring(from!, to)) === line[to!])
    return isSound ? [{ start, end }] : NONE
  },
}

function checkDigit(text: string): string {
  let sum = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const value = code === 0x3c ? 0 : code < 0x41 ? code - 0x30 : code - 55
    sum += value * MRZ_WEIGHTS[at % 3]!
  }
  return String(sum % 10)
}

export const imei: Detector = numberDetector({
  id: 'imei',
  group: 'identity',
  finds: 'numbers of mobile phones (IMEI)',
  checked: 'Luhn',
  forms: [
    { source: '[0-9]{2}-[0-9]{6}-[0-9]{6}-[0-9]', score: 60 },
    { source: '[0-9]{15}', score: 25 },
  ],
  needs: { length: 15, digits: 15 },
  words: ['imei'],
  isValid: (text) => weighted(text, [1, 1, 1, 1, 1, 1, 1, 1]) > 0 && luhn(text),
})
