import { expect, test } from 'vitest'
import { sessionEvents, sessionShow, sessionsList } from '../../src/replay/read.ts'

test('values of a filter are parameters, never text', () => {
  const hostile = "x' OR 1=1 --"
  const { sql, params } = sessionsList({
    subject: hostile,
    connection: 'c',
    job: 'j',
    status: 'open',
    before: 'b',
    sinceMs: 5,
  })
  expect(sql).not.toContain(hostile)
  expect(params).toMatchObject({ subject: hostile, connection: 'c', since: 5, before: 'b' })
  for (const name of Object.keys(params)) expect(sql).toContain(`{${name}:`)
})

test('a list is never longer than may be, and never empty by request', () => {
  expect(sessionsList({}).params.limit).toBe(100)
  expect(sessionsList({ limit: 1e9 }).params.limit).toBe(1000)
  expect(sessionsList({ limit: -1 }).params.limit).toBe(1)
  expect(sessionsList({ limit: Number.NaN }).params.limit).toBe(1)
  expect(sessionEvents('s', { limit: 1e9 }).params.limit).toBe(10_000)
})

test('one session and its events are asked for by id', () => {
  expect(sessionShow('abc').params).toEqual({ session: 'abc' })
  expect(sessionEvents('abc', { after: 7.5 }).params).toMatchObject({ session: 'abc', after: 7 })
  expect(sessionEvents('abc', {}).sql).not.toContain('payload,')
})
