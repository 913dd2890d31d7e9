import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RE2 } from '../../src/base/pattern.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { patternNeeds } from '../../src/mask/pattern-needs.ts'
import { Sieve } from '../../src/mask/sieve.ts'

test('what a pattern needs', () => {
  expect(patternNeeds('gh[ps]_[A-Za-z0-9]{36,}')).toMatchObject({
    ...{ length: 40, run: 40, alphanumericRun: 36 },
    literals: ['ghp_', 'ghs_'],
  })
  expect(patternNeeds('[0-9](?:[ .-]?[0-9]){11,}')).toMatchObject({ chain: 12, digitRun: 1 })
  expect(patternNeeds('[0-9]{6}[a-z]?[0-9]{4}')).toMatchObject({
    digits: 10,
    digitRun: 6,
    alphanumericRun: 10,
  })
  expect(patternNeeds('(?:abc|[0-9]{4})x')).toMatchObject({
    digits: 0,
    length: 4,
    literals: undefined,
  })
  expect(patternNeeds('(?i:SK-)[a-z]+')).toMatchObject({
    literals: expect.arrayContaining(['sk-']),
  })
  expect(patternNeeds('a?b*')).toMatchObject({ length: 0, literals: undefined })
})

test('what is not known is not asked', () => {
  expect(patternNeeds('(?i)abcdef')).toMatchObject({ literals: undefined, isBound: true })
  expect(patternNeeds('(?i)abcdef').digits).toBeUndefined()
})

test('letters beyond ASCII that count as s and k are no way past', () => {
  const source = '(?i:secret-key)'
  const value = Buffer.from('\u017fecret-\u212aEY')
  expect(new RE2(source, 'u').test(value)).toBe(true)
  expect(new Sieve([patternNeeds(source)]).mayHold(value, 0, value.length)).toBe(true)
})

test('whatever RE2 finds meets the needs of its pattern, within any text', () => {
  const sources = [...KNOWN_DETECTORS.values()].flatMap(({ forms }) =>
    forms.map((form) => form.source),
  )
  const sieves = sources.map((source) => new Sieve([patternNeeds(source)]))
  const patterns = sources.map((source) => new RE2(source, 'u'))
  const examples = sources.map((source) => fc.stringMatching(javascript(source)))
  let found = 0
  fc.assert(
    fc.property(
      fc.nat(sources.length - 1).chain((at) => fc.tuple(fc.constant(at), examples[at]!)),
      fc.string({ maxLength: 9 }),
      fc.boolean(),
      ([at, example], noise, isUpper) => {
        const text = noise + (isUpper ? example.toUpperCase() : example) + noise
        const bytes = Buffer.from(text)
        if (!patterns[at]!.test(bytes)) return
        found++
        expect(sieves[at]!.mayHold(bytes, 0, bytes.length), `${sources[at]} ${text}`).toBe(true)
      },
    ),
    { numRuns: 2000 },
  )
  expect(found).toBeGreaterThan(1000)
})

test('of any pattern, RE2 finds nothing in a text that does not meet its needs', () => {
  const atom = fc.constantFrom(
    ...[
      'a',
      'k',
      'S',
      'é',
      '.',
      '[0-9]',
      '[^a]',
      '[a-k_]',
      '\\d',
      '\\w',
      '\\s',
      '\\S',
      '\\.',
      '\\b',
    ],
    ...[
      '[\\d_]',
      '[^\\p{L}]',
      '\\p{N}',
      '[-a]',
      'x{2}',
      '1{3}',
      '{',
      ' ',
      '@',
      '\\x41',
      '[é-ü]',
      '[\\W]',
    ],
  )
  const pattern = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('node'), tie('node')).map((both) => both.join('')),
      fc.tuple(tie('node'), tie('node')).map((both) => `(?:${both.join('|')})`),
      fc
        .tuple(tie('node'), fc.constantFrom('?', '*', '+', '{2}', '{1,3}', '{0,1}', '+?'))
        .map(([node, times]) => `(?:${String(node)})${times}`),
      tie('node').map((node) => `(?i:${String(node)})`),
    ),
  })).node
  const piece = fc.constantFrom(...'akKAsSxX01239.-_ @{é\u017f\u212a\u0663\u00a0', 'xx', '111', 'É')
  let found = 0
  fc.assert(
    fc.property(pattern, fc.array(piece, { maxLength: 8 }), (node, pieces) => {
      const source = String(node)
      const bytes = Buffer.from(pieces.join(''))
      if (bytes.length === 0 || !new RE2(source, 'u').test(bytes)) return
      found++
      expect(new Sieve([patternNeeds(source)]).mayHold(bytes, 0, bytes.length), source).toBe(true)
    }),
    { numRuns: 3000 },
  )
  expect(found).toBeGreaterThan(200)
})

/** RE2 source as one that fast-check can make examples of. */
function javascript(source: string): RegExp {
  const plain = source
    .replaceAll('\\b', '')
    .replace(/\(\?i:/g, '(?:')
    .replaceAll('\\p{M}', '')
    .replaceAll('\\p{L}', 'a-zé')
    .replaceAll('\\p{N}', '0-9')
  return new RegExp(plain)
}
