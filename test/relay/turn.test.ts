import { describe, expect, it } from 'vitest'
import type { Wire } from '../../src/accept/wire.ts'
import { Turn } from '../../src/relay/turn.ts'

/** Writes down in one list what was recorded and what went out, in that order. */
function stage(gathers: boolean) {
  const log: string[] = []
  const state = { pending: false, isFull: false, stalls: [] as boolean[] }
  const recorder = {
    get pending() {
      return state.pending
    },
    flush() {
      if (state.isFull) throw new Error('no room')
      state.pending = false
      log.push('recorded')
    },
  }
  const turn = new Turn({
    recorder,
    gathers,
    stallMsMax: 10_000,
    onRecorded() {},
    onStall: (stalled) => state.stalls.push(stalled),
    onLost() {},
  })
  const wire = (name: string) =>
    ({
      write: (bytes: Buffer, start: number, end: number) =>
        log.push(`${name}: ${bytes.toString('latin1', start, end)}`),
    }) as unknown as Wire
  const send = (to: Wire, text: string) => {
    state.pending = true
    turn.send(to, Buffer.from(text), 0, text.length)
  }
  return { turn, log, state, wire, send }
}

const loop = () => new Promise((resolve) => setImmediate(resolve))

describe('turn', () => {
  it('lets what a read brought go when it is worked off, recorded first', () => {
    const { turn, log, wire, send } = stage(false)
    const target = wire('target')
    turn.enter()
    send(target, 'a')
    send(target, 'b')
    expect(log).toEqual([])
    turn.leave('session', 1)
    expect(log).toEqual(['recorded', 'target: ab'])
  })

  it('waits for the end of the turn of the loop outside of a read', async () => {
    const { log, wire, send } = stage(false)
    send(wire('client'), 'late')
    expect(log).toEqual([])
    await loop()
    expect(log).toEqual(['recorded', 'client: late'])
  })

  it('takes along what waited already', async () => {
    const { turn, log, wire, send } = stage(false)
    send(wire('one'), '1')
    turn.enter()
    send(wire('two'), '2')
    turn.leave('session', 1)
    expect(log).toEqual(['recorded', 'one: 1', 'two: 2'])
    await loop()
    expect(log).toHaveLength(3)
  })

  it('shares one write between all reads of a turn where a write is dear', async () => {
    const { turn, log, wire, send } = stage(true)
    for (const name of ['one', 'two']) {
      turn.enter()
      send(wire(name), name)
      turn.leave('session', 1)
    }
    expect(log).toEqual([])
    await loop()
    expect(log).toEqual(['recorded', 'one: one', 'two: two'])
  })

  it('keeps back what could not be recorded, and lets it go when there is room', async () => {
    const { turn, log, state, wire, send } = stage(false)
    state.isFull = true
    for (const text of ['a', 'b']) {
      turn.enter()
      send(wire('target'), text)
      turn.leave('session', 1)
    }
    await loop()
    expect(log).toEqual([])
    expect(state.stalls).toEqual([true])
    state.isFull = false
    await expect.poll(() => log.length, { timeout: 5000 }).toBe(3)
    expect(log).toEqual(['recorded', 'target: a', 'target: b'])
    expect(state.stalls).toEqual([true, false])
  })

  it('of a read that a bug left keeps all back, recorded or not, until the next one', async () => {
    const { turn, log, wire, send } = stage(false)
    turn.enter()
    send(wire('target'), 'a')
    // No `leave`: what throws there ends the thread, and what was not recorded goes with it.
    await loop()
    expect(log).toEqual([])
    turn.enter()
    send(wire('client'), 'b')
    turn.leave('session', 1)
    expect(log).toEqual(['recorded', 'target: a', 'client: b'])
  })

  it('sends long spans from where they stand, behind what was queued', () => {
    const { turn, log, wire, send } = stage(false)
    const target = wire('target')
    const long = 'x'.repeat(20_000)
    turn.enter()
    send(target, 'first')
    send(target, long)
    expect(log).toEqual(['recorded', 'target: first', `target: ${long}`])
    turn.leave('session', 1)
  })
})
