import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileRule, type Rule } from '../../src/decide/rule.ts'
import { deadWords, implies, neverTrue } from '../../src/decide/rule-truth.ts'

function rule(when: string): Rule {
  const { rule, problem } = compileRule(when)
  if (rule === undefined) throw new Error(`${when}: ${problem?.message}`)
  return rule
}

function never(when: string): string | undefined {
  return neverTrue(rule(when).cases)?.message
}

describe('never true', () => {
  test.each([
    ['sql.writes && !sql.writes', 'one condition is asked for and ruled out'],
    ['!(sql.writes || !sql.writes)', 'one condition is asked for and ruled out'],
    ['sql.copy == "in" && sql.copy == "out"', 'sql.copy cannot have two values at once'],
    ['"in" == sql.copy && sql.copy in ["out", "file"]', 'sql.copy cannot have two values at once'],
    [
      '"drop" in sql.commands',
      'sql.commands is never "drop": commands are single upper-case words',
    ],
    ['"shema" in action.classes', 'action.classes is never "shema" (did you mean schema?)'],
    ['"users" in sql.tables', 'sql.tables is never "users": tables are named schema.table'],
    ['false', 'it is false, whatever the action'],
    ['sql.copy != "in" && sql.copy == "in"', 'one condition is asked for and ruled out'],
  ])('%s', (when, why) => {
    expect(never(when)).toBe(why)
  })

  test.each([
    'sql.writes && !sql.bounded',
    '"DROP" in sql.commands && "TRUNCATE" in sql.commands',
    'sql.copy == "in" || sql.copy == "out"',
    'true',
    '!("drop" in sql.commands)',
    'sql.statements > 1 && sql.statements < 1',
  ])('%s may be true, or cannot be told', (when) => {
    expect(never(when)).toBeUndefined()
  })

  test('one dead word among others is named with its place', () => {
    expect(deadWords(rule('sql.writes || "drop" in sql.commands').cases)).toEqual([
      {
        message: 'sql.commands is never "drop": commands are single upper-case words',
        offset: 14,
      },
    ])
  })
})

describe('implication', () => {
  const follows = (one: string, other: string) => implies(rule(one).cases, rule(other).cases)

  test('more conditions are true of less', () => {
    expect(follows('sql.writes && !sql.bounded', 'sql.writes')).toBe(true)
    expect(follows('sql.writes', 'sql.writes && !sql.bounded')).toBe(false)
    expect(follows('sql.writes', 'sql.writes || sql.bounded')).toBe(true)
    expect(follows('sql.writes || sql.bounded', 'sql.writes')).toBe(false)
    expect(follows('action.verb == "DROP"', 'action.verb in ["ALTER", "DROP"]')).toBe(true)
    expect(follows('"DROP"   in sql.commands', '"DROP" in sql.commands')).toBe(true)
    expect(follows('sql.writes', 'true')).toBe(true)
  })

  test('what is too large to compare implies nothing', () => {
    const pairs = Array.from({ length: 9 }, (_, n) => `("t.a${n}" in sql.tables || sql.writes)`)
    expect(rule(pairs.join(' && ')).cases).toBeUndefined()
    expect(follows(pairs.join(' && '), 'true')).toBe(false)
  })
})

/** Expressions over three conditions, and what each of them is when the conditions are `bits`. */
const atoms = ['sql.writes', 'sql.bounded', 'sql.by_key'] as const
interface Expression {
  readonly text: string
  value(bits: readonly boolean[]): boolean
}
const expression: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...atoms.keys()).map((at) => ({
      text: atoms[at]!,
      value: (bits: readonly boolean[]) => bits[at]!,
    })),
    tie('node').map((one) => ({
      text: `!(${one.text})`,
      value: (bits: readonly boolean[]) => !one.value(bits),
    })),
    fc.tuple(tie('node'), tie('node'), fc.boolean()).map(([left, right, and]) => ({
      text: `(${left.text} ${and ? '&&' : '||'} ${right.text})`,
      value: (bits: readonly boolean[]) =>
        and ? left.value(bits) && right.value(bits) : left.value(bits) || right.value(bits),
    })),
  ),
})).node

const everyBits = Array.from({ length: 8 }, (_, n) => [n % 2 > 0, n % 4 > 1, n > 3])

test('what is called never true never is', () => {
  fc.assert(
    fc.property(expression, (one) => {
      if (neverTrue(rule(one.text).cases) === undefined) return
      expect(everyBits.some((bits) => one.value(bits))).toBe(false)
    }),
  )
})

test('what is called implied is', () => {
  fc.assert(
    fc.property(expression, expression, (one, other) => {
      if (!implies(rule(one.text).cases, rule(other.text).cases)) return
      expect(everyBits.every((bits) => !one.value(bits) || other.value(bits))).toBe(true)
    }),
  )
})
