/**
 * Pure apart from the corpus that it reads. Fuzz of the normaliser and of the cache that stands on it: against
 * PostgreSQL's own scanner, and against the analysis of each text by itself. Texts are pieces that matter to a scanner,
 * the statements of the corpus, and both with bytes changed.
 */
import fc from 'fast-check'
import { loadModule, scanSync } from 'libpg-query'
import { expect } from 'vitest'
import { analyse } from '../../src/protocols/postgres/sql/analyse.ts'
import { FactsCache } from '../../src/protocols/postgres/sql/facts-cache.ts'
import { normalise } from '../../src/protocols/postgres/sql/normalise.ts'
import { loadCorpus } from '../corpus/sql/corpus.ts'
import { CLEAR, HIDING, TEXT } from '../protocols/postgres/sql/cached-sample.ts'
import { type FuzzProperty, property } from './driver.ts'
import { edit, edited, hostileText } from './mutate.ts'

await loadModule()

const STATEMENTS = loadCorpus().flatMap(({ steps }) => steps)
const QUOTES = [
  "'",
  "''",
  '"',
  '$$',
  '$1',
  '$a$',
  "E'",
  "e'\\''",
  "U&'",
  'U&"',
  "N'",
  "B'1'",
  "X'f'",
]
const SIGNS = ['--', '/*', '*/', '\n', '\r', '\f', '\v', ' ', '\t', '.', '..', '-', '+', ';', '::']
const WORDS = [
  'E',
  'u&',
  'n',
  'x',
  'a',
  '_',
  'é',
  'select',
  '1e',
  '0x',
  '0b1',
  '\\',
  '{',
  '?',
  ':=',
]
const NUMBERS = [
  '0',
  '1',
  '007',
  '1.5',
  '1.',
  '.5',
  '1e5',
  '1_000',
  '999999999',
  '2147483648',
  '1a',
]
const piece = fc.oneof(
  fc.constantFrom(...QUOTES, ...SIGNS, ...WORDS, ...NUMBERS, "'x'", '(', ')', ',', '\u0001'),
  fc.nat(3000).map(String),
  hostileText.map((bytes) => bytes.toString()),
)
const known = fc.oneof(fc.constantFrom(...STATEMENTS), TEXT)
const changed = fc
  .tuple(known, fc.array(fc.tuple(fc.nat(), piece, fc.nat(3)), { maxLength: 3 }))
  .map(([text, changes]) =>
    changes.reduce((now, [at, put, less]) => {
      const from = at % (now.length + 1)
      return now.substring(0, from) + put + now.substring(from + less)
    }, text),
  )
const text = fc
  .oneof(
    fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
    changed,
    fc.tuple(known, edit).map(([one, change]) => edited(Buffer.from(one), change).toString()),
  )
  // What came over a wire holds no half of a character.
  .map((one) => Buffer.from(one).toString())

const I = '\u0001'
const [ICONST, SCONST] = [266, 261]

interface Token {
  readonly kind: number
  readonly text: string
}

/** undefined: the scanner refuses the text. `unreadable`: it does not, but the package spoils what it says. */
function tokens(of: string): readonly Token[] | undefined | 'unreadable' {
  try {
    return scanSync(of).tokens.map((one) => ({ kind: one.tokenType, text: one.text }))
  } catch (error) {
    // A form feed in a token is not escaped in its JSON.
    return error instanceof SyntaxError ? 'unreadable' : undefined
  }
}

function filled(key: string, integer: () => string, string: () => string): string {
  return key.replaceAll(/[\u0001\u0002]/g, (mark) => (mark === I ? integer() : `'${string()}'`))
}

const plainString = fc
  .string({ maxLength: 6, unit: 'grapheme' })
  .map((one) => one.replaceAll(/['\\]|\p{Cc}|\p{Cs}/gu, 'x'))

/** Kept over all tries, so that texts meet what others left behind. */
const caches = [CLEAR, HIDING].map((options) => ({
  options,
  cache: new FactsCache({ entriesMax: 4000 }),
}))

export const NORMALISER: readonly FuzzProperty[] = [
  property(
    'normaliser: the values are those of the real scanner, and a key gives them back',
    text,
    {
      runs: 1000,
      holds: (one) => {
        const normalised = normalise(one)
        if (normalised === undefined) return
        const values = normalised.values.values()
        const next = () => values.next().value ?? ''
        expect(filled(normalised.key, next, next)).toBe(one)
        const scanned = tokens(one)
        if (scanned === undefined || scanned === 'unreadable') return
        const constants = scanned
          .filter(
            ({ kind, text: said }) => kind === SCONST || (kind === ICONST && said.length <= 9),
          )
          .map(({ kind, text: said }) =>
            kind === SCONST ? said.substring(1, said.length - 1) : said,
          )
        expect(normalised.values).toEqual(constants)
      },
    },
  ),
  property(
    'normaliser: texts of one key are one to the scanner but for their values',
    fc.tuple(text, fc.infiniteStream(fc.nat(999_999_999)), fc.infiniteStream(plainString)),
    {
      runs: 500,
      holds: ([one, integers, strings]) => {
        const normalised = normalise(one)
        if (normalised === undefined) return
        const twin = filled(
          normalised.key,
          () => String(integers.next().value),
          () => strings.next().value,
        )
        expect(normalise(twin)?.key).toBe(normalised.key)
        const [here, there] = [tokens(one), tokens(twin)]
        if (here === 'unreadable' || there === 'unreadable') return
        expect(there?.map(({ kind }) => kind)).toEqual(here?.map(({ kind }) => kind))
        const rest = (list: readonly Token[] | undefined) =>
          list?.filter(({ kind }) => kind !== ICONST && kind !== SCONST)
        expect(rest(there)).toEqual(rest(here))
      },
    },
  ),
  property(
    'normaliser: what is remembered is what the text means',
    fc.array(text, { maxLength: 6 }),
    {
      runs: 150,
      holds: (list) => {
        for (const { cache, options } of caches)
          for (const one of list) {
            // Twice more with other literals: the second makes the template, the third uses it.
            for (const more of [one, shifted(one), one, shifted(shifted(one))])
              expect([more, cache.analyse(more, options)]).toEqual([more, analyse(more, options)])
          }
      },
    },
  ),
]

/** Another text of the same key. */
function shifted(one: string): string {
  const normalised = normalise(one)
  if (normalised === undefined) return one
  const values = normalised.values.values()
  const next = () => values.next().value ?? ''
  return filled(
    normalised.key,
    () => String((Number(next()) + 1) % 999_999_999),
    () => `${next()}x`,
  )
}
