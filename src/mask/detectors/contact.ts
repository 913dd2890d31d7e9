/**
 * Pure. Telephone numbers and street addresses. Neither has a check digit: a number counts by the
 * international form, by the form of its country, or by a word beside it; ids that only look like
 * numbers are told by the words before them.
 */
import { ascii, type Detector, isAlphanumeric, isApart, isDigit, NONE } from './detector.ts'
import { ID_WORDS, NUMBER_NAMES } from './number.ts'

/** ITU-T E.164: country codes of one and two digits; all others have three. */
const CODES_SHORT = new Set(
  (
    '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 ' +
    '63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'
  ).split(' '),
)
/** First two digits of the codes of three digits that are given out. */
const CODES_LONG = new Set(
  '21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 85 87 88 96 97 99'.split(' '),
)

const PHONE_WORDS = (
  'phone, tel, telephone, telefon, mobile, mobil, cell, call, fax, whatsapp, sms, ' +
  'text me, handy, téléphone, teléfono, telefone, contact, msisdn'
).split(', ')

export const phone: Detector = {
  id: 'phone',
  version: 1,
  group: 'contact',
  finds: 'telephone numbers, international and national',
  checked: 'country code, number of digits',
  forms: [
    { source: '\\+[1-9][0-9]?(?:[ ().-]{0,2}[0-9]){5,14}', score: 75 },
    { source: '\\([2-9][0-9]{2}\\) ?[2-9][0-9]{2}[ .-][0-9]{4}', score: 75 },
    { source: '[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4}', score: 60 },
    { source: '00[1-9][0-9]?(?:[ ().-]{0,2}[0-9]){5,14}', score: 45 },
    { source: '0[1-9](?: [0-9]{2}){4}', score: 65 },
    { source: '0[1-9](?:\\.[0-9]{2}){4}', score: 65 },
    { source: '0[1-9][0-9]{2,4} [0-9]{3,4} [0-9]{3,4}', score: 55 },
    { source: '\\(?0[1-9][0-9]{1,4}\\)?[ /-][0-9]{3,5}[ -]?[0-9]{2,5}', score: 35 },
    { source: '\\(?[0-9](?:[ ()./-]{0,2}[0-9]){6,13}', score: 15 },
  ],
  probe: '[0-9](?:[ ()./-]{0,2}[0-9]){6}',
  needs: { length: 7, digits: 7 },
  words: PHONE_WORDS,
  doubts: [...ID_WORDS, ...NUMBER_NAMES],
  isWhole: true,
  confirm(bytes, start, end) {
    if (isAlphanumeric(bytes[start - 1]) || !isApart(bytes, start, end)) return NONE
    const text = ascii(bytes, start, end)
    const digits = text.replace(/[^0-9]/g, '')
    if (text[0] === '+') return isInternational(digits) ? [{ start, end }] : NONE
    if (/^00[1-9]/.test(text)) return isInternational(digits.substring(2)) ? [{ start, end }] : NONE
    if (text.includes(' ') && text[0] !== '(' && isPartOfMore(bytes, start, end)) return NONE
    // Dates and times are written with the same signs.
    if (/^(?:19|20)[0-9]{2}[-./](?:0[1-9]|1[0-2])[-./][0-3][0-9]/.test(text)) return NONE
    return digits.length >= 7 && digits.length <= 15 ? [{ start, end }] : NONE
  },
}

/** More groups of digits stand before or after, as in the number of an account. */
function isPartOfMore(bytes: Uint8Array, start: number, end: number): boolean {
  const space = 0x20
  if (bytes[start - 1] === space && isDigit(bytes[start - 2])) return true
  return bytes[end] === space && isDigit(bytes[end + 1]) && isDigit(bytes[end + 2])
}

function isInternational(digits: string): boolean {
  if (digits.length > 15) return false
  if (digits[0] === '1') return /^1[2-9][0-9]{2}[2-9][0-9]{6}$/.test(digits)
  if (digits[0] === '7') return digits.length === 11
  const head = digits.substring(0, 2)
  return CODES_SHORT.has(head) ? digits.length >= 9 : CODES_LONG.has(head) && digits.length >= 9
}

const STREETS =
  'Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Terrace|Way|' +
  'Place|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Gardens|Grove|Mews'

export const streetAddress: Detector = {
  id: 'street_address',
  version: 1,
  group: 'contact',
  finds: 'street addresses with their number, in English, German and French; PO boxes',
  checked: '',
  forms: [
    {
      source: `[0-9]{1,5}[A-Za-z]? (?:[NSEW]\\.? )?(?:[A-Z][A-Za-z'.-]* ){1,4}(?:${STREETS})(?:\\.|\\b)`,
      score: 60,
    },
    { source: '\\bP\\.? ?O\\.? Box [0-9]+', score: 80 },
    {
      source:
        '[A-Z\u00c4\u00d6\u00dc][a-z\u00e4\u00f6\u00fc\u00df-]+(?:stra\u00dfe|strasse|str\\.|weg|platz|allee|gasse|ring|ufer) [0-9]{1,4} ?[a-z]?\\b',
      score: 60,
    },
    {
      source:
        "[0-9]{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse|all\u00e9e|quai) (?:de la |de l'|du |des |de |d')?[A-Z\u00c9][A-Za-z\u00e0-\u00ff'-]+(?: [A-Z\u00c9][A-Za-z\u00e0-\u00ff'-]+){0,3}",
      score: 60,
    },
  ],
  probe: `(?:${STREETS})|P\\.? ?O\\.? Box|(?:e|\\.|weg|platz|gasse|ring|ufer) [0-9]|[0-9],? (?:rue|avenue|boulevard|place|chemin|impasse|all|quai)|(?:bis|ter),? `,
  needs: { length: 7, digits: 1 },
  words: ['address', 'street', 'adresse', 'anschrift', 'addr'],
  confirm: (bytes, start, end) =>
    isAlphanumeric(bytes[start - 1]) || isDigit(bytes[end]) ? NONE : [{ start, end }],
}
