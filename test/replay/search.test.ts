import { expect, test } from 'vitest'
import {
  cursorText,
  readCursor,
  searchOutcomes,
  searchPage,
  searchSpans,
} from '../../src/replay/search.ts'

const HOUR = 3_600_000_000
const NOW = 1_800_000_000_000_000
const PAGE = { span: { fromUs: 1, untilUs: 9 }, after: undefined, limit: 10 }

test('spans go back from now without gap or overlap, and no further than asked', () => {
  const all = searchSpans({}, NOW)
  expect(all[0]).toEqual({ fromUs: NOW - HOUR, untilUs: NOW })
  for (const [at, span] of all.entries()) {
    if (at > 0) expect(span.untilUs).toBe(all[at - 1]?.fromUs)
    expect(span.fromUs).toBeLessThan(span.untilUs)
  }
  expect(all.at(-1)?.fromUs).toBe(0)
  const since = NOW - 3 * HOUR
  expect(searchSpans({ sinceUs: since }, NOW)).toEqual([
    { fromUs: NOW - HOUR, untilUs: NOW },
    { fromUs: since, untilUs: NOW - HOUR },
  ])
  expect(searchSpans({ sinceUs: NOW }, NOW)).toEqual([])
})

test('every value is a parameter, and every parameter is used', () => {
  const hostile = "x') OR 1=1 --"
  const filter = {
    ...{ text: `${hostile} "a.b"`, object: hostile, subject: hostile, job: hostile },
    ...{ connection: hostile, rule: hostile, verdict: hostile, detector: hostile },
  }
  const after = { us: 5, session: hostile, seq: 2 }
  const { sql, params } = searchPage(filter, { ...PAGE, after })
  expect(sql).not.toContain('1=1')
  for (const name of Object.keys(params)) expect(sql).toContain(`{${name}:`)
  for (const [, name] of sql.matchAll(/\{(\w+):/g)) expect(params).toHaveProperty(name!)
})

test('words go to the index as they are; what has signs in it must also stand there as it is', () => {
  const { params } = searchPage({ text: 'Salary "per Month" public.people ÄRZTE' }, PAGE)
  // Of letters beyond ASCII neither the index nor `lower` knows the small one.
  expect(params.words).toBe('salary per month public.people Ärzte')
  expect([params.phrase0, params.phrase1]).toEqual(['per month', 'public.people'])
  const signs = searchPage({ text: '->>' }, PAGE)
  expect(signs.params).not.toHaveProperty('words')
  expect(signs.params.phrase0).toBe('->>')
})

test('a cursor comes back as it went, and nothing else is one', () => {
  const cursor = { us: NOW, session: '01KAM-x_Y', seq: 12 }
  expect(readCursor(cursorText(cursor))).toEqual(cursor)
  for (const wrong of ['', '1.2', '1.2.a b', "1.2.a'", '-1.2.a', '1e9.2.a'])
    expect(readCursor(wrong)).toBe(undefined)
})

test('outcomes are asked for by key', () => {
  const rows = [1, 2].map((seq) => ({ us: 1, session_id: 's', seq }))
  expect(searchOutcomes(rows).params).toEqual({ sessions: ['s'], seqs: [1, 2] })
})
