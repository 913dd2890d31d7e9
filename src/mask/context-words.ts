/**
 * Pure. Whether a word that speaks for or against a candidate stands near it: in the text around it,
 * or in the name of the column or key that it is the value of.
 */
import { RE2 } from '../base/pattern.ts'

/** Bytes of text that are looked at, before and after. */
const BEFORE = 48
const AFTER = 40
const RIGHT_BEFORE = 24

/** Endings that make no other word of it: `nhsNumber`, `SSNs`, `phone_no`. */
const ENDINGS = '(?i:s|es|[_ -]?(?:numbers?|num|s?nummer|no|nr|id|code|key|token)|n)?'

/** `order no. is 123` */
const LINK = '(?:(?:no|nr|is|was|ist|er|est|es)[^\\p{L}\\n]{1,3})?'

export class ContextWords {
  readonly #near: RE2
  readonly #before: RE2

  constructor(words: readonly string[]) {
    const latin = words.filter((word) => /^\p{Script=Latin}/u.test(word)).map(spelled)
    const inner = latin.map((word) => word[0]!.toUpperCase() + word.substring(1)).join('|')
    const start = `(?:^|[^\\p{L}])(?i:${latin.join('|')})|[a-z](?:${inner})`
    // Scripts that put no space between words have no bounds to look for.
    const others = words.filter((word) => !/^\p{Script=Latin}/u.test(word)).map(spelled)
    const whole = [`(?:${start})${ENDINGS}(?:[^\\p{L}]|$)`, ...others].join('|')
    this.#near = new RE2(whole, 'u')
    const last = [`(?:${start})${ENDINGS}`, ...others].join('|')
    this.#before = new RE2(`(?:${last})[^\\p{L}\\n]{0,8}${LINK}$`, 'u')
  }

  /** One stands near [start, end), or in one of the names. */
  near(
    bytes: Buffer,
    span: { readonly start: number; readonly end: number },
    names: readonly Uint8Array[],
  ): boolean {
    const { start, end } = span
    if (start > 0 && this.#near.test(cut(bytes, start - BEFORE, start))) return true
    if (end < bytes.length && this.#near.test(cut(bytes, end, end + AFTER))) return true
    return names.some((name) => this.#near.test(cut(name, 0, name.length)))
  }

  /** The last word before `start`, or the end of a name where nothing stands before, is one. */
  before(bytes: Buffer, start: number, names: readonly Uint8Array[]): boolean {
    if (start > 0) return this.#before.test(cut(bytes, start - RIGHT_BEFORE, start))
    return names.some((name) => this.#near.test(cut(name, 0, name.length)))
  }
}

/** As a pattern: a space in it may be written as `_` or `-`, or left out. */
function spelled(word: string): string {
  return word.replace(/[^\p{L}\p{M}\p{N} ]/gu, (sign) => `\\${sign}`).replaceAll(' ', '[ _-]?')
}

function cut(bytes: Uint8Array, start: number, end: number): Buffer {
  const from = Math.max(0, start)
  const length = Math.min(bytes.length, end) - from
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, length)
}
