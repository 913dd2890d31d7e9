/**
 * Pure. Numbers by which health services know patients and those who treat them: Australia's
 * Medicare, Germany's statutory insurance, the British NHS; in the United States Medicare (MBI),
 * providers (NPI) and prescribers (DEA).
 */
import { luhn, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

const NHS_WEIGHTS = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

export const nhsNumber: Detector = numberDetector({
  id: 'uk_nhs_number',
  group: 'health',
  finds: 'British NHS numbers',
  checked: 'check digit mod 11',
  forms: [
    { source: '[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}', score: 40 },
    { source: '[0-9]{10}', score: 30 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['nhs'],
  isValid: (text) => Number(text) > 0 && weighted(text, NHS_WEIGHTS) % 11 === 0,
})

/** Letters without B, I, L, O, S, Z. */
const MBI = '[AC-HJKMNP-RT-Y]'
const MBI_OR_DIGIT = '[AC-HJKMNP-RT-Y0-9]'

export const usMbi: Detector = numberDetector({
  id: 'us_mbi',
  group: 'health',
  finds: 'United States Medicare beneficiary identifiers',
  checked: '',
  forms: [
    {
      source: `[1-9]${MBI}${MBI_OR_DIGIT}[0-9]-?${MBI}${MBI_OR_DIGIT}[0-9]-?${MBI}{2}[0-9]{2}`,
      score: 60,
    },
  ],
  needs: { length: 11, digits: 5, run: 11 },
  words: ['mbi', 'medicare', 'beneficiary'],
  isValid: () => true,
})

export const usNpi: Detector = numberDetector({
  id: 'us_npi',
  group: 'health',
  finds: 'United States national provider identifiers',
  checked: 'Luhn behind 80840',
  forms: [{ source: '[12][0-9]{9}', score: 30 }],
  needs: { length: 10, digits: 10 },
  words: ['npi', 'provider'],
  isValid: (text) => luhn(`80840${text}`),
})

export const usDea: Detector = numberDetector({
  id: 'us_dea',
  group: 'health',
  finds: 'United States DEA registration numbers',
  checked: 'check digit',
  forms: [{ source: '[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}', score: 35 }],
  needs: { length: 9, digits: 7, run: 9 },
  words: ['dea'],
  isValid(text) {
    const digits = text.substring(2)
    return weighted(digits, [1, 2, 1, 2, 1, 2]) % 10 === Number(digits[6])
  },
})

export const auMedicare: Detector = numberDetector({
  id: 'au_medicare',
  group: 'health',
  finds: 'Australian Medicare numbers',
  checked: 'first digit, check digit mod 10',
  forms: [
    { source: '[2-6][0-9]{3}[ -][0-9]{5}[ -][0-9]', score: 60 },
    { source: '[2-6][0-9]{9}', score: 25 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['medicare'],
  isValid: (text) => weighted(text, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(text[8]),
})

export const deHealth: Detector = numberDetector({
  id: 'de_health_insurance',
  group: 'health',
  finds: 'German health insurance numbers',
  checked: 'check digit, Luhn over the letter as a number',
  forms: [{ source: '[A-Z][0-9]{9}', score: 35 }],
  needs: { length: 10, digits: 9, run: 10 },
  words: ['kvnr', 'versichertennummer', 'krankenversicherung', 'gkv', 'egk'],
  isValid(text) {
    const digits = String(text.charCodeAt(0) - 0x40).padStart(2, '0') + text.substring(1)
    let sum = 0
    for (let at = 0; at < 10; at++) {
      const product = Number(digits[at]) * (at % 2 === 0 ? 1 : 2)
      sum += product > 9 ? product - 9 : product
    }
    return sum % 10 === Number(digits[10])
  },
})
