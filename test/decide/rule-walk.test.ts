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
