import { expect, test } from 'vitest'
import { customDetector } from '../../src/mask/custom-detector.ts'
import { allDetectors, findingsIn, findingsOf } from '../../src/mask/findings.ts'

const all = allDetectors()

test('a card number in the text and two addresses in the parameters are found and counted apart', () => {
  const places = {
    text: ["SELECT '4111 1111 1111 1111'"],
    params: ['a@example.org', 'b@example.org'],
  }
  expect(findingsIn(places, all)).toEqual([
    { detector: 'credit_card', count: 1, where: 'text' },
    { detector: 'email', count: 2, where: 'params' },
  ])
})

test('nothing is found in ordinary text', () => {
  expect(findingsIn({ text: ['SELECT 1'], params: [] }, all)).toEqual([])
})

test('those of policies are counted as well, beside all that are known', () => {
  const own = [
    customDetector({ name: 'badge-number', pattern: 'EMP-[0-9]{6}' }),
    customDetector({ name: 'desk-number', pattern: 'D[0-9]{4}', words: ['desk'] }),
  ]
  const action = {
    text: "SELECT 'EMP-123456', 'ada@example.com', 'D1234'",
    facts: { sql: { params: ['desk D1234', 'EMP-1'] } },
  }
  const byName = (findings: readonly { detector: string }[]) =>
    findings.toSorted((one, other) => one.detector.localeCompare(other.detector))
  expect(byName(findingsOf(action, own))).toEqual([
    { detector: 'badge-number', count: 1, where: 'text' },
    { detector: 'desk-number', count: 1, where: 'params' },
    { detector: 'email', count: 1, where: 'text' },
  ])
  expect(findingsOf(action, [])).toEqual([{ detector: 'email', count: 1, where: 'text' }])
  // Compiled once for one guard.
  expect(allDetectors(own)).toBe(allDetectors(own))
  expect(allDetectors([])).toBe(all)
})
