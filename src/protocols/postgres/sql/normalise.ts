/**
 * Pure. The cheap normaliser of semantics §2: a text with its integers and plain strings taken out, so that texts that
 * differ only there share one entry of the facts cache.
 *
 * Taken out are decimal integers of at most nine digits (always ICONST) and '…' literals without quote or backslash
 * inside. Comments, quoted identifiers, parameters and numbers with a fraction stay as they are. Everything else that
 * could be read in two ways (E'', U&"", dollar quotes, continued strings, junk after a number) gives undefined, and
 * then the text takes the full parse. Two texts of one key scan to the same tokens but for the values taken out.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export interface Normalised {
  /** The text with a mark in place of each literal; tells integers from strings. */
  readonly key: string
  /** In order; integers as their digits, strings without quotes. */
  readonly values: readonly string[]
}

/** Control characters that no key holds otherwise: a text with one of them is not normalised. */
export const INTEGER_MARK = '\u0001'
export const STRING_MARK = '\u0002'

const OTHER = 0
const SPACE = 1
const LETTER = 2
const DIGIT = 3
const QUOTE = 4
const DOUBLE = 5
const DASH = 6
const SLASH = 7
const DOLLAR = 8
const DOT = 9
const BAD = 10

const KINDS = kinds()

function kinds(): Uint8Array {
  const table = new Uint8Array(128)
  for (let code = 0; code < 32; code++) table[code] = BAD
  for (const code of [9, 10, 12, 13, 32]) table[code] = SPACE
  for (let code = 48; code <= 57; code++) table[code] = DIGIT
  for (let code = 97; code <= 122; code++) table[code] = LETTER
  for (let code = 65; code <= 90; code++) table[code] = LETTER
  table[95] = LETTER
  table[39] = QUOTE
  table[34] = DOUBLE
  table[45] = DASH
  table[47] = SLASH
  table[36] = DOLLAR
  table[46] = DOT
  table[92] = BAD
  table[127] = BAD
  return table
}

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  // Beyond the end charCodeAt is NaN, which no comparison holds for.
  return code < 128 ? KINDS[code]! : code >= 128 ? LETTER : OTHER
}

/** undefined: not understood. Without anything to take out, the key is the text. */
export function normalise(text: string): Normalised | undefined {
  const values: string[] = []
  const size = text.length
  let key = ''
  let sent = 0 // Everything before `sent` stands in `key`.
  let at = 0
  let wasString = false // Nothing but space and comments since the last string.
  while (at < size) {
    const kind = kindAt(text, at)
    let end: number
    switch (kind) {
      case SPACE:
        at++
        continue
      case LETTER:
        end = identifierEnd(text, at + 1)
        break
      case DIGIT:
        end = integerEnd(text, at)
        if (end > at) {
          key += text.substring(sent, at) + INTEGER_MARK
          values.push(text.substring(at, end))
          sent = end
        } else end = -end
        break
      case QUOTE:
        end = wasString ? 0 : stringEnd(text, at)
        if (end === 0) return undefined
        key += text.substring(sent, at) + STRING_MARK
        values.push(text.substring(at + 1, end - 1))
        sent = end
        at = end
        wasString = true
        continue
      case DASH:
      case SLASH:
        end = commentEnd(text, at)
        if (end > at + 1) {
          at = end
          continue
        }
        break
      case DOUBLE:
        end = quotedEnd(text, at)
        break
      case DOLLAR:
        end = parameterEnd(text, at)
        break
      case BAD:
        return undefined
      default:
        // `.5` is a number, `t.5` is nothing: neither is worth telling apart.
        end = kind === DOT && kindAt(text, at + 1) === DIGIT ? 0 : at + 1
    }
    if (end === 0) return undefined
    wasString = false
    at = end
  }
  return { key: values.length === 0 ? text : key + text.substring(sent), values }
}

/** 0: what follows makes a prefix of it (E'', N'', U&""). */
function identifierEnd(text: string, from: number): number {
  let at = from
  for (;;) {
    const kind = kindAt(text, at)
    if (kind !== LETTER && kind !== DIGIT && kind !== DOLLAR) break
    at++
  }
  const code = text.charCodeAt(at)
  if (code === 39) return 0
  if (code !== 38) return at
  const next = text.charCodeAt(at + 1)
  return next === 39 || next === 34 ? 0 : at
}

/** Positive: end of an integer. Negative: end of a number that stays. 0: not understood. */
function integerEnd(text: string, from: number): number {
  let at = digitsEnd(text, from)
  const kind = kindAt(text, at)
  if (kind === LETTER || kind === DOLLAR) return 0
  if (kind !== DOT) return at - from <= 9 ? at : -at
  if (kindAt(text, at + 1) !== DIGIT) return 0
  at = digitsEnd(text, at + 1)
  const after = kindAt(text, at)
  return after === LETTER || after === DOT || after === DOLLAR ? 0 : -at
}

function digitsEnd(text: string, from: number): number {
  let at = from
  while (kindAt(text, at) === DIGIT) at++
  return at
}

/** 0: it holds a quote, a backslash or a control character, or does not end. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 39) return text.charCodeAt(at + 1) === 39 ? 0 : at + 1
    if (code === 92 || (code < 32 && KINDS[code] === BAD)) return 0
  }
  return 0
}

/** A doubled quote ends one quoted part and begins the next, which comes to the same. */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) return at + 1
    if (code < 32) return 0
  }
  return 0
}

/** `from` + 1: no comment begins there. 0: it does not end, or holds what no text should. */
function commentEnd(text: string, from: number): number {
  const code = text.charCodeAt(from)
  const next = text.charCodeAt(from + 1)
  if (code === 45) return next === 45 ? lineEnd(text, from + 2) : from + 1
  if (next !== 42) return from + 1
  let depth = 1
  for (let at = from + 2; at < text.length; at++) {
    const one = text.charCodeAt(at)
    if (one === 42 && text.charCodeAt(at + 1) === 47) {
      depth--
      at++
      if (depth === 0) return at + 1
    } else if (one === 47 && text.charCodeAt(at + 1) === 42) {
      depth++
      at++
    } else if (one < 3) return 0
  }
  return 0
}

function lineEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) break
    // The marks; and the end of the text for who reads it as C does.
    if (code < 3) return 0
  }
  return at
}

/** End of `$1`; 0 for everything else that begins with a dollar. */
function parameterEnd(text: string, from: number): number {
  const at = digitsEnd(text, from + 1)
  if (at === from + 1) return 0
  const kind = kindAt(text, at)
  return kind === LETTER || kind === DOLLAR || kind === DOT ? 0 : at
}
