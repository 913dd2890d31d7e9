import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBatch, SealedBatch } from '../../src/record/sealed-values.ts'

const AT = { action: 1, row: 2, column: 3, name: 'a', by: 'b' }

function batch(): Buffer {
  const made = new SealedBatch()
  made.add('text', AT, Buffer.from('one'))
  made.cut({ action: 1, values: 5, bytes: 2 ** 40 })
  return Buffer.from(made.take())
}

test('values and cuts are read as they were written', () => {
  const { values, cuts } = readBatch(batch())
  expect(values).toEqual([{ place: 'text', ...AT, value: Buffer.from('one') }])
  expect(cuts).toEqual([{ action: 1, values: 5, bytes: 2 ** 40 }])
})

test('a name is written once a batch, and again in the next', () => {
  const made = new SealedBatch()
  for (let round = 0; round < 2; round++) {
    made.add('text', AT, Buffer.from('one'))
    made.add('text', AT, Buffer.from('two'))
    expect(made.count).toBe(2)
    const { values } = readBatch(Buffer.from(made.take()))
    expect(values.map(({ name, by }) => `${name} ${by}`)).toEqual(['a b', 'a b'])
  }
})

test('what was taken does not stay in memory', () => {
  const made = new SealedBatch()
  made.add('text', AT, Buffer.from('secret'))
  const taken = made.take()
  made.wipe()
  expect(taken.includes('secret')).toBe(false)
})

test('a batch that is cut off or changed is refused, or other values, and never hangs', () => {
  const whole = batch()
  for (let end = 0; end < whole.length; end++) {
    let values = 0
    try {
      values = readBatch(whole.subarray(0, end)).values.length
    } catch {
      continue
    }
    expect(values).toBeLessThanOrEqual(1)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readBatch(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
})
