import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Histogram } from '../../src/threads/histogram.ts'

const BOUNDS = [1, 2, 5, 10]

test('a value is counted in the first bucket that holds it, and added up', () => {
  const histogram = new Histogram(BOUNDS)
  for (const value of [0, 1, 1.5, 5, 11, 300]) histogram.observe(value)
  expect(histogram.numbers()).toEqual([2, 1, 1, 0, 2, 318.5])
})

test('nothing that is observed is lost or counted twice', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (values) => {
      const histogram = new Histogram(BOUNDS)
      for (const value of values) histogram.observe(value)
      const numbers = histogram.numbers()
      const upTo = (bound: number) => values.filter((value) => value <= bound).length
      const buckets = [...BOUNDS, Number.POSITIVE_INFINITY].map((bound, at, all) => {
        return upTo(bound) - (at === 0 ? 0 : upTo(all[at - 1]!))
      })
      expect(numbers.slice(0, -1)).toEqual(buckets)
      expect(numbers.at(-1)).toBe(values.reduce((sum, value) => sum + value, 0))
    }),
  )
})

test('what was handed out is not changed by what comes later', () => {
  const histogram = new Histogram(BOUNDS)
  const before = histogram.numbers()
  histogram.observe(1)
  expect(before).toEqual([0, 0, 0, 0, 0, 0])
})
