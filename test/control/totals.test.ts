import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { add, NO_METRICS, Totals } from '../../src/control/totals.ts'
import type { WorkerMetrics } from '../../src/threads/messages.ts'

const counts = fc.dictionary(fc.string(), fc.nat(1000))
const metrics: fc.Arbitrary<WorkerMetrics> = fc.record({
  sessionsOpen: counts,
  actions: counts,
  addedLatency: fc.dictionary(fc.string(), fc.array(fc.nat(100), { maxLength: 16 })),
  upstream: fc.array(fc.nat(100), { maxLength: 22 }),
  loopLag: fc.array(fc.nat(100), { maxLength: 13 }),
  maskedValues: counts,
  signals: counts,
  eventsLost: fc.nat(10),
  heldBytes: fc.nat(1000),
})

function sum(values: Readonly<Record<string, number>>): number {
  return all(Object.values(values))
}

function all(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0)
}

describe('the numbers of workers', () => {
  test('add up, in any order, and nothing is nothing', () => {
    fc.assert(
      fc.property(metrics, metrics, (one, other) => {
        const both = add(one, other)
        expect(sum(both.actions)).toBe(sum(one.actions) + sum(other.actions))
        for (const name of ['upstream', 'loopLag'] as const)
          expect(all(both[name])).toBe(all(one[name]) + all(other[name]))
        expect(both).toEqual(add(other, one))
        expect(add(one, NO_METRICS)).toEqual({ ...one })
      }),
    )
  })

  test('count a connection named __proto__ like any other', () => {
    const odd = { ...NO_METRICS, actions: JSON.parse('{"__proto__": 2}') as Record<string, number> }
    expect(Object.entries(add(odd, odd).actions)).toEqual([['__proto__', 4]])
  })

  test('never fall when a worker ends, while its open sessions are gone', () => {
    const totals = new Totals()
    const open = { sessionsOpen: { postgres: 2 }, heldBytes: 7 }
    const one = { ...NO_METRICS, actions: { a: 5 }, ...open }
    totals.heard(1, one)
    totals.heard(2, one)
    totals.gone(1)
    totals.gone(1)
    expect(totals.all()).toMatchObject({ actions: { a: 10 }, ...open })
    totals.heard(3, { ...one, actions: { a: 1 } })
    expect(totals.all().actions).toEqual({ a: 11 })
  })

  test('replace what the same worker said before', () => {
    const totals = new Totals()
    totals.heard(1, { ...NO_METRICS, actions: { a: 5 } })
    totals.heard(1, { ...NO_METRICS, actions: { a: 7 } })
    expect(totals.all().actions).toEqual({ a: 7 })
  })
})
