import { expect, test } from 'vitest'
import { Endings } from '../../src/control/endings.ts'
import type { Broadcast } from '../../src/threads/messages.ts'

test('who asks learns whether a worker had the session, and nobody waits for ever', async () => {
  const told: Broadcast[] = []
  const endings = new Endings((message) => told.push(message))
  const [mine, again, wrong] = [endings.end('a'), endings.end('a'), endings.end('b', 10)]
  expect(told.map((message) => message.type)).toEqual(['end', 'end', 'end'])
  endings.onBroadcast({ type: 'ended', sessionId: 'another' })
  endings.onBroadcast({ type: 'ended', sessionId: 'a' })
  expect(await Promise.all([mine, again, wrong])).toEqual([true, true, false])
  endings.onBroadcast({ type: 'ended', sessionId: 'b' })
})
