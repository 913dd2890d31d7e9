import { describe, expect, test } from 'vitest'
import { compileRule } from '../../src/decide/rule.ts'

function walked(text: string) {
  const { rule, problem } = compileRule(text)
  if (rule === undefined) throw new Error(problem?.message)
  return rule
}

describe('what a rule reads', () => {
  test('is all that it names, reached or not', () => {
    const reads = (text: string) => [...walked(text).reads].sort()
    expect(reads('false && sql.params.size() > 0')).toEqual(['sql.params'])
    expect(reads('sql["params"] == []')).toEqual(['sql.params'])
    expect(reads('findings.size() > 0 ? now > now : session.age > 1')).toEqual([
      'findings',
      'now',
      'session.age',
    ])
    expect(reads('[1].exists(n, sql.literals.size() == n)')).toEqual(['sql.literals'])
    expect(reads('cel.bind(p, sql.params, p == [])')).toEqual(['sql.params'])
    expect(reads('has(connection.labels.env)')).toEqual(['connection.labels'])
    expect(reads('{"a": action.text}["a"] == ""')).toEqual(['action.text'])
  })

  test('says which protocols it can be asked of', () => {
    expect(walked('sql.writes').protocols).toEqual(['postgres'])
    expect(walked('"write" in action.classes').protocols).toBeUndefined()
  })
})

describe('what must hold wherever a rule is true', () => {
  const needs = (text: string) => walked(text).needs?.map(({ fact, value }) => `${fact} ${value}`)
  test('is one side of an "and", the one that is rarer', () => {
    expect(needs('"DROP" in sql.commands')).toEqual(['sql.commands DROP'])
    expect(needs('sql.writes && !sql.bounded')).toEqual(['sql.writes undefined'])
    expect(needs('!sql.bounded && sql.writes')).toEqual(['sql.writes undefined'])
    expect(needs('("a" in sql.tags || "b" in sql.tags) && "c" in action.classes')).toEqual([
      'action.classes c',
    ])
  })

  test('is both sides of an "or"', () => {
    expect(needs('"DROP" in sql.commands || "schema" in action.classes')).toEqual([
      'sql.commands DROP',
      'action.classes schema',
    ])
  })

  test('is nothing known for anything else', () => {
    for (const text of [
      'true',
      '!("DROP" in sql.commands)',
      '"DROP" in sql.commands || sql.bounded',
      'sql.commands.exists(c, c == "DROP")',
      'sql.writes ? true : false',
      '"x" in sql.tables',
      'sql.copy in sql.commands',
    ])
      expect(needs(text), text).toBeUndefined()
  })
})
