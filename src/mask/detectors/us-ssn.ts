/**
 * Pure. US social security numbers, written 3-2-4 with dashes or with spaces; without separators
 * nine digits are far more often something else, and count only beside a word. Areas 000, 666 and
 * 9xx, group 00 and serial 0000 were never given out.
 */
import type { Detector } from './detector.ts'
import { numberDetector } from './number.ts'

export const usSsn: Detector = numberDetector({
  id: 'us_ssn',
  version: 2,
  group: 'identity',
  finds: 'American social security numbers',
  checked: 'ranges never given out',
  forms: [
    { source: '[0-9]{3}-[0-9]{2}-[0-9]{4}', score: 65 },
    { source: '[0-9]{3} [0-9]{2} [0-9]{4}', score: 55 },
    { source: '[0-9]{9}', score: 20 },
  ],
  needs: { length: 9, digits: 9 },
  words: ['ssn', 'social security', 'soc sec', 'taxpayer'],
  isValid(text) {
    const area = text.substring(0, 3)
    if (area === '000' || area === '666' || area >= '900') return false
    return text.substring(3, 5) !== '00' && text.substring(5) !== '0000'
  },
})
