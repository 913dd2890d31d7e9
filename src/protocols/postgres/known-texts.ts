/**
 * Pure. Statements that came lately, so that one that comes again is the same string as before and not another one of
 * equal characters: it is compared with the bytes kept (a tenth of a microsecond for 3 KB) instead of being decoded, and
 * a map that is asked for it does not hash it again.
 *
 * Only for texts of statements, which the caches of facts keep anyway; never for passwords. Short texts cost less than
 * the look. Bounded: one text a place, and a place a length.
 */
import { copy, same } from '../../base/bytes.ts'

const LENGTH_MIN = 256
const LENGTH_MAX = 16 << 10
/** A power of two. */
const PLACES = 64

const bytesKept: (Buffer | undefined)[] = new Array<Buffer | undefined>(PLACES).fill(undefined)
const textsKept: string[] = new Array<string>(PLACES).fill('')

/** The text that stands in [start, end) as UTF-8, as `bytes.toString` reads it. */
export function statementText(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length < LENGTH_MIN || length > LENGTH_MAX) return bytes.toString('utf8', start, end)
  const place = length & (PLACES - 1)
  const known = bytesKept[place]
  if (known !== undefined && same(known, bytes, start, end)) return textsKept[place]!
  const text = bytes.toString('utf8', start, end)
  bytesKept[place] = copy(bytes, start, end)
  textsKept[place] = text
  return text
}
