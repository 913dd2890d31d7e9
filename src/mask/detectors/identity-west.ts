/**
 * Pure. Numbers by which states of western Europe know people: Austria, Belgium, France, Germany,
 * Ireland, the Netherlands, Switzerland, the United Kingdom.
 */
import { isDate, isoMod11And10, remainder, two, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

/** Never given out. https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110 */
const NINO_NEVER = new Set(['BG', 'GB', 'NK', 'KN', 'TN', 'NT', 'ZZ'])
const NINO_HEAD = '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]'

export const ukNino: Detector = numberDetector({
  id: 'uk_nino',
  group: 'identity',
  finds: 'British national insurance numbers',
  checked: 'prefixes never given out',
  forms: [
    { source: `${NINO_HEAD}[ -]?[0-9]{2}[ -][0-9]{2}[ -][0-9]{2}[ -]?[A-D]`, score: 80 },
    { source: `${NINO_HEAD}[0-9]{6}[A-D]`, score: 55 },
    { source: `(?i:${NINO_HEAD}[0-9]{6}[A-D])`, score: 30 },
  ],
  needs: { length: 9, digits: 6 },
  words: ['nino', 'ni number', 'national insurance', 'ni no'],
  isValid: (text) => !NINO_NEVER.has(text.substring(0, 2)),
})

const PPS_WEIGHTS = [8, 7, 6, 5, 4, 3, 2]
const PPS_LETTERS = 'WABCDEFGHIJKLMNOPQRSTUV'

export const iePps: Detector = numberDetector({
  id: 'ie_pps',
  group: 'identity',
  finds: 'Irish personal public service numbers',
  checked: 'check letter, mod 23',
  forms: [{ source: '[0-9]{7}[A-W][A-IW]?', score: 55 }],
  needs: { length: 8, digits: 7, run: 8 },
  words: ['pps', 'ppsn', 'personal public service'],
  isValid(text) {
    const second = text[8] === undefined || text[8] === 'W' ? 0 : text.charCodeAt(8) - 0x40
    return PPS_LETTERS[(weighted(text, PPS_WEIGHTS) + second * 9) % 23] === text[7]
  },
})

export const frNir: Detector = numberDetector({
  id: 'fr_nir',
  group: 'identity',
  finds: 'French social security numbers',
  checked: 'month, key mod 97',
  forms: [
    {
      source: '[1-478] [0-9]{2} [0-9]{2} (?:[0-9]{2}|2[ABab]) [0-9]{3} [0-9]{3} [0-9]{2}',
      score: 80,
    },
    { source: '[12][0-9]{4}(?:[0-9]{2}|2[ABab])[0-9]{8}', score: 75 },
  ],
  needs: { length: 15, digits: 14 },
  words: ['nir', 'insee', 'sécu', 'sécurité sociale', 'securite sociale'],
  isValid(text) {
    const month = two(text, 3)
    if (month < 1 || (month > 12 && month < 20)) return false
    const body = text.substring(0, 13).replace('2A', '19').replace('2B', '18')
    return 97 - remainder(body, 97) === two(text, 13)
  },
})

export const deTaxId: Detector = numberDetector({
  id: 'de_tax_id',
  group: 'identity',
  finds: 'German tax identification numbers',
  checked: 'repeated digits, ISO 7064 MOD 11,10',
  forms: [
    { source: '[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}', score: 60 },
    { source: '[1-9][0-9]{10}', score: 30 },
  ],
  needs: { length: 11, digits: 11 },
  words: ['steuer', 'steuer-id', 'idnr', 'tax id', 'identifikationsnummer', 'tin'],
  isValid(text) {
    const counts = new Array<number>(10).fill(0)
    for (let at = 0; at < 10; at++) counts[Number(text[at])]!++
    const repeated = counts.filter((count) => count > 1)
    // One of the first ten digits stands there two or three times, the others once at most.
    return repeated.length === 1 && repeated[0]! <= 3 && isoMod11And10(text)
  },
})

const BSN_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2, -1]

export const nlBsn: Detector = numberDetector({
  id: 'nl_bsn',
  group: 'identity',
  finds: 'Dutch citizen service numbers',
  checked: 'the eleven test',
  forms: [
    { source: '[0-9]{4}\\.[0-9]{2}\\.[0-9]{3}', score: 60 },
    { source: '[0-9]{9}', score: 20 },
  ],
  needs: { length: 9, digits: 9 },
  words: ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi'],
  isValid: (text) => Number(text) > 0 && weighted(text, BSN_WEIGHTS) % 11 === 0,
})

export const beNational: Detector = numberDetector({
  id: 'be_national_number',
  group: 'identity',
  finds: 'Belgian national register numbers',
  checked: 'date, key mod 97',
  forms: [
    { source: '[0-9]{2}\\.[0-9]{2}\\.[0-9]{2}-[0-9]{3}\\.[0-9]{2}', score: 90 },
    { source: '[0-9]{11}', score: 45 },
  ],
  needs: { length: 11, digits: 11 },
  words: ['rijksregister', 'registre national', 'niss', 'insz', 'national register'],
  isValid(text) {
    const month = two(text, 2) % 20
    if (!isDate(month, two(text, 4))) return false
    const body = text.substring(0, 9)
    const key = two(text, 9)
    // Those born since 2000 count as if a 2 stood before.
    return 97 - remainder(body, 97) === key || 97 - remainder(`2${body}`, 97) === key
  },
})

const EAN_WEIGHTS = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]

export const chAhv: Detector = numberDetector({
  id: 'ch_ahv',
  group: 'identity',
  finds: 'Swiss social security numbers',
  checked: 'country, check digit',
  forms: [
    { source: '756\\.[0-9]{4}\\.[0-9]{4}\\.[0-9]{2}', score: 90 },
    { source: '756[0-9]{10}', score: 55 },
  ],
  needs: { length: 13, digits: 13 },
  words: ['ahv', 'avs', 'sozialversicherung', 'oasi'],
  isValid: (text) => (10 - (weighted(text, EAN_WEIGHTS) % 10)) % 10 === Number(text[12]),
})

const SVNR_WEIGHTS = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]

export const atSvnr: Detector = numberDetector({
  id: 'at_svnr',
  group: 'identity',
  finds: 'Austrian social insurance numbers',
  checked: 'date, check digit mod 11',
  forms: [
    { source: '[1-9][0-9]{3}[ -][0-9]{6}', score: 60 },
    { source: '[1-9][0-9]{9}', score: 35 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['svnr', 'sozialversicherung', 'sv-nr', 'versicherungsnummer'],
  isValid: (text) =>
    isDate(two(text, 6), two(text, 4)) && weighted(text, SVNR_WEIGHTS) % 11 === Number(text[3]),
})
