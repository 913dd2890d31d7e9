/**
 * Pure. Recorded text made harmless: nothing of it is obeyed by a terminal.
 *
 * Statements, names and values come from agents and targets. A control character in them could move the cursor, change
 * the title or answer for the person at the keyboard, and a bidirectional mark could show them in another order.
 */

/** C0, C1, DEL, line separators, zero-width and bidirectional marks become `\n`, `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, (character) => {
    const named = NAMED[character]
    if (named !== undefined) return named
    const code = character.codePointAt(0)!.toString(16)
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`
  })
}

/** Likewise, and line breaks and tabs stay: for texts of several lines. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/\r$/, '')
        .split('\t')
        .map((part) => printable(part))
        .join('\t'),
    )
    .join('\n')
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
