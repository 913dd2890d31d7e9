/**
 * Pure. Numbers by which states of Asia, Oceania and Africa know people: Australia, China, Hong
 * Kong, India, Japan, Singapore, South Africa, South Korea.
 */
import { isDate, luhn, two, verhoeff, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

export const inAadhaar: Detector = numberDetector({
  id: 'in_aadhaar',
  group: 'identity',
  finds: 'Indian Aadhaar numbers',
  checked: 'first digit, Verhoeff',
  forms: [
    { source: '[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}', score: 40 },
    { source: '[2-9][0-9]{11}', score: 25 },
  ],
  needs: { length: 12, digits: 12 },
  words: ['aadhaar', 'aadhar', 'uidai', 'आधार'],
  isValid: verhoeff,
})

export const inPan: Detector = numberDetector({
  id: 'in_pan',
  group: 'identity',
  finds: 'Indian permanent account numbers',
  checked: 'kind of holder',
  forms: [{ source: '[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]', score: 55 }],
  needs: { length: 10, digits: 4, run: 10, lettersBeforeDigits: true },
  words: ['pan', 'permanent account'],
  isValid: (text) => !text.includes('0000'),
})

const CN_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

export const cnResident: Detector = numberDetector({
  id: 'cn_resident_id',
  group: 'identity',
  finds: 'Chinese resident identity numbers',
  checked: 'date, check character mod 11',
  forms: [{ source: '[1-8][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]', score: 85 }],
  needs: { length: 18, digits: 17, run: 18 },
  words: ['身份证', 'resident id'],
  isValid: (text) =>
    isDate(two(text, 10), two(text, 12)) &&
    '10X98765432'[weighted(text, CN_WEIGHTS) % 11] === text[17],
})

const RRN_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]

export const krRrn: Detector = numberDetector({
  id: 'kr_rrn',
  group: 'identity',
  finds: 'South Korean resident registration numbers',
  // Those given out since October 2020 have no check digit; a word beside them then has to do.
  checked: 'date, check digit mod 11',
  forms: [
    { source: '[0-9]{6}-[1-8][0-9]{6}', score: 75 },
    { source: '[0-9]{6}[1-8][0-9]{6}', score: 35 },
  ],
  needs: { length: 13, digits: 13 },
  words: ['rrn', '주민등록번호', 'resident registration'],
  isValid: (text) =>
    isDate(two(text, 2), two(text, 4)) &&
    (11 - (weighted(text, RRN_WEIGHTS) % 11)) % 10 === Number(text[12]),
})

const JP_WEIGHTS = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]

export const jpMyNumber: Detector = numberDetector({
  id: 'jp_my_number',
  group: 'identity',
  finds: 'Japanese individual numbers',
  checked: 'check digit mod 11',
  forms: [
    { source: '[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}', score: 30 },
    { source: '[0-9]{12}', score: 20 },
  ],
  needs: { length: 12, digits: 12 },
  words: ['my number', 'mynumber', 'my_number', 'マイナンバー', '個人番号'],
  isValid(text) {
    const rest = weighted(text, JP_WEIGHTS) % 11
    return (rest < 2 ? 0 : 11 - rest) === Number(text[11])
  },
})

const NRIC_WEIGHTS = [2, 7, 6, 5, 4, 3, 2]
const NRIC_LETTERS: Readonly<Record<string, readonly [offset: number, letters: string]>> = {
  S: [0, 'JZIHGFEDCBA'],
  T: [4, 'JZIHGFEDCBA'],
  F: [0, 'XWUTRQPNMLK'],
  G: [4, 'XWUTRQPNMLK'],
  M: [3, 'XWUTRQPNJLK'],
}

export const sgNric: Detector = numberDetector({
  id: 'sg_nric',
  group: 'identity',
  finds: 'Singaporean NRIC and FIN numbers',
  checked: 'check letter, mod 11',
  forms: [
    { source: '[STFGM][0-9]{7}[A-Z]', score: 75 },
    { source: '(?i:[STFGM][0-9]{7}[A-Z])', score: 30 },
  ],
  needs: { length: 9, digits: 7, run: 9 },
  words: ['nric', 'fin'],
  isValid(text) {
    const [offset, letters] = NRIC_LETTERS[text[0]!]!
    return letters[(weighted(text.substring(1), NRIC_WEIGHTS) + offset) % 11] === text[8]
  },
})

export const hkId: Detector = numberDetector({
  id: 'hk_id',
  group: 'identity',
  finds: 'Hong Kong identity card numbers',
  checked: 'check digit mod 11',
  forms: [
    { source: '[A-Z]{1,2}[0-9]{6}\\([0-9A]\\)', score: 85 },
    { source: '[A-Z]{1,2}[0-9]{6}[0-9A]', score: 25 },
  ],
  needs: { length: 8, digits: 6 },
  words: ['hkid', 'hong kong id', 'identity card'],
  isValid(text) {
    // A missing first letter counts as 36.
    const letters = text.length === 8 ? [36, text.charCodeAt(0) - 55] : []
    if (text.length === 9) letters.push(text.charCodeAt(0) - 55, text.charCodeAt(1) - 55)
    const last = text.at(-1) === 'A' ? 10 : Number(text.at(-1))
    const digits = weighted(text.substring(text.length - 7), [7, 6, 5, 4, 3, 2])
    return (letters[0]! * 9 + letters[1]! * 8 + digits + last) % 11 === 0
  },
})

const TFN_WEIGHTS = [1, 4, 3, 7, 5, 8, 6, 9, 10]

export const auTfn: Detector = numberDetector({
  id: 'au_tfn',
  group: 'identity',
  finds: 'Australian tax file numbers',
  checked: 'weighted sum mod 11',
  forms: [
    { source: '[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}', score: 30 },
    { source: '[0-9]{9}', score: 20 },
  ],
  needs: { length: 9, digits: 9 },
  words: ['tfn', 'tax file'],
  isValid: (text) => Number(text) > 0 && weighted(text, TFN_WEIGHTS) % 11 === 0,
})

export const zaId: Detector = numberDetector({
  id: 'za_id',
  group: 'identity',
  finds: 'South African identity numbers',
  checked: 'date, citizenship, Luhn',
  forms: [{ source: '[0-9]{6} ?[0-9]{4} ?[0-2][89][0-9]', score: 60 }],
  needs: { length: 13, digits: 13 },
  words: ['sa id', 'rsa id', 'id number', 'identity number'],
  isValid: (text) => isDate(two(text, 2), two(text, 4)) && luhn(text),
})
