/**
 * Pure. JSON web tokens (RFC 7515, 7516): three parts, or five, in base64url, whose first decodes
 * to a JSON object that names an algorithm.
 */
import { ascii, type Detector, NONE } from './detector.ts'

const HEADER_BYTES_MAX = 8192

export const jwt: Detector = {
  id: 'jwt',
  version: 1,
  group: 'secret',
  finds: 'JSON web tokens, signed and encrypted',
  checked: 'header is JSON that names an algorithm',
  // `{` in base64 is `e` and one of `w` (then white space) or `y`.
  forms: [
    {
      source:
        '\\be[wy][A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*' +
        '(?:\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+)?',
      score: 95,
    },
  ],
  probe: 'e[wy][A-Za-z0-9_-]{8,}\\.',
  // The shortest header is {"alg":1}: twelve digits of base64; two dots follow.
  needs: { length: 14, dottedRun: 14 },
  confirm(bytes, start, end) {
    const dot = bytes.indexOf(0x2e, start)
    // A header of this size is no header of ours to read; it looks like a token, so it counts as
    // one.
    if (dot - start > HEADER_BYTES_MAX) return [{ start, end }]
    return namesAlgorithm(ascii(bytes, start, dot)) ? [{ start, end }] : NONE
  },
}

function namesAlgorithm(header: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && 'alg' in value
  } catch {
    return false
  }
}
