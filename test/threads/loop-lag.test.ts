import { expect, test } from 'vitest'
import { watchLoop } from '../../src/threads/loop-lag.ts'

test('a thread that stood still says so at its next sample', async () => {
  const samples: number[] = []
  watchLoop((us) => samples.push(us))
  await new Promise((resolve) => setTimeout(resolve, 120))
  const until = performance.now() + 400
  while (performance.now() < until) {
    // Nothing else may run.
  }
  const before = samples.length
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(before).toBeGreaterThan(0)
  expect(samples[before]).toBeGreaterThan(300_000)
  expect(samples.every((us) => us >= 0)).toBe(true)
})
