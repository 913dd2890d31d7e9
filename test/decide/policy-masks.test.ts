import { describe, expect, test } from 'vitest'
import { check } from '../../src/config/fields.ts'
import { maskDeclarations, maskForm, parseColumnPattern } from '../../src/decide/policy-masks.ts'
import { DETECTORS } from './fixtures.ts'

const form = maskForm(DETECTORS)

function read(mask: unknown) {
  const result = check(form, mask)
  if ('issues' in result)
    return result.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return maskDeclarations([result.value], { name: 'p', monitor: false })
}

function transformOf(mask: object) {
  const declared = read({ columns: ['a.b.c'], ...mask })
  return 'columns' in declared ? declared.columns[0]?.with : declared
}

describe('column patterns', () => {
  test('fold as PostgreSQL folds, unless quoted', () => {
    expect(parseColumnPattern('Public.Users.EMAIL')).toEqual({
      pattern: ['public', 'users', 'email'],
    })
    expect(parseColumnPattern('*.*.ssn')).toEqual({ pattern: ['*', '*', 'ssn'] })
    expect(parseColumnPattern('public."My ""T"".x"."ÄB"')).toEqual({
      pattern: ['public', 'My "T".x', 'ÄB'],
    })
    expect(parseColumnPattern('ä.b$1._c')).toEqual({ pattern: ['ä', 'b$1', '_c'] })
  })

  test('have three parts, each a name or a star', () => {
    const wrong = [
      'a.b',
      'a.b.c.',
      '.a.b',
      'a..c',
      'a.b.c*',
      '"".b.c',
      'a.b."c',
      '',
      'a.b.1c',
      'a b.c.d',
    ]
    for (const text of [...wrong, `a.b.${'x'.repeat(64)}`])
      expect(parseColumnPattern(text), text).toBeUndefined()
  })

  test('reach inside JSON by keys, written as SQL writes them', () => {
    const path = (text: string) => parseColumnPattern(text)?.path
    expect(parseColumnPattern("public.events.Payload->'Card'")).toEqual({
      pattern: ['public', 'events', 'payload'],
      path: ['Card'],
    })
    expect(path("*.*.\"d->'x'\"->'a'->'b c'")).toEqual(['a', 'b c'])
    expect(path("a.b.c->''->'it''s'->'->'->'{x}'->'ä.😀'")).toEqual([
      '',
      "it's",
      '->',
      '{x}',
      'ä.😀',
    ])
    expect(read({ columns: ["a.b.c->'d'"], with: 'hash' })).toMatchObject({
      columns: [{ pattern: ['a', 'b', 'c'], path: ['d'], with: { type: 'hash' } }],
    })
  })

  test('that reach inside by anything else are refused, with the form that is taken', () => {
    const wrong = ['a.b.c.d', "a.b.c->>'ssn'", 'a.b.c[0]', 'a.b.c{x}', 'a.b.c->x', 'a.b.c->0']
    const more = [
      "a.b.c->'x",
      "a.b.c->'x'y",
      "a.b.c ->'x'",
      "a.b->'c'",
      "a.b.c->'x'->",
      "a.b.c.->'x'",
    ]
    for (const path of [...wrong, ...more, `a.b.c${"->'x'".repeat(31)}`])
      expect(read({ columns: [path], with: 'redact' }), path).toEqual([
        `columns.0: expected schema.table.column, each a name, "a quoted name" or *, and for a part of JSON in it ->'key'`,
      ])
  })
})

test('every transform of the contract', () => {
  expect(transformOf({ with: 'redact' })).toEqual({ type: 'redact' })
  expect(transformOf({ with: 'null' })).toEqual({ type: 'null' })
  expect(transformOf({ with: null })).toEqual({ type: 'null' })
  expect(transformOf({ with: 'hash' })).toEqual({ type: 'hash' })
  expect(transformOf({ with: 'pseudonym' })).toEqual({ type: 'pseudonym', domain: '' })
  expect(transformOf({ with: 'pseudonym', domain: 'd' })).toEqual({
    type: 'pseudonym',
    domain: 'd',
  })
  expect(transformOf({ with: { fixed: '-' } })).toEqual({ type: 'fixed', value: '-' })
  const last = { type: 'partial', keepFirst: 0, keepLast: 4 }
  expect(transformOf({ with: { partial: { keep_last: 4 } } })).toEqual(last)
  const first = { type: 'partial', keepFirst: 2, keepLast: 0 }
  expect(transformOf({ with: { partial: { keep_first: 2 } } })).toEqual(first)
})

test('defaults are the strict ones', () => {
  expect(read({ columns: ['a.b.c'], with: 'redact' })).toEqual({
    columns: [
      {
        pattern: ['a', 'b', 'c'],
        with: { type: 'redact' },
        inPredicates: 'deny',
        derived: 'mask',
        monitor: false,
        rule: 'p/mask-1',
      },
    ],
    detectors: [],
  })
})

test('detectors are those that exist', () => {
  expect(read({ detect: ['email', 'credit_card'], with: 'redact' })).toMatchObject({
    detectors: [{ detector: 'email', rule: 'p/mask-1' }, { detector: 'credit_card' }],
  })
  expect(read({ detect: ['e-mail'], with: 'redact' })).toEqual([
    'detect.0: there is no such detector (did you mean email?)',
  ])
})

describe('refused', () => {
  for (const [name, mask] of Object.entries({
    'neither columns nor detect': { with: 'redact' },
    'both of them': { columns: ['a.b.c'], detect: ['email'], with: 'redact' },
    'no transform': { columns: ['a.b.c'] },
    'an unknown transform': { columns: ['a.b.c'], with: 'blur' },
    'a transform of no form': { columns: ['a.b.c'], with: { blur: 1 } },
    'both ends of a part': {
      columns: ['a.b.c'],
      with: { partial: { keep_first: 1, keep_last: 1 } },
    },
    'a domain without pseudonym': { columns: ['a.b.c'], with: 'hash', domain: 'd' },
    'in_predicates: approve': { columns: ['a.b.c'], with: 'hash', in_predicates: 'approve' },
    'predicates of a detector': { detect: ['email'], with: 'redact', in_predicates: 'allow' },
    'pseudonyms of a detector': { detect: ['email'], with: 'pseudonym' },
    'no columns at all': { columns: [], with: 'redact' },
  }))
    test(name, () => expect(Array.isArray(read(mask))).toBe(true))
})
