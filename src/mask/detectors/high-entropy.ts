/**
 * Pure. Tokens of no known form that look random: at least 20 characters of base64, base64url or
 * base62 in one run, both cases and two digits, with an entropy near what their length allows.
 *
 * Not hits, on purpose: UUIDs and hexadecimal digests (commits, checksums and ids stand in every
 * database and one case of letters is all they have), ULIDs and other single-case ids, words and
 * camelCase names. A secret that is written in hexadecimal needs a column mask.
 */
import { type Detector, isDigit, NONE } from './detector.ts'

const LENGTH_LEAST = 20
/**
 * Share of the highest entropy that a run of this length can have; names of code reach about 0.8.
 */
const RATIO_LEAST = 0.83
const ALPHABET = 64

export const highEntropy: Detector = {
  id: 'high_entropy',
  version: 1,
  group: 'secret',
  finds: 'random text of no known form: 20 or more characters of base64, both cases, two digits',
  checked: 'entropy; not hexadecimal',
  forms: [{ source: '[A-Za-z0-9_+/-]{20,}={0,2}', score: 55 }],
  probe: '[A-Za-z0-9_+/-]{20}',
  needs: { length: LENGTH_LEAST, mixedRun: LENGTH_LEAST, digits: 2 },
  confirm: (bytes, start, end) => (looksRandom(bytes, start, end) ? [{ start, end }] : NONE),
}

function looksRandom(bytes: Uint8Array, start: number, end: number): boolean {
  let lower = 0
  let upper = 0
  let digits = 0
  const counts = new Uint32Array(128)
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    counts[byte & 127]!++
    if (byte >= 0x61 && byte <= 0x7a) lower++
    else if (byte >= 0x41 && byte <= 0x5a) upper++
    else if (isDigit(byte)) digits++
  }
  if (lower === 0 || upper === 0 || digits < 2) return false
  const length = end - start
  return entropy(counts, length) >= RATIO_LEAST * Math.log2(Math.min(length, ALPHABET))
}

/** Shannon entropy in bits a character. */
function entropy(counts: Uint32Array, length: number): number {
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / length) * Math.log2(count / length)
  return bits
}
