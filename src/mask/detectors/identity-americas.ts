/**
 * Pure. Numbers by which states of the Americas know people: Argentina, Brazil, Canada, Chile,
 * Mexico. Those of the United States stand in us-ssn.ts.
 */
import { isDate, isOneDigit, luhn, two, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

const NINE_GROUPED = '[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}'

export const caSin: Detector = numberDetector({
  id: 'ca_sin',
  group: 'identity',
  finds: 'Canadian social insurance numbers',
  checked: 'Luhn, first digit',
  forms: [
    { source: NINE_GROUPED, score: 40 },
    { source: '[0-9]{9}', score: 20 },
  ],
  needs: { length: 9, digits: 9 },
  words: ['sin', 'social insurance', 'nas', 'assurance sociale'],
  isValid: (text) => text[0] !== '0' && text[0] !== '8' && luhn(text),
})

const CPF_FIRST = [10, 9, 8, 7, 6, 5, 4, 3, 2]
const CPF_SECOND = [11, ...CPF_FIRST]

export const brCpf: Detector = numberDetector({
  id: 'br_cpf',
  group: 'identity',
  finds: 'Brazilian taxpayer numbers of people',
  checked: 'two check digits',
  forms: [
    { source: '[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}', score: 85 },
    { source: '[0-9]{11}', score: 30 },
  ],
  needs: { length: 11, digits: 11 },
  words: ['cpf', 'contribuinte'],
  isValid: (text) =>
    !isOneDigit(text) &&
    ((weighted(text, CPF_FIRST) * 10) % 11) % 10 === Number(text[9]) &&
    ((weighted(text, CPF_SECOND) * 10) % 11) % 10 === Number(text[10]),
})

export const clRut: Detector = numberDetector({
  id: 'cl_rut',
  group: 'identity',
  finds: 'Chilean RUN and RUT numbers',
  checked: 'check digit, mod 11',
  forms: [
    { source: '[0-9]{1,2}\\.[0-9]{3}\\.[0-9]{3}-[0-9kK]', score: 85 },
    { source: '[0-9]{7,8}-[0-9kK]', score: 35 },
  ],
  needs: { length: 9, digits: 7 },
  words: ['rut', 'run', 'rol único', 'cédula'],
  isValid(text) {
    let sum = 0
    for (
      let at = text.length - 2, weight = 2;
      at >= 0;
      at--, weight = weight === 7 ? 2 : weight + 1
    )
      sum += Number(text[at]) * weight
    return text.at(-1) === '0123456789K0'[11 - (sum % 11)]
  },
})

const CUIL_WEIGHTS = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]

export const arCuil: Detector = numberDetector({
  id: 'ar_cuil',
  group: 'identity',
  finds: 'Argentine CUIL and CUIT numbers',
  checked: 'prefix, check digit, mod 11',
  forms: [
    { source: '(?:2[03-7]|3[034])-[0-9]{8}-[0-9]', score: 80 },
    { source: '(?:2[03-7]|3[034])[0-9]{9}', score: 25 },
  ],
  needs: { length: 11, digits: 11 },
  words: ['cuil', 'cuit'],
  isValid: (text) => (11 - (weighted(text, CUIL_WEIGHTS) % 11)) % 11 === Number(text[10]),
})

const CURP_LETTERS = '0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ'

export const mxCurp: Detector = numberDetector({
  id: 'mx_curp',
  group: 'identity',
  finds: 'Mexican population registry codes',
  checked: 'date, check digit',
  forms: [
    {
      source: '(?i:[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z0-9][0-9])',
      score: 90,
    },
  ],
  needs: { length: 18, digits: 7, run: 18, lettersBeforeDigits: true },
  words: ['curp'],
  isValid(text) {
    if (!isDate(two(text, 6), two(text, 8))) return false
    let sum = 0
    for (let at = 0; at < 17; at++) sum += CURP_LETTERS.indexOf(text[at]!) * (18 - at)
    return (10 - (sum % 10)) % 10 === Number(text[17])
  },
})
