/**
 * Pure. The only door to `re2`: regular expressions whose time is linear in the text, whoever wrote pattern and text.
 * https://github.com/google/re2/wiki/Syntax
 */
import RE2 from 're2'

/** For those who scan bytes. Never build one from text that a client sent. */
export { RE2 }

export interface Pattern {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean
}

/** undefined: not a pattern (look-around and back-references are not, since they cannot be linear). */
export function compilePattern(source: string): Pattern | undefined {
  try {
    return new RE2(source, 'u')
  } catch {
    return undefined
  }
}
