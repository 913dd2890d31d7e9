import { expect, test } from 'vitest'
import { SpareMemory } from '../../src/base/spare-memory.ts'

test('what was given is taken again, the smallest piece that is large enough', () => {
  const spare = new SpareMemory(1000, 5000)
  const [small, large] = [Buffer.alloc(100), Buffer.alloc(900)]
  spare.give(large)
  spare.give(small)
  expect(spare.bytes).toBe(1000)
  expect(spare.take(50)).toBe(small)
  // Far more than is wanted: it is kept for who needs it.
  expect(spare.take(50)).toHaveLength(50)
  expect(spare.take(901)).toHaveLength(901)
  expect(spare.take(300)).toBe(large)
  expect(spare.bytes).toBe(0)
})

test('a piece is taken by one at a time', () => {
  const spare = new SpareMemory(1000, 5000)
  spare.give(Buffer.alloc(100))
  const [one, other] = [spare.take(100), spare.take(100)]
  expect(one.buffer).not.toBe(other.buffer)
})

test('what is too large, or too much, is not kept', () => {
  const spare = new SpareMemory(1000, 1500)
  spare.give(Buffer.alloc(1001))
  spare.give(Buffer.alloc(0))
  expect(spare.bytes).toBe(0)
  spare.give(Buffer.alloc(1000))
  spare.give(Buffer.alloc(1000))
  spare.give(Buffer.alloc(500))
  expect(spare.bytes).toBe(1500)
  expect(spare.take(1200)).toHaveLength(1200)
})
