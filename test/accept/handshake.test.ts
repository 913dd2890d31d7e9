import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Handshake, PeerGone } from '../../src/accept/handshake.ts'
import { MemoryWire } from '../contract/memory.ts'

function shaken(bytesMax = 100) {
  const wire = new MemoryWire()
  return { wire, handshake: new Handshake(wire, bytesMax) }
}
const code = (expected: string) => expect.objectContaining({ code: expected })

test('takes what was asked for, however it came', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(sizes, sizes, async (cuts, takes) => {
      const { wire, handshake } = shaken()
      const sent = Buffer.from(Array.from({ length: cuts.reduce((a, b) => a + b) }, (_, i) => i))
      let at = 0
      for (const size of cuts) {
        wire.receive(sent.subarray(at, at + size))
        at += size
      }
      let taken = 0
      for (const count of takes) {
        if (taken + count > sent.length) break
        expect(await handshake.take(count)).toEqual(sent.subarray(taken, taken + count))
        taken += count
      }
      expect(handshake.keptBytes).toBe(sent.length - taken)
      expect(handshake.rest()).toEqual(sent.subarray(taken))
      expect(handshake.keptBytes).toBe(0)
    }),
  )
})

test('waits for what is still to come', async () => {
  const { wire, handshake } = shaken()
  const taken = handshake.take(4)
  wire.receive(Buffer.from('ab'))
  wire.receive(Buffer.from('cd'))
  expect((await taken).toString()).toBe('abcd')
})

test('a byte that was looked at is still there', async () => {
  const { wire, handshake } = shaken()
  const seen = handshake.peek()
  wire.receive(Buffer.from('ab'))
  expect(await seen).toBe(0x61)
  expect((await handshake.take(2)).toString()).toBe('ab')
  wire.close()
  await expect(handshake.peek()).rejects.toBeInstanceOf(PeerGone)
})

test('a peer that goes away, or an abort, ends the wait', async () => {
  const gone = shaken()
  const taken = gone.handshake.take(1)
  gone.wire.close()
  await expect(taken).rejects.toBeInstanceOf(PeerGone)
  await expect(gone.handshake.take(1)).rejects.toBeInstanceOf(PeerGone)
  const aborted = shaken()
  const waiting = aborted.handshake.take(1)
  aborted.handshake.abort(new Error('late'))
  await expect(waiting).rejects.toThrow('late')
})

describe('work for a peer', () => {
  const work = (handshake: Handshake) => {
    const seen: { left?: AbortSignal } = {}
    const done = handshake.whilePresent((left) => {
      seen.left = left
      return new Promise<never>(() => {})
    })
    return { seen, done }
  }

  test('is given up when the peer is gone, by whichever way', async () => {
    for (const go of ['end', 'closed'] as const) {
      const { wire, handshake } = shaken()
      const { seen, done } = work(handshake)
      expect(seen.left!.aborted).toBe(false)
      wire.sink![go](undefined)
      await expect(done).rejects.toBeInstanceOf(PeerGone)
      expect(seen.left!.aborted).toBe(true)
    }
  })

  test('goes on for who has closed one half behind what is to be answered', async () => {
    const { wire, handshake } = shaken()
    const { seen, done } = work(handshake)
    wire.receive(Buffer.from('asks'))
    wire.sink!.end()
    handshake.expectPeer()
    expect([seen.left!.aborted, handshake.hasEnded]).toEqual([false, true])
    expect((await handshake.take(4)).toString()).toBe('asks')
    await expect(handshake.take(1)).rejects.toBeInstanceOf(PeerGone)
    wire.sink!.closed(undefined)
    await expect(done).rejects.toBeInstanceOf(PeerGone)
  })

  test('does not begin without one, and ends with what is too much to keep', async () => {
    const gone = shaken()
    gone.wire.close()
    await expect(work(gone.handshake).done).rejects.toBeInstanceOf(PeerGone)
    const talks = shaken()
    const { done } = work(talks.handshake)
    talks.wire.receive(Buffer.alloc(101))
    await expect(done).rejects.toThrow(code('GW_FRAME_TOO_LARGE'))
  })

  test('answers what it comes to, and its own fault', async () => {
    const { handshake } = shaken()
    expect(await handshake.whilePresent(() => Promise.resolve(7))).toBe(7)
    await expect(handshake.whilePresent(() => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
  })
})

test('who reads the wire in its place is waited for, and not longer than an abort', async () => {
  const done = shaken()
  expect(await done.handshake.meanwhile(Promise.resolve(7))).toBe(7)
  expect(done.wire.isEnded).toBe(false)
  await expect(done.handshake.meanwhile(Promise.reject(new Error('no')))).rejects.toThrow('no')
  const late = shaken()
  const never = late.handshake.meanwhile(new Promise(() => {}))
  late.handshake.abort(new Error('late'))
  await expect(never).rejects.toThrow('late')
  expect(late.wire.isEnded).toBe(true)
  const { handshake } = shaken()
  handshake.abort(new Error('before'))
  await expect(handshake.meanwhile(new Promise(() => {}))).rejects.toThrow('before')
})

test('what came before the peer left can still be taken', async () => {
  const { wire, handshake } = shaken()
  wire.receive(Buffer.from('ab'))
  wire.close()
  expect((await handshake.take(2)).toString()).toBe('ab')
})

test('neither asks for nor keeps more than its limit, and stops reading', async () => {
  const { wire, handshake } = shaken(10)
  await expect(handshake.take(11)).rejects.toEqual(code('GW_FRAME_TOO_LARGE'))
  wire.receive(Buffer.alloc(8))
  wire.receive(Buffer.alloc(8))
  expect(wire.isPaused).toBe(true)
  expect(handshake.keptBytes).toBe(8)
  await expect(handshake.take(9)).rejects.toEqual(code('GW_FRAME_TOO_LARGE'))
})
