import { expect, test } from 'vitest'
import type { Action } from '../../../src/decide/action.ts'
import type { Guard } from '../../../src/decide/policy.ts'
import type { Verdict } from '../../../src/decide/verdict.ts'
import { holds, judge, type Question } from '../../../src/protocols/postgres/judge.ts'
import { opaqueStatement } from '../../../src/protocols/postgres/sql/opaque-statement.ts'
import type { RelayWorker, SessionContext } from '../../../src/protocols/protocol.ts'
import type { ActionShape } from '../../../src/record/event.ts'

const STATEMENT = opaqueStatement('x', { reason: 'r', position: undefined })
const QUESTION: Question = {
  statement: STATEMENT,
  exact: "SELECT 'secret'",
  recorded: "SELECT '****'",
  params: ['p-value'],
  statements: 2,
  inTransaction: true,
}
const GUARD = { version: 3, stable: true, readsParameters: false } as Guard
const ALLOW: Verdict = { verdict: 'allow', rule: '', wouldDeny: 'watch/only' }
const DENY: Verdict = {
  verdict: 'deny',
  kind: 'denied',
  rule: 'p/r',
  say: 'No.',
  hint: '',
  position: undefined,
}

function judged(question: Partial<Question>, verdict: Verdict, guard: Partial<Guard> = {}) {
  const seen: Action[] = []
  const shapes: ActionShape[] = []
  const worker = {
    decide: (_: Guard, action: Action) => {
      seen.push(action)
      return verdict
    },
    shape: (shape: ActionShape) => {
      shapes.push(shape)
      return shape as never
    },
  } as unknown as RelayWorker
  const context = {} as SessionContext
  const one = judge({ ...QUESTION, ...question }, { ...GUARD, ...guard }, { worker, context })
  return { one, action: seen[0]!, shape: shapes[0]! }
}

test('rules see the exact text and the facts of the moment, the record sees neither values nor text', () => {
  const { action, shape } = judged({}, ALLOW)
  expect(action.text).toBe("SELECT 'secret'")
  expect(action.facts.sql).toMatchObject({
    params: ['p-value'],
    statements: 2,
    in_transaction: true,
  })
  expect(shape.statement).toBe("SELECT '****'")
  expect(JSON.stringify({ ...shape, exact: '' })).not.toMatch(/secret|p-value/)
  expect(shape.rule).toBe('watch/only')
})

test('a refusal by masks stands where rules allow, and rules word it where they deny as well', () => {
  const mask = { touches: true, refusal: { reason: 'Masked.', hint: 'h' }, rules: ['m/1'] }
  const statement = { ...STATEMENT, mask }
  expect(judged({ statement }, ALLOW).one.verdict).toMatchObject({ say: 'Masked.', rule: 'm/1' })
  expect(judged({ statement }, DENY).one.verdict).toBe(DENY)
})

test('what no role may do is refused whatever rules say', () => {
  const statement = { ...STATEMENT, refused: 'Nobody may.' }
  expect(judged({ statement }, ALLOW).one.verdict.verdict).toBe('deny')
})

test('a verdict holds while policy and transaction are the same and nothing fleeting was read', () => {
  const { one } = judged({ params: [] }, ALLOW)
  const guard = { ...GUARD }
  expect(holds(one, guard, true)).toBe(true)
  expect(holds(one, guard, false)).toBe(false)
  expect(holds(one, { ...guard, version: 4 }, true)).toBe(false)
  expect(holds(judged({}, ALLOW, { stable: false }).one, guard, true)).toBe(false)
  expect(holds(judged({}, ALLOW, { readsParameters: true }).one, guard, true)).toBe(false)
})

test('what detectors saw is recorded, where a rule reads it', () => {
  const found = judged({ exact: "SELECT 'ada@example.com'" }, ALLOW, {
    readsFindings: true,
    detectors: [],
  })
  const findings = [{ detector: 'email', count: 1, where: 'text' }]
  expect(found.action.findings).toEqual(findings)
  expect(JSON.parse(found.shape.facts)).toMatchObject({ findings })
  expect(found.shape.facts).not.toContain('ada')
  const unread = judged({ exact: "SELECT 'ada@example.com'" }, ALLOW)
  expect(JSON.parse(unread.shape.facts).findings).toBeUndefined()
})
