import { expect, test } from 'vitest'
import { figures, type Kept, ladderPicture, latest } from '../../bench/figures.ts'

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

test('each figure is that of the last full run that measured it', () => {
  const p4 = { median: 0.9, spread: 0.1 }
  const apart: Kept = {
    ...RUN,
    commit: 'later',
    results: { 'P4 masked': p4 },
    absolute: {},
    ladder: {},
  }
  const quick: Kept = {
    ...RUN,
    profile: 'quick',
    results: { 'P4 masked': { median: 9, spread: 9 } },
  }
  const found = latest([RUN, apart, quick])
  expect(found).toMatchObject({ commit: 'later', ladder: RUN.ladder, absolute: RUN.absolute })
  expect(found?.results).toEqual({ ...RUN.results, 'P4 masked': p4 })
  expect(latest([apart, quick])).toBeUndefined()
})
