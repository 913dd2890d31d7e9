/**
 * Pure. US social security numbers, written 3-2-4 with dashes or with spaces; without separators
 * nine digits are far more often something else. Areas 000, 666 and 9xx, group 00 and serial 0000
 * were never given out.
 */
import { ascii, type Detector, isDigit, NONE } from './detector.ts'

export const usSsn: Detector = {
  id: 'us_ssn',
  version: 1,
  patterns: ['\\b[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}\\b'],
  probe: '[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}',
  needs: { length: 11, digits: 9 },
  confirm(bytes, start, end) {
    if (bytes[start + 3] !== bytes[start + 6]) return NONE
    // Part of a longer chain of numbers, such as 1-123-45-6789.
    const dash = 0x2d
    if (bytes[start - 1] === dash && isDigit(bytes[start - 2])) return NONE
    if (bytes[end] === dash && isDigit(bytes[end + 1])) return NONE
    const text = ascii(bytes, start, end)
    const area = text.substring(0, 3)
    if (area === '000' || area === '666' || area >= '900') return NONE
    if (text.substring(4, 6) === '00' || text.substring(7) === '0000') return NONE
    return [{ start, end }]
  },
}
