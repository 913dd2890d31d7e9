import { beforeAll, expect, test } from 'vitest'
import { Backtest } from '../../src/policy/backtest.ts'
import { detectorChange, detectorsDiffer } from '../../src/policy/detector-changes.ts'
import type { RecordedResult } from '../../src/policy/recorded.ts'
import { Memory } from '../../src/policy/redecide.ts'
import { grantOf } from '../../src/policy/trial.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { recorded } from './actions.ts'
import { asked, config, POLICY, policies, setting } from './fixtures.ts'

beforeAll(loadParser)

const OF_TODAY = 'detect: [jwt, private_key], with: redact'

function change(detect: string, result: RecordedResult | undefined, today = OF_TODAY) {
  const [old, now] = [today, detect].map((line) => policies(POLICY.replace(OF_TODAY, line)))
  const grant = grantOf(asked('SELECT 1'), config())
  if (old === undefined || now === undefined || grant === undefined) throw new Error('no grant')
  const before = old.guard(grant)
  return {
    ...detectorChange(result === undefined ? {} : { result }, { before, now: now.guard(grant) }),
    differ: detectorsDiffer(old, now),
  }
}

const NOTHING: RecordedResult = { hits: [], hasRows: true }
const JWT: RecordedResult = { hits: ['jwt', 'public.customers.email'], hasRows: true }

test('the same detectors, in whatever order, change nothing', () => {
  expect(change('detect: [private_key, jwt], with: redact', JWT)).toEqual({
    type: 'same',
    differ: false,
  })
})

test('one that hit something and is gone, or treated otherwise, changes the result', () => {
  for (const [detect, is] of [
    ['detect: [private_key], with: redact', 'jwt: redact → none'],
    ['detect: [private_key, jwt], with: hash', 'jwt: redact → hash'],
    ["detect: [jwt, private_key], with: { fixed: 'x' }", 'jwt: redact → fixed value x'],
  ] as const) {
    expect(change(detect, JWT)).toEqual({ type: 'changes', is, differ: true })
    expect(change(detect, NOTHING).type).toBe('same')
  }
})

test('one that is new may find something wherever there are rows: that is not guessed', () => {
  const more = 'detect: [jwt, private_key, iban], with: redact'
  expect(change(more, NOTHING)).toMatchObject({
    type: 'unknown',
    because: 'whether iban finds something in a result is not recorded',
  })
  expect(change(more, { hits: [], hasRows: false }).type).toBe('same')
})

test('a pattern of its own that is another one now is a new one, and a former one gone', () => {
  const own = (pattern: string) =>
    `detect: [badge-number], with: redact }\ndetectors:\n  - { name: badge-number, pattern: '${pattern}'`
  const hit: RecordedResult = { hits: ['badge-number'], hasRows: true }
  const [today, other] = [own('B-[0-9]{6}'), own('B-[0-9]{7}')]
  expect(change(today, hit, today).type).toBe('same')
  expect(change(other, hit, today).type).toBe('changes')
  expect(change(other, NOTHING, today).type).toBe('unknown')
})

test('without an outcome nothing is known, unless nothing differs', () => {
  expect(change(OF_TODAY, undefined).type).toBe('same')
  expect(change('detect: [jwt], with: redact', undefined)).toMatchObject({
    type: 'unknown',
    because: 'detectors differ, and no outcome was recorded',
  })
})

test('a backtest counts them', () => {
  const shop = setting(POLICY)
  const candidate = policies(POLICY.replace(OF_TODAY, 'detect: [private_key, iban], with: redact'))
  const run = new Backtest({ candidate, current: shop.policies, memory: new Memory(config()) })
  const read = (count: number, result?: RecordedResult) => ({
    ...recorded(shop, 'SELECT note FROM orders', {}, count),
    ...(result === undefined ? {} : { result }),
  })
  run.add(read(3, JWT))
  run.add(read(5, NOTHING))
  run.add(read(7, { hits: [], hasRows: false }))
  run.add(read(11))
  // Refused before and refused now: what its result would have been is nobody's question.
  run.add({ ...recorded(shop, 'DROP TABLE orders', {}, 13) })
  const report = run.report()
  expect(report.transitions).toEqual({
    'allow-to-deny': 0,
    'deny-to-allow': 0,
    'mask-change': 3,
    unchanged: 20,
  })
  expect(report.undecidable_because).toEqual({
    'detectors differ, and no outcome was recorded': 11,
    'whether iban finds something in a result is not recorded': 5,
  })
})
