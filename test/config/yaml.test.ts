import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readYaml } from '../../src/config/yaml.ts'

const messages = (text: string): string[] =>
  readYaml('f.yaml', text).problems.map(({ message }) => message)

describe('places', () => {
  const text = 'a:\n  - { b: 1, c: two }\n  - *x\nd:\n'
  test('a value, a key, and the nearest part of what is missing', () => {
    const yaml = readYaml('f.yaml', text.replace('*x', '3'))
    expect(yaml.problem(['a', 0, 'c'], 'm')).toMatchObject({ line: 2, column: 16, path: 'a[0].c' })
    expect(yaml.problem(['a', 0, 'c'], 'm', 'key')).toMatchObject({ line: 2, column: 13 })
    expect(yaml.problem(['a', 0, 'missing'], 'm')).toMatchObject({ line: 2, column: 5 })
    expect(yaml.problem([], 'm')).toMatchObject({ line: 1, column: 1 })
  })

  test('inside a text: plain, quoted, and in a block', () => {
    const at = (source: string, offset: number) => {
      const { line, column } = readYaml('f', source).problemInText(['w'], 'm', offset)
      return [line, column]
    }
    expect(at('w: abcdef', 3)).toEqual([1, 7])
    expect(at("w: 'abcdef'", 3)).toEqual([1, 8])
    expect(at('w: |\n  ab\n  cdef\n', 4)).toEqual([3, 4])
    // Escapes move everything: the start is honest, a guess would not be.
    expect(at('w: "a\\tcdef"', 3)).toEqual([1, 4])
  })
})

describe('refused', () => {
  test('duplicate keys, second documents, broken syntax', () => {
    expect(messages('a: 1\na: 2')).toEqual(['Map keys must be unique'])
    expect(messages('a: 1\n---\nb: 2')).toContain('expected one document')
    expect(messages('a: [1')).not.toEqual([])
    expect(readYaml('f', 'a: [1').isReadable).toBe(false)
  })

  test('keys that JavaScript gives a meaning, and keys that are no text', () => {
    for (const key of ['__proto__', 'constructor', 'prototype'])
      expect(messages(`${key}: 1`)).toEqual([`the key ${key} is not allowed`])
    expect(messages('1: 2')).toEqual(['expected a key that is text; put it in quotes'])
    expect(messages('? [a]\n: b')).toEqual(['expected a key that is text; put it in quotes'])
    expect(Object.getPrototypeOf(readYaml('f', 'a: 1').value)).toBe(null)
  })

  test('aliases that expand without end, and those that hold themselves', () => {
    const lines = ['a: &a [x, x]']
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih', 'ji', 'kj', 'lk'])
      lines.push(`${name}: &${name} [*${of}, *${of}]`)
    expect(messages(lines.join('\n'))).toEqual(['too many aliases'])
    expect(messages('a: &a [*a]')).toHaveLength(1)
  })

  test('depth, and brackets without end', () => {
    expect(messages(`a: ${'['.repeat(60)}${']'.repeat(60)}`)).toEqual(['deeper than 50 levels'])
    expect(messages('['.repeat(20_000)).length).toBeGreaterThan(0)
  })

  test('tags', () => {
    expect(messages('a: !run x')).toHaveLength(1)
  })
})

test('an alias within measure is its value', () => {
  expect(readYaml('f', 'a: &a { b: 1 }\nc: *a').value).toEqual({ a: { b: 1 }, c: { b: 1 } })
})

test('an empty file has no value and no problem', () => {
  expect(readYaml('f', '# nothing\n')).toMatchObject({ value: undefined, isReadable: true })
})

test('no text makes it throw, and each problem has a place', () => {
  const part = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '"',
    '|',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(part).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (source) => {
      for (const problem of readYaml('f', source).problems) expect(problem.line).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})
