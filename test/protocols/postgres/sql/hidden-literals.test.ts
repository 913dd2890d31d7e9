import fc from 'fast-check'
import { loadModule, scanSync } from 'libpg-query'
import { beforeAll, expect, test } from 'vitest'
import { withoutLiterals } from '../../../../src/protocols/postgres/sql/hidden-literals.ts'

beforeAll(() => loadModule())

test.each([
  ["SELECT 'a' || 1, x FROM t", "SELECT '****' || ?, x FROM t"],
  ["E'it\\'s' 'it''s'", "'****' '****'"],
  ['$$a$$ $x$ $$ $x$', "'****' '****'"],
  ["U&'\\0061' x'ff' B'01' n'x'", "'****' '****' '****' '****'"],
  ['/* a /* b */ 1 */ 2 -- 3', '/* **** */ ? /* **** */'],
  ['"a 1" U&"b" c1 $1 $12', '"a 1" U&"b" c1 $1 $12'],
  ['1.5e-7 .5 1_000 0x1F 1e', '? ? ? ? ?'],
  ["'not closed 123", "'****'"],
  ['/* not closed', '/* **** */'],
  ['$a$ not closed', "'****'"],
])('%s', (text, hidden) => {
  expect(withoutLiterals(text)).toBe(hidden)
})

/** Tokens of PostgreSQL's scanner that are values. */
const VALUES = new Set(['SCONST', 'USCONST', 'BCONST', 'XCONST', 'ICONST', 'FCONST'])

interface Token {
  readonly start: number
  readonly end: number
  readonly tokenName: string
}

/** Values of a text, by the real scanner; undefined where it does not scan. */
function valuesOf(text: string): string[] | undefined {
  try {
    const { tokens } = scanSync(text) as unknown as { tokens: Token[] }
    const bytes = Buffer.from(text)
    return tokens
      .filter(({ tokenName }) => VALUES.has(tokenName))
      .map(({ start, end }) => bytes.toString('utf8', start, end))
  } catch {
    return undefined
  }
}

test('no value that the real scanner finds is left', () => {
  const piece = fc.constantFrom(
    ...[
      "'SECRET'",
      "E'SECRET\\''",
      '$$SECRET$$',
      '$a$SECRET$a$',
      '987654',
      '98765.4e3',
      "U&'SECRET'",
    ],
    ...[
      "x'98765'",
      'SELECT',
      ' ',
      '\n',
      ',',
      '--',
      '/*',
      '*/',
      '"',
      "'",
      '\\',
      '$',
      '$1',
      'e',
      'é',
      'a1',
    ],
    ...['::', '||', '-', '+', '.', '(', ')', '_'],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('')
      const values = valuesOf(text)
      if (values === undefined) return
      const left = valuesOf(withoutLiterals(text))
      expect(left).toBeDefined()
      expect(left?.filter((value) => !/^'[*'\s]+'$/.test(value))).toEqual([])
    }),
    { numRuns: 2000 },
  )
})
