import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DOCUMENT_BYTES_MAX, JsonPaths } from '../../src/mask/json-paths.ts'
import type { PathMask } from '../../src/mask/transform-spec.ts'

function at(...path: string[]): PathMask {
  return { path, transform: { type: 'redact' }, monitor: false, name: path.join('.') }
}

const STARS = Buffer.from('"****"')

/** The document after masking, `same` where it stays, or why there is none. */
function masked(document: string | Buffer, ...masks: PathMask[]): string {
  const bytes = Buffer.from(document)
  const result = new JsonPaths(masks).mask(bytes, () => STARS)
  if (result === undefined) return 'same'
  return typeof result === 'string' ? result : result.toString()
}

test('the value at a key is replaced, whatever it is, and the rest stays byte for byte', () => {
  for (const value of [
    '"x"',
    '4111',
    '-1.5e+3',
    'null',
    'true',
    '{"a": [1]}',
    '[{"n": "}"}]',
    '""',
  ])
    expect(masked(`{ "a" : 1 ,"card":${value}\n, "b":"card"}`, at('card'))).toBe(
      `{ "a" : 1 ,"card":"****"\n, "b":"card"}`,
    )
})

test('a longer path goes through objects, and arrays on the way are walked through', () => {
  const path = at('a', 'b')
  expect(masked('{"a":{"b":1,"c":2},"b":3}', path)).toBe('{"a":{"b":"****","c":2},"b":3}')
  expect(masked('{"a":[{"b":1},[{"b":2,"c":3}],{"c":{"b":4}}]}', path)).toBe(
    '{"a":[{"b":"****"},[{"b":"****","c":3}],{"c":{"b":4}}]}',
  )
  expect(masked('[{"a":{"b":1}},{"a":2}]', path)).toBe('[{"a":{"b":"****"}},{"a":2}]')
  for (const other of [
    '{"a":1}',
    '{"b":1}',
    '{"x":{"a":{"b":1}}}',
    '"a"',
    '7',
    '[]',
    '{}',
    '{"a":"b"}',
  ])
    expect([other, masked(other, path)]).toEqual([other, 'same'])
})

test('a key counts as what it stands for, and each time that it stands there', () => {
  expect(masked('{"\\u0063ard":1}', at('card'))).toBe('{"\\u0063ard":"****"}')
  expect(masked('{"card":1,"card":2}', at('card'))).toBe('{"card":"****","card":"****"}')
  expect(masked('{"ä\\"\\\\\\n\\ud83d\\ude00":1}', at('ä"\\\n😀'))).toContain('"****"')
  expect(masked('{"":1}', at(''))).toBe('{"":"****"}')
  expect(masked('{"__proto__":1}', at('__proto__'))).toBe('{"__proto__":"****"}')
  expect(masked('{"Card":1,"card ":1,"car":1}', at('card'))).toBe('same')
})

test('no path hides all of it, and of several for one part the stronger counts', () => {
  expect(masked(' [1, 2] ', at())).toBe(' "****" ')
  const seen: string[] = []
  const weak: PathMask = { ...at('a'), transform: { type: 'partial', keepFirst: 1, keepLast: 0 } }
  new JsonPaths([weak, at('a')]).mask(Buffer.from('{"a":"x"}'), (part, { transform }) => {
    seen.push(`${transform.type} ${Buffer.from(part)}`)
    return null
  })
  expect(seen).toEqual(['redact "x"'])
  const gone = new JsonPaths([at('a')]).mask(Buffer.from('{"a":"x"}'), () => null)
  expect(String(gone)).toBe('{"a":null}')
})

test('inside a part that is hidden nothing more is looked for', () => {
  expect(masked('{"a":{"b":1},"c":{"b":2}}', at('a'), at('a', 'b'), at('c', 'b'))).toBe(
    '{"a":"****","c":{"b":"****"}}',
  )
})

test.each([
  ...['', ' ', '{', '}', '[', ']', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{,"a":1}'],
  ...['{"a":1}}', '{"a":1]', '[1}', '[1 2]', '{"a" 1}', '{a:1}', "{'a':1}", '1 2', 'nul', 'truex'],
  ...['01', '1.', '.5', '+1', '1e', '--1', '"', '"\\x"', '"\\u12g4"', '"\n"', '"a\u0000"', 'NaN'],
  ...['{"a":1}x', '\ufeff{}', '{"a":1,"b"}', '{"a"::1}', '[[]', '{1:2}', '/**/1', '[1]{}'],
])('no document: %s', (text) => {
  expect(masked(text, at('a'))).toBe('unreadable')
  expect(() => JSON.parse(text)).toThrow()
})

test('what is too large, too deep or has too many parts is said so', () => {
  const deep = 100_000
  expect(masked(`${'['.repeat(deep)}${']'.repeat(deep)}`, at('a'))).toBe('too-large')
  expect(masked(`${'['.repeat(4000)}{"a":1}${']'.repeat(4000)}`, at('a'))).toContain('****')
  expect(masked(`[${'{"a":1},'.repeat(30_000)}1]`, at('a'))).toBe('too-large')
  expect(masked(`"${'x'.repeat(DOCUMENT_BYTES_MAX)}"`, at('a'))).toBe('too-large')
  const big = `{"x":"${'y'.repeat(DOCUMENT_BYTES_MAX - 20)}","a":1}`
  expect(masked(big, at('a'))).toBe(big.replace('"a":1}', '"a":"****"}'))
  const long = new JsonPaths([at('a')])
  const filler = Buffer.alloc(5000, 0x31)
  expect(long.mask(Buffer.from(`[${'{"a":1},'.repeat(15_000)}1]`), () => filler)).toBe('too-large')
})

/** The same by JSON.parse. */
function reference(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return '****'
  if (Array.isArray(value)) return value.map((one) => reference(one, path))
  if (typeof value !== 'object' || value === null) return value
  const [key, ...rest] = path
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === key ? reference(one, rest) : one]),
  )
}

const key = fc.constantFrom('a', 'b', 'c', 'ä', '"', '\\', '😀', 'a b')
const document = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.constant(null),
      fc.boolean(),
    ),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4 }),
  ),
})).any

test('any document comes out as a reader of JSON would have it', () => {
  fc.assert(
    fc.property(
      document,
      fc.array(key, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (json, path, spaced) => {
        const text = JSON.stringify(json, null, spaced ? 2 : 0)
        const result = masked(text, at(...path))
        expect(JSON.parse(result === 'same' ? text : result)).toEqual(
          JSON.parse(JSON.stringify(reference(JSON.parse(text), path))),
        )
      },
    ),
    { numRuns: 400 },
  )
})

test('any bytes are read as JSON.parse reads them, or not at all', () => {
  const sign = fc.constantFrom(
    ...'{}[],:"\\01.-eE +au\n'.split(''),
    'null',
    '"a"',
    '{"a":1}',
    '"a":',
  )
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 12 }), (signs) => {
      const text = signs.join('')
      let readable = true
      try {
        JSON.parse(text)
      } catch {
        readable = false
      }
      expect([text, masked(text, at('zz'))]).toEqual([text, readable ? 'same' : 'unreadable'])
    }),
    { numRuns: 2000 },
  )
})
