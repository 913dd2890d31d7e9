import { expect, test } from 'vitest'
import { EVIDENCE_BODY, readEvidence } from '../../../src/control/api/evidence.ts'

const CHAIN = { id: 'G.1', leaves: 4, head: 2 }

test('a range, a session and a cursor are read', () => {
  expect(readEvidence({ since: 0 })).toEqual({ type: 'range', since: 0 })
  expect(readEvidence({ session: '01ABC' })).toEqual({ type: 'session', session: '01ABC' })
  const cursor = { scope: { type: 'range', since: 5 }, made: 9, chains: [CHAIN], n: -1, number: 3 }
  expect(readEvidence({ cursor })).toEqual(cursor)
  expect(Object.keys(EVIDENCE_BODY.properties)).toEqual(['since', 'session', 'cursor'])
})

test('nothing else is', () => {
  const cursor = { scope: { type: 'range', since: 5 }, made: 9, chains: [CHAIN], n: 0, number: 3 }
  const wrong = [
    undefined,
    {},
    { since: -1 },
    { since: '0' },
    { since: 1.5 },
    { session: "x' OR 1" },
    { session: '' },
    { cursor: 7 },
    { cursor: { ...cursor, scope: { type: 'all' } } },
    { cursor: { ...cursor, chains: [{ ...CHAIN, id: 'a b' }] } },
    { cursor: { ...cursor, chains: 'a' } },
    { cursor: { ...cursor, made: 'now' } },
    { cursor: { ...cursor, n: -2 } },
    { cursor: { ...cursor, number: null } },
  ]
  for (const body of wrong) expect(readEvidence(body)).toBeUndefined()
})
