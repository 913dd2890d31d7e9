import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  columnsFor,
  groupOf,
  groupsSql,
  halves,
  histogramSql,
  slicesOf,
  texts,
} from '../../src/policy/recorded.ts'

const SPAN = { fromMs: 1_000_000, untilMs: 5_000_000 }

test('only columns that rules read make actions different', () => {
  expect(columnsFor(['sql.writes', 'identity.subject', 'now', 'connection.name'])).toEqual([
    'subject',
    'ts_ms',
  ])
  const sql = groupsSql(SPAN, { connection: 'shop', columns: ['subject', 'ts_ms'], most: 10 })
  expect(sql).toContain("connection = 'shop'")
  expect(sql).toContain('toUnixTimestamp64Milli(ts) AS ts_ms')
  expect(sql).toMatch(/GROUP BY protocol, .*, facts, subject, ts_ms LIMIT 11$/)
  expect(groupsSql(SPAN, { connection: '', columns: [], most: 10 })).not.toContain('connection =')
})

test('slices hold every bucket once, in order, and no more than they may', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(500), { maxLength: 100 }),
      fc.integer({ min: 1, max: 1000 }),
      (counts, most) => {
        const rows = counts.map((n, bucket) => ({ bucket, n }))
        const slices = slicesOf(rows, SPAN, most)
        expect(slices.reduce((sum, { count }) => sum + count, 0)).toBe(
          counts.reduce((sum, n) => sum + n, 0),
        )
        for (const [at, { fromMs, untilMs, count }] of slices.entries()) {
          expect(fromMs).toBeLessThan(untilMs)
          expect(fromMs).toBeGreaterThanOrEqual(slices[at - 1]?.untilMs ?? SPAN.fromMs)
          expect(count <= most || untilMs - fromMs === 2000).toBe(true)
        }
      },
    ),
  )
})

test('halves meet, until nothing is left to halve', () => {
  expect(halves({ fromMs: 0, untilMs: 5 })).toEqual([
    { fromMs: 0, untilMs: 2 },
    { fromMs: 2, untilMs: 5 },
  ])
  expect(halves({ fromMs: 4, untilMs: 5 })).toBeUndefined()
})

test('the histogram has few enough buckets for one answer', () => {
  expect(histogramSql(SPAN, '')).toContain('- 1000000, 2000) AS bucket')
})

test('a row becomes a group', () => {
  const row = {
    n: 3,
    connection: 'shop',
    roles: ['a'],
    subject: 'ci',
    facts: '{}',
    sample: 'SELECT 1',
    verdict: 'allow',
  }
  expect(groupOf(row, ['subject'])).toMatchObject({
    count: 3,
    connection: 'shop',
    roles: ['a'],
    statement: 'SELECT 1',
    more: { subject: 'ci' },
  })
  expect(texts('x')).toEqual([])
})
