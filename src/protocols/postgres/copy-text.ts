/**
 * Pure. The text and csv forms of COPY: where rows and fields end, and what their escapes stand
 * for.
 *
 * text: fields end at the delimiter, rows at a line feed; within a value both are written with a
 * backslash. csv: a value that needs it stands in quotes, within which the escape character
 * precedes quotes and itself. https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9 (file
 * formats)
 */
import type { ByteSink } from '../../base/bytes.ts'

export const LINE_FEED = 0x0a
const BACKSLASH = 0x5c

export interface CopySyntax {
  readonly csv: boolean
  readonly delimiter: number
  readonly quote: number
  readonly escape: number
}

/** Finds row ends in a stream cut anywhere. */
export class RowEnds {
  readonly #syntax: CopySyntax
  #quoted = false
  #escaped = false

  constructor(syntax: CopySyntax) {
    this.#syntax = syntax
  }

  /** Offset after the line feed that ends the row begun earlier or at `start`; -1: it goes on. */
  next(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#syntax.csv) {
      const at = bytes.indexOf(LINE_FEED, start)
      return at < 0 || at >= end ? -1 : at + 1
    }
    const { quote, escape: sign } = this.#syntax
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte === LINE_FEED && !this.#quoted) return at + 1
      // As CopyReadLineText does it: where escape and quote are one, two of them toggle twice.
      if (this.#quoted && byte === sign) this.#escaped = !this.#escaped
      if (byte === quote && !(this.#escaped && sign !== quote)) this.#quoted = !this.#quoted
      if (byte !== sign) this.#escaped = false
    }
    return -1
  }
}

/** A field of a row: its bytes [start, end) with quotes and escapes, and what follows. */
export interface CopyField {
  start: number
  end: number
  quoted: boolean
  escaped: boolean
}

/**
 * Reads the field that begins at `start` into `field`; `end` is the end of the row without its line
 * feed. False: malformed.
 */
export function readField(
  bytes: Uint8Array,
  field: CopyField,
  at: { readonly start: number; readonly end: number; readonly syntax: CopySyntax },
): boolean {
  field.start = at.start
  field.escaped = false
  field.quoted = at.syntax.csv && at.start < at.end && bytes[at.start] === at.syntax.quote
  if (field.quoted) return readQuoted(bytes, field, at)
  const { delimiter, quote, csv } = at.syntax
  let end = at.start
  for (; end < at.end; end++) {
    const byte = bytes[end]!
    if (byte === delimiter) break
    if (csv) {
      if (byte === quote) return false
    } else if (byte === BACKSLASH) {
      field.escaped = true
      end++
      if (end >= at.end) return false
    }
  }
  field.end = end
  return true
}

function readQuoted(
  bytes: Uint8Array,
  field: CopyField,
  at: { readonly end: number; readonly syntax: CopySyntax },
): boolean {
  const { delimiter, quote, escape: sign } = at.syntax
  let end = field.start + 1
  for (; end < at.end; end++) {
    const byte = bytes[end]!
    const next = end + 1 < at.end ? bytes[end + 1] : -1
    if (byte === sign && (next === quote || next === sign)) {
      field.escaped = true
      end++
    } else if (byte === quote) {
      field.end = end + 1
      return next === -1 || next === delimiter
    }
  }
  return false
}

/** Writes what the field stands for, without quotes and escapes. Not for NULL. */
export function decodeField(
  bytes: Uint8Array,
  field: CopyField,
  to: { readonly sink: ByteSink; readonly syntax: CopySyntax },
): void {
  const { sink, syntax } = to
  const start = field.quoted ? field.start + 1 : field.start
  const end = field.quoted ? field.end - 1 : field.end
  const mark = syntax.csv ? syntax.escape : BACKSLASH
  for (let at = start; at < end; at++) {
    if (bytes[at] !== mark || at + 1 >= end) {
      sink.u8(bytes[at]!)
      continue
    }
    at++
    sink.u8(syntax.csv ? bytes[at]! : unescaped(bytes[at]!))
  }
}

/** Writes a value with the quotes and escapes that its form asks for. */
export function encodeField(value: Uint8Array, sink: ByteSink, syntax: CopySyntax): void {
  if (syntax.csv) {
    sink.u8(syntax.quote)
    for (const byte of value) {
      if (byte === syntax.quote || byte === syntax.escape) sink.u8(syntax.escape)
      sink.u8(byte)
    }
    sink.u8(syntax.quote)
    return
  }
  for (const byte of value) {
    const letter = LETTERS.get(byte)
    if (letter !== undefined || byte === BACKSLASH || byte === syntax.delimiter) sink.u8(BACKSLASH)
    sink.u8(letter ?? byte)
  }
}

/** Control characters and the letters that stand for them after a backslash. */
const LETTERS: ReadonlyMap<number, number> = new Map(
  [
    ['\b', 'b'],
    ['\f', 'f'],
    ['\n', 'n'],
    ['\r', 'r'],
    ['\t', 't'],
    ['\v', 'v'],
  ].map(([control, letter]) => [control!.charCodeAt(0), letter!.charCodeAt(0)]),
)
const CONTROLS: ReadonlyMap<number, number> = new Map(
  [...LETTERS].map(([control, letter]) => [letter, control]),
)

/** The server writes no octal or hexadecimal escapes; any other character stands for itself. */
function unescaped(letter: number): number {
  return CONTROLS.get(letter) ?? letter
}
