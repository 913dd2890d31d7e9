import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge, median, quantile, spread } from '../../bench/judge.ts'

const gates = { 'P1 a': { min: 0.8, spreadMax: 0.05 }, 'P2 b': { max: 1.5, spreadMax: 0.1 } }
const good = [
  { name: 'P1 a', values: [0.85, 0.86, 0.87] },
  { name: 'P2 b', values: [1.2, 1.25, 1.3] },
]

test('kept gates are no problem', () => {
  expect(judge(gates, good)).toEqual([])
})

test('a gate that was not measured and a result without a gate are problems', () => {
  const kinds = judge(gates, [good[0]!, { name: 'P9', values: [1] }]).map(({ name, kind }) => [
    name,
    kind,
  ])
  expect(kinds).toEqual([
    ['P2 b', 'not measured'],
    ['P9', 'no gate'],
  ])
})

test('below the least and above the most is missed', () => {
  const low = { name: 'P1 a', values: [0.7, 0.71, 0.72] }
  const high = { name: 'P2 b', values: [1.6, 1.61, 1.62] }
  expect(judge(gates, [low, high]).map(({ kind }) => kind)).toEqual(['missed', 'missed'])
})

test('noise is said before the gate is judged, and nothing measured is noise', () => {
  const wild = { name: 'P1 a', values: [0.2, 0.9, 1.9] }
  const none = { name: 'P2 b', values: [] }
  expect(judge(gates, [wild, none]).map(({ kind }) => kind)).toEqual(['noisy', 'noisy'])
})

test('a broken measurement keeps no gate', () => {
  const broken = { name: 'P1 a', values: [Number.NaN, Number.NaN] }
  expect(judge({ 'P1 a': gates['P1 a'] }, [broken])).toHaveLength(1)
})

test('quantiles lie between the least and the most and do not depend on order', () => {
  const values = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (given, at) => {
      const found = quantile(given, at)
      expect(found).toBeGreaterThanOrEqual(Math.min(...given))
      expect(found).toBeLessThanOrEqual(Math.max(...given) * (1 + 1e-9))
      expect(quantile([...given].reverse(), at)).toBe(found)
    }),
  )
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(spread([1, 1, 1])).toBe(0)
})
