import { expect, test } from 'vitest'
import type { LiveSession } from '../../src/protocols/protocol.ts'
import { Endings } from '../../src/threads/endings.ts'
import type { Broadcast } from '../../src/threads/messages.ts'
import { MemoryWire } from '../contract/memory.ts'
import { stage } from '../contract/stage.ts'
import { readTranscript } from '../contract/transcript.ts'

const code = 'GW_SESSION_KILLED'
let nowMs = 0

function sessions(...ids: readonly string[]): (LiveSession & { ends: string[] })[] {
  const { live } = stage(readTranscript('endings', '# Endings'), {
    client: new MemoryWire(),
    target: new MemoryWire(),
  }).parts
  return ids.map((id) => {
    const [sessionId, credentialId = ''] = id.split('/') as [string, string]
    const identity = { ...live.context.grant.identity, credentialId }
    const context = { ...live.context, sessionId, grant: { ...live.context.grant, identity } }
    const ends: string[] = []
    return { ...live, context, ends, end: (error, when) => ends.push(`${error.code} ${when}`) }
  })
}

function endings(open: readonly LiveSession[]): { ending: Endings; told: Broadcast[] } {
  const told: Broadcast[] = []
  const tell = (message: Broadcast) => told.push(message)
  return { ending: new Endings(open, { tell, now: () => nowMs }), told }
}

test('one session is ended by its id, and the worker that has it says so', () => {
  const [one, other] = sessions('a/x', 'b/x')
  const { ending, told } = endings([one!, other!])
  ending.end({ type: 'end', sessionId: 'a', code })
  expect([one!.ends, other!.ends]).toEqual([['GW_SESSION_KILLED now'], []])
  expect(told).toEqual([{ type: 'ended', sessionId: 'a' }])
  ending.end({ type: 'end', sessionId: 'of another worker', code })
  expect(told).toHaveLength(1)
})

test('all sessions of a credential are ended', () => {
  const [one, other, third] = sessions('a/x', 'b/y', 'c/x')
  endings([one!, other!, third!]).ending.end({ type: 'end', credentialId: 'x', code })
  expect([one, other, third].map((live) => live!.ends.length)).toEqual([1, 0, 1])
})

test('who is on his way in does not begin: by credential before he is known here, and by session while his target is dialled', () => {
  const { ending } = endings([])
  const [one, other] = sessions('a/x', 'b/y')
  expect(ending.of(one!.context)).toBe(undefined)
  ending.end({ type: 'end', credentialId: 'x', code })
  ending.end({ type: 'end', sessionId: 'b', code })
  expect(ending.of(one!.context)?.code).toBe(code)
  expect(ending.of(other!.context)?.code).toBe(code)
  expect(ending.of(sessions('c/z')[0]!.context)).toBe(undefined)
})

test('what was ended is forgotten when nobody can be on his way since', () => {
  const { ending } = endings([])
  const [one] = sessions('a/x')
  ending.end({ type: 'end', credentialId: 'x', code })
  nowMs += 61 * 60_000
  ending.end({ type: 'end', credentialId: 'y', code })
  expect(ending.of(one!.context)?.code).toBe(code)
  nowMs += 61 * 60_000
  ending.end({ type: 'end', credentialId: 'z', code })
  expect(ending.of(one!.context)).toBe(undefined)
  expect(ending.of(sessions('a/y')[0]!.context)?.code).toBe(code)
})
