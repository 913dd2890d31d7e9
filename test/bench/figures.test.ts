import { expect, test } from 'vitest'
import { figures, type Kept, ladderPicture } from '../../bench/figures.ts'

const RUN: Kept = {
  at: '2026-11-21T10:00:00.000Z',
  commit: 'abc1234',
  node: '20.20.2',
  cpu: 'AMD EPYC',
  cores: 2,
  kernel: '6.1',
  profile: 'full',
  results: { 'P1 gateway ÷ pgbouncer': { median: 0.61234, spread: 0.034 } },
  absolute: { 'P1 gateway tps': 16543.2 },
  ladder: { 'pass-through (splice)': 20000, '  … masked <column> read': 10000 },
}

test('tables say what was measured, where, and how sure it is', () => {
  const text = figures(RUN)
  expect(text).toContain('2 cores (AMD EPYC)')
  expect(text).toContain('| P1 gateway ÷ pgbouncer | 0.612 | ± 3 % |')
  expect(text).toContain('| P1 gateway tps | 16,543.2 |')
})

test('the picture has a bar for each rung, as long as its part', () => {
  const picture = ladderPicture(RUN.ladder)
  const widths = [...picture.matchAll(/<rect x="\d+".* width="(\d+)"/g)].map(([, width]) =>
    Number(width),
  )
  expect(widths).toEqual([420, 210])
  expect(picture).toContain('10,000 · 0.50')
  expect(picture).toContain('masked &lt;column> read')
  expect(picture).toContain('<title>What each control costs</title>')
})
