import { describe, expect, test } from 'vitest'
import { builtInQuestions } from '../../src/replay/built-in.ts'
import { fillQuestion, momentOf, parseQuestions, readQuestion } from '../../src/replay/questions.ts'

const NOW = Date.UTC(2026, 10, 21, 12)

function fill(sql: string, values: Readonly<Record<string, string>>): string | readonly string[] {
  const read = readQuestion(sql)
  if ('problems' in read) return read.problems
  const filled = fillQuestion(read, new Map(Object.entries(values)), NOW)
  return 'sql' in filled ? filled.sql : filled.problems
}

describe('a question', () => {
  test('is read with its number, its name and what to fill in', () => {
    const text = `-- about the file\n\n--- 7. who: Who did it?\n--: table, which one\n--: since = 1d, how far back\nSELECT 1\nWHERE a = {table:String} AND ts > {since:DateTime64(6)}\n`
    const [question] = parseQuestions(text)
    expect(question).toMatchObject({ number: 7, name: 'who', asks: 'Who did it?' })
    expect(question?.fields).toEqual([
      { name: 'table', type: 'String', default: undefined, meaning: 'which one' },
      { name: 'since', type: 'DateTime64(6)', default: '1d', meaning: 'how far back' },
    ])
    expect(question?.sql).toMatch(/^SELECT 1\n/)
  })

  test('of ours is a malformed file', () => {
    expect(() => parseQuestions('--- who: no number\nSELECT 1')).toThrow('not the head')
    expect(() => parseQuestions('--- 1. who: x\nSELECT {a:Table}')).toThrow('question 1')
  })

  test('twenty come with the gateway, each of its own number and name', () => {
    const questions = builtInQuestions()
    expect(questions.map(({ number }) => number)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 1),
    )
    expect(new Set(questions.map(({ name }) => name)).size).toBe(20)
    for (const { fields } of questions)
      for (const { meaning } of fields) expect(meaning).not.toBe('')
  })
})

describe('blanks', () => {
  test('become literals of their type', () => {
    expect(fill('SELECT {a:String}, {n:UInt64}', { a: 'x', n: '7' })).toBe("SELECT 'x', 7")
    expect(fill('SELECT {t:DateTime64(6)}', { t: '2h' })).toBe(
      "SELECT toDateTime64('2026-11-21 10:00:00.000', 6, 'UTC')",
    )
  })

  test('cannot be left by what is filled in', () => {
    const hostile = "x' OR 1=1 -- \\' {b:String}"
    expect(fill('SELECT {a:String}, {b:String}', { a: hostile, b: 'y' })).toBe(
      "SELECT 'x\\' OR 1=1 -- \\\\\\' {b:String}', 'y'",
    )
    expect(fill('SELECT {n:UInt64}', { n: '1 OR 1' })).toEqual(['n: expected a whole number'])
    expect(fill('SELECT {t:DateTime64(6)}', { t: "1d'" })).toEqual([
      expect.stringContaining('t: expected a moment'),
    ])
    expect(fill('SELECT {a:String}', { a: 'x\0y' })).toEqual([expect.stringContaining('zero')])
  })

  test('in quotes and comments are none', () => {
    const sql =
      "SELECT '{a:String}', `{b:String}`, \"{c:String}\" -- {d:String}\n/* {e:String} */, 'it''s \\' {f:String}'"
    expect(fill(sql, {})).toBe(sql)
  })

  test('must all be given, and nothing else', () => {
    expect(fill('SELECT {a:String}', {})).toEqual(['a is missing'])
    expect(fill('SELECT 1', { a: 'x' })).toEqual(['it has no blank a'])
    expect(fill('SELECT {a:String}', { a: 'x', __proto__: 'y' })).toBe("SELECT 'x'")
  })

  test('of an unknown or of two types, or described and not used, are refused', () => {
    expect(fill('SELECT {a:Identifier}', { a: 'x' })).toEqual([expect.stringContaining('none of')])
    expect(fill('SELECT {a:String}, {a:UInt64}', { a: '1' })).toEqual(['a has two types'])
    expect(fill('--: b = 1, x\nSELECT 1', {})).toEqual(['b is described and not used'])
  })
})

test('a moment is a date, a time, or how long ago it was', () => {
  expect(momentOf('2026-11-01', NOW)).toBe(Date.UTC(2026, 10, 1))
  expect(momentOf('2026-11-01 12:30', NOW)).toBe(Date.UTC(2026, 10, 1, 12, 30))
  expect(momentOf('2026-11-01T12:30:05Z', NOW)).toBe(Date.UTC(2026, 10, 1, 12, 30, 5))
  expect(momentOf('2026-11-01T12:30:05.25+02:00', NOW)).toBe(Date.UTC(2026, 10, 1, 10, 30, 5, 250))
  expect(momentOf('7d', NOW)).toBe(NOW - 7 * 86_400_000)
  for (const wrong of ['', 'yesterday', '2026-13-01', '2026-11-01x', '99999-01-01', '-1d'])
    expect(momentOf(wrong, NOW)).toBe(undefined)
})
