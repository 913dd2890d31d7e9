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

test('of any size what is taken is large enough, not far larger, and nobody else’s', () => {
  const spare = new SpareMemory(1 << 20, 4 << 20)
  const sizes = [0, 1, 2, 3, 4, 255, 256, 257, 1000, 1024, 1025, 4095, 65_536, 99_999, 1 << 20]
  const held = new Set<Buffer>()
  for (let round = 0; round < 2000; round++) {
    const least = sizes[(round * 7 + (round >> 3)) % sizes.length]!
    const taken = spare.take(least)
    expect(held.has(taken)).toBe(false)
    expect(taken.length).toBeGreaterThanOrEqual(least)
    if (least > 0) expect(taken.length).toBeLessThan(least * 4)
    held.add(taken)
    const [first] = held
    if (held.size > (round * 5) % 17) {
      held.delete(first!)
      spare.give(first!)
    }
  }
  expect(spare.bytes).toBeGreaterThan(0)
  expect(spare.bytes).toBeLessThanOrEqual(4 << 20)
})

test('takes no longer where a hundred thousand small pieces are kept', () => {
  const elapsed = (spare: SpareMemory) => {
    const since = performance.now()
    for (let i = 0; i < 2000; i++) spare.give(spare.take(1024))
    return performance.now() - since
  }
  const [few, many] = [new SpareMemory(1 << 20, 64 << 20), new SpareMemory(1 << 20, 64 << 20)]
  // A session has three pieces, and thousands may come within one segment.
  for (let i = 0; i < 100_000; i++) many.give(Buffer.allocUnsafeSlow(256))
  for (const spare of [few, many]) elapsed(spare)
  const least = (spare: SpareMemory) => Math.min(...Array.from({ length: 5 }, () => elapsed(spare)))
  expect(least(many)).toBeLessThan(least(few) * 50)
})

test('what nobody has taken since the look before is let go, and what was taken stays', () => {
  const spare = new SpareMemory(1000, 5000)
  for (let i = 0; i < 4; i++) spare.give(Buffer.alloc(1000))
  // All of it was given since.
  spare.rest()
  expect(spare.bytes).toBe(4000)
  const [one, other] = [spare.take(1000), spare.take(1000)]
  spare.give(one)
  spare.give(other)
  spare.rest()
  expect(spare.bytes).toBe(2000)
  expect([spare.take(1000), spare.take(1000)]).toEqual([other, one])
  spare.give(one)
  spare.rest()
  expect(spare.bytes).toBe(1000)
  spare.rest()
  expect(spare.bytes).toBe(0)
  expect(spare.take(1000)).toHaveLength(1000)
})
