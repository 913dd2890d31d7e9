/**
 * Pure. Numbers by which states of southern and eastern Europe know people: Czechia and Slovakia,
 * Italy, Poland, Portugal, Romania, Spain, Turkey.
 */
import { isDate, remainder, two, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'

export const esDni: Detector = numberDetector({
  id: 'es_dni',
  group: 'identity',
  finds: 'Spanish DNI and NIE numbers',
  checked: 'check letter, mod 23',
  forms: [
    { source: '[0-9]{8}[ -]?[A-HJ-NP-TV-Z]', score: 60 },
    { source: '[XYZ][ -]?[0-9]{7}[ -]?[A-HJ-NP-TV-Z]', score: 70 },
    { source: '(?i:[0-9]{8}[A-HJ-NP-TV-Z]|[XYZ][0-9]{7}[A-HJ-NP-TV-Z])', score: 30 },
  ],
  needs: { length: 9, digits: 7 },
  words: ['dni', 'nie', 'nif', 'documento nacional'],
  isValid(text) {
    const body = text.replace('X', '0').replace('Y', '1').replace('Z', '2')
    const number = /^[XYZ]/.test(text) ? body.substring(0, 8) : text.substring(0, 8)
    return DNI_LETTERS[Number(number) % 23] === text[8]
  },
})

/** Values of letters and digits in odd places; in even ones they are worth their place. */
const FISCAL_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]
const FISCAL_DIGIT = '[0-9LMNP-V]'

export const itFiscal: Detector = numberDetector({
  id: 'it_codice_fiscale',
  group: 'identity',
  finds: 'Italian tax codes',
  checked: 'check letter',
  forms: [
    {
      source: `(?i:[A-Z]{6}${FISCAL_DIGIT}{2}[A-EHLMPR-T]${FISCAL_DIGIT}{2}[A-Z]${FISCAL_DIGIT}{3}[A-Z])`,
      score: 75,
    },
  ],
  needs: { length: 16, alphanumericRun: 16 },
  words: ['codice fiscale', 'fiscale', 'cf'],
  isValid(text) {
    let sum = 0
    for (let at = 0; at < 15; at++) {
      const code = text.charCodeAt(at)
      const value = code < 0x41 ? code - 0x30 : code - 0x41
      sum += at % 2 === 0 ? FISCAL_ODD[value]! : value
    }
    return (sum % 26) + 0x41 === text.charCodeAt(15)
  },
})

const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]

export const plPesel: Detector = numberDetector({
  id: 'pl_pesel',
  group: 'identity',
  finds: 'Polish PESEL numbers',
  checked: 'date, check digit',
  forms: [{ source: '[0-9]{11}', score: 40 }],
  needs: { length: 11, digits: 11 },
  words: ['pesel'],
  isValid: (text) =>
    isDate(two(text, 2) % 20, two(text, 4)) && weighted(text, PESEL_WEIGHTS) % 10 === 0,
})

const NIF_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2]

export const ptNif: Detector = numberDetector({
  id: 'pt_nif',
  group: 'identity',
  finds: 'Portuguese taxpayer numbers',
  checked: 'first digit, check digit mod 11',
  forms: [
    { source: '[1-35689][0-9]{2} [0-9]{3} [0-9]{3}', score: 30 },
    { source: '[1-35689][0-9]{8}', score: 20 },
  ],
  needs: { length: 9, digits: 9 },
  words: ['nif', 'contribuinte', 'número fiscal', 'numero fiscal'],
  isValid(text) {
    const rest = weighted(text, NIF_WEIGHTS) % 11
    return (rest < 2 ? 0 : 11 - rest) === Number(text[8])
  },
})

const CNP_WEIGHTS = [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]

export const roCnp: Detector = numberDetector({
  id: 'ro_cnp',
  group: 'identity',
  finds: 'Romanian personal numeric codes',
  checked: 'date, check digit mod 11',
  forms: [{ source: '[1-8][0-9]{12}', score: 40 }],
  needs: { length: 13, digits: 13 },
  words: ['cnp', 'cod numeric personal'],
  isValid(text) {
    const rest = weighted(text, CNP_WEIGHTS) % 11
    return isDate(two(text, 3), two(text, 5)) && (rest === 10 ? 1 : rest) === Number(text[12])
  },
})

export const czBirth: Detector = numberDetector({
  id: 'cz_rodne_cislo',
  group: 'identity',
  finds: 'Czech and Slovak birth numbers',
  checked: 'date, divisible by 11',
  forms: [
    { source: '[0-9]{6}/[0-9]{4}', score: 75 },
    { source: '[0-9]{10}', score: 35 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['rodné číslo', 'rodne cislo', 'rč', 'rodcis'],
  isValid(text) {
    // Women's months count from 51; 20 is added where a day's numbers ran out.
    const month = (two(text, 2) % 50) % 20
    return isDate(month, two(text, 4)) && remainder(text, 11) === 0
  },
})

export const trTckn: Detector = numberDetector({
  id: 'tr_tckn',
  group: 'identity',
  finds: 'Turkish identification numbers',
  checked: 'two check digits',
  forms: [{ source: '[1-9][0-9]{10}', score: 35 }],
  needs: { length: 11, digits: 11 },
  words: ['tckn', 'tc kimlik', 'kimlik', 't.c. kimlik'],
  isValid(text) {
    const odd = weighted(text, [1, 0, 1, 0, 1, 0, 1, 0, 1])
    const even = weighted(text, [0, 1, 0, 1, 0, 1, 0, 1])
    if ((odd * 7 - even + 100) % 10 !== Number(text[9])) return false
    return (odd + even + Number(text[9])) % 10 === Number(text[10])
  },
})
