import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { withPart } from '../../tidy/readme.ts'
import { measure, type Report } from './measure.ts'
import { reportTable } from './report-table.ts'
import { corpus } from './values.ts'

const VALUES = 10_000
const LEAST = 0.98

let report: Report
beforeAll(() => {
  report = measure(corpus(VALUES))
}, 180_000)

test('the corpus has ten thousand values, every detector among them, and no value stands for a rule', () => {
  expect(report.values).toBe(VALUES)
  for (const { detector, planted } of report.rows) expect(planted, detector.id).toBeGreaterThan(40)
  const texts = new Set(corpus(VALUES).map((one) => one.text))
  expect(texts.size).toBeGreaterThan(VALUES * 0.9)
})

test('every detector with a check finds what it should and little else', () => {
  const poor = report.rows
    .filter(({ detector }) => detector.checked !== '')
    .filter(({ precision, recall }) => precision < LEAST || recall < LEAST)
    .map(({ detector, precision, recall }) => `${detector.id} ${precision} ${recall}`)
  expect(poor).toEqual([])
})

test('those without one are as good, by their marks alone', () => {
  const poor = report.rows
    .filter(({ detector }) => detector.checked === '')
    .filter(({ precision, recall }) => precision < LEAST || recall < LEAST)
    .map(({ detector, precision, recall }) => `${detector.id} ${precision} ${recall}`)
  expect(poor).toEqual([])
})

test('all of them together leave look-alikes alone', () => {
  expect(report.precision).toBeGreaterThanOrEqual(LEAST)
})

test('whatever stands beside a word is found by one of them', () => {
  expect(report.misses.filter(({ kind }) => kind !== 'alone').length).toBeLessThan(VALUES * 0.001)
})

test('the README says what was measured (npm run detectors -- --readme)', () => {
  const readme = readFileSync('README.md', 'utf8')
  expect(withPart(readme, 'detectors', reportTable(report))).toBe(readme)
})

test('the corpus is the same on every machine', () => {
  expect(corpus(500)).toEqual(corpus(500))
  expect(corpus(500)).not.toEqual(corpus(500, 1))
})
