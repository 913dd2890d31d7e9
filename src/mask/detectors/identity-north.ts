/** Pure. Numbers by which the Nordic states know people: Denmark, Finland, Norway, Sweden. */
import { isDate, luhn, two, weighted } from './checksum.ts'
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

export const sePersonal: Detector = numberDetector({
  id: 'se_personnummer',
  group: 'identity',
  finds: 'Swedish personal and coordination numbers',
  checked: 'date, Luhn',
  forms: [
    { source: '(?:19|20)?[0-9]{6}[-+][0-9]{4}', score: 70 },
    { source: '(?:19|20)[0-9]{10}', score: 40 },
    { source: '[0-9]{10}', score: 30 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['personnummer', 'pnr', 'samordningsnummer', 'personal number'],
  isValid(text) {
    const short = text.substring(text.length - 10)
    // Coordination numbers add 60 to the day.
    return isDate(two(short, 2), two(short, 4) % 60) && luhn(short)
  },
})

const HETU_LETTERS = '0123456789ABCDEFHJKLMNPRSTUVWXY'

export const fiHetu: Detector = numberDetector({
  id: 'fi_hetu',
  group: 'identity',
  finds: 'Finnish personal identity codes',
  checked: 'date, check character mod 31',
  forms: [{ source: '[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]', score: 70 }],
  needs: { length: 11, digits: 9, run: 11 },
  words: ['hetu', 'henkilötunnus', 'henkilotunnus'],
  isValid(text) {
    if (!isDate(two(text, 2), two(text, 0))) return false
    const serial = text.substring(text.length - 4, text.length - 1)
    const number = Number(text.substring(0, 6) + serial)
    return HETU_LETTERS[number % 31] === text.at(-1)
  },
})

const FNR_FIRST = [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]
const FNR_SECOND = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]

export const noBirth: Detector = numberDetector({
  id: 'no_fodselsnummer',
  group: 'identity',
  finds: 'Norwegian birth and D numbers',
  checked: 'date, two check digits mod 11',
  forms: [{ source: '[0-9]{6} ?[0-9]{5}', score: 60 }],
  needs: { length: 11, digits: 11 },
  words: ['fødselsnummer', 'fodselsnummer', 'fnr', 'personnummer', 'd-nummer'],
  isValid: (text) =>
    isDate(two(text, 2), two(text, 0) % 40) &&
    weighted(text, FNR_FIRST) % 11 === 0 &&
    weighted(text, FNR_SECOND) % 11 === 0,
})

export const dkCpr: Detector = numberDetector({
  id: 'dk_cpr',
  group: 'identity',
  finds: 'Danish CPR numbers',
  // Numbers given out since 2007 need not pass the old check digit.
  checked: 'date',
  forms: [
    { source: '[0-9]{6}-[0-9]{4}', score: 40 },
    { source: '[0-9]{10}', score: 15 },
  ],
  needs: { length: 10, digits: 10 },
  words: ['cpr', 'cpr-nr'],
  isValid: (text) => isDate(two(text, 2), two(text, 0)),
})
