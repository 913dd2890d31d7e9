import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import {
  DAY_MICROSECONDS,
  expiredRows,
  inScopes,
  longestDays,
  quoted,
  retentionOf,
  signedRetention,
} from '../../src/record/retention.ts'

const OWN = { days: 400, connections: { orders: 30, archive: 3650 } }

const YAML = (days: string) => `
recorder: { retention: 90d }
connections:
  orders: { type: postgres, address: 127.0.0.1:1, database: o, credential: { user: a, auth: [trust] }, retention: ${days} }
  archive: { type: postgres, address: 127.0.0.1:1, database: o, credential: { user: a, auth: [trust] } }
`

test('the configuration has a time for all, and one for a connection that wants its own', () => {
  const read = (days: string) => readConfig({ path: '/sluice.yaml', text: YAML(days), cores: 1 })
  const found = read('30d')
  if ('problems' in found) throw new Error(JSON.stringify(found.problems))
  expect(retentionOf(found.config)).toEqual({ days: 90, connections: { orders: 30 } })
  for (const wrong of ['36h', '0d', '-1d', 'forever', '40000d'])
    expect(JSON.stringify(read(wrong))).toContain('retention')
  const [problem] = (read('36h') as { problems: readonly { line: number }[] }).problems
  expect(problem?.line).toBe(4)
})

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
