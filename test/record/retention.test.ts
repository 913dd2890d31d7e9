import { expect, test } from 'vitest'
import {
  DAY_MICROSECONDS,
  expiredRows,
  inScopes,
  longestDays,
  quoted,
  signedRetention,
} from '../../src/record/retention.ts'

const OWN = { days: 400, connections: { orders: 30, archive: 3650 } }

test('a head says the days of every connection, and a number where there is but one', () => {
  expect(signedRetention({ days: 400, connections: {} })).toBe(400)
  expect(signedRetention(OWN)).toEqual({ '': 400, orders: 30, archive: 3650 })
  expect(longestDays(OWN)).toBe(3650)
  expect(longestDays({ days: 1, connections: {} })).toBe(1)
})

test('rows go by the time of their connection, those of the control API by the horizon', () => {
  const now = 4000 * DAY_MICROSECONDS
  const sql = expiredRows({ retention: OWN, holds: [], now, horizon: 7 })
  expect(sql).toBe(
    `ts < fromUnixTimestamp64Micro(${3970 * DAY_MICROSECONDS}) AND toUnixTimestamp64Micro(ts) < multiIf(` +
      `protocol = 'control', 7, connection = 'orders', ${3970 * DAY_MICROSECONDS}, ` +
      `connection = 'archive', ${350 * DAY_MICROSECONDS}, ${3600 * DAY_MICROSECONDS}) AND NOT 0`,
  )
})

test('what is held is named by session, job and subject', () => {
  expect(inScopes([])).toBe('0')
  expect(
    inScopes([
      { kind: 'subject', name: "o'neil\\" },
      { kind: 'session', name: 'a' },
      { kind: 'session', name: 'b' },
    ]),
  ).toBe("(session_id IN ('a', 'b') OR subject IN ('o\\'neil\\\\'))")
})

test('a text ends where it should', () => {
  expect(quoted("\\' OR 1")).toBe("'\\\\\\' OR 1'")
})
