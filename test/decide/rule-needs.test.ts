import { describe, expect, test } from 'vitest'
import { compileRule } from '../../src/decide/rule.ts'

function needs(text: string): string[] | undefined {
  const { rule, problem } = compileRule(text)
  if (rule === undefined) throw new Error(problem?.message)
  return rule.needs?.map(({ fact, value }) => `${fact} ${value}`)
}

describe('what must hold wherever a rule is true', () => {
  test('is a name that a fact has or holds', () => {
    for (const [text, wanted] of [
      ['"DROP" in sql.commands', ['sql.commands DROP']],
      ['action.verb in ["DROP", "ALTER"]', ['action.verb DROP', 'action.verb ALTER']],
      ['"file" == sql.copy', ['sql.copy file']],
      ['sql.tables.exists(t, t == "a.b")', ['sql.tables a.b']],
      ['sql.tables.exists(t, t in ["a.b", "c.d"])', ['sql.tables a.b', 'sql.tables c.d']],
      ['sql.writes', ['sql.writes true']],
      ['!sql.bounded', ['sql.bounded false']],
    ] as const)
      expect(needs(text), text).toEqual(wanted)
  })

  test('is one side of an "and", the one that leaves fewer', () => {
    expect(needs('sql.writes && "a.b" in sql.tables')).toEqual(['sql.tables a.b'])
    expect(needs('sql.writes && session.rows > 5')).toEqual(['sql.writes true'])
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
      '"DROP" in sql.commands || session.rows > 5',
      'sql.commands.exists(c, c.startsWith("DROP"))',
      'sql.commands.exists(c, c in sql.tags)',
      'sql.commands.all(c, c == "DROP")',
      'sql.commands.exists(c, c != "DROP")',
      'sql.writes ? true : false',
      '"x" in sql.literals',
      'sql.copy in sql.commands',
      'sql.copy in [action.verb]',
      'sql.tables == []',
    ])
      expect(needs(text), text).toBeUndefined()
  })
})
