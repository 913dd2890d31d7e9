import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger } from '../../src/relay/ledger.ts'

test('a ledger is a queue, however often it grows and wraps', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer(), { nil: undefined }), { maxLength: 300 }),
      (steps) => {
        const ledger = new Ledger<number>(1000)
        const model: number[] = []
        for (const step of steps) {
          if (step === undefined) expect(ledger.shift()).toBe(model.shift())
          else {
            ledger.push(step)
            model.push(step)
          }
          expect(ledger.size).toBe(model.length)
          expect(ledger.first()).toBe(model[0])
          expect(ledger.last()).toBe(model.at(-1))
        }
      },
    ),
  )
})

test('a ledger says when it holds as much as it should', () => {
  const ledger = new Ledger<number>(2)
  ledger.push(1)
  expect(ledger.isFull).toBe(false)
  ledger.push(2)
  expect(ledger.isFull).toBe(true)
})
