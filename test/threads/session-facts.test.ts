import { expect, test } from 'vitest'
import { factsOfNobody } from '../../src/threads/session-facts.ts'

test('of a client that did not get in only place and a cut name are kept', () => {
  const place = { sessionId: 's', instance: 'i', address: '127.0.0.1' }
  const facts = factsOfNobody('postgres', 'x'.repeat(1000), place)
  expect(facts).toMatchObject({ subject: '', clientIp: '127.0.0.1', jobVerified: false })
  expect(facts.connection.length).toBe(255)
})
