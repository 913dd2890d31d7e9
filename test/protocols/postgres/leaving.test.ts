/** A relay whose client leaves, in one way or the other. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import { build, framed, framesOf } from '../../contract/frames.ts'
import { recordedLine } from '../../contract/memory.ts'
import { columns } from '../../contract/stage.ts'
import {
  answerNames,
  answers,
  begin,
  client,
  ended,
  reset,
  says,
  set,
  target,
  up,
  waitsForNames,
} from './relay-room.ts'

describe('a client that leaves while its statement waits', () => {
  afterEach(() => vi.useRealTimers())

  test('is read meanwhile, as far as can be kept', () => {
    begin()
    waitsForNames('SELECT 1')
    expect(client.isPaused).toBe(false)
    for (let round = 0; round < 10; round++) says(`Query "${'x'.repeat(10_000)}"`)
    expect(client.isPaused).toBe(true)
    answerNames()
    expect(client.isPaused).toBe(false)
  })

  test('in order has it run', () => {
    begin()
    waitsForNames('SELECT 1')
    // A socket closes its other half by itself.
    client.close()
    expect(target.isEnded).toBe(false)
    answerNames()
    expect(up().at(-1)).toBe('SELECT 1')
    expect(target.isEnded).toBe(true)
  })

  test('by a reset does not', () => {
    begin()
    waitsForNames('SELECT 1')
    reset()
    expect(target.isEnded).toBe(true)
    expect(up()).not.toContain('SELECT 1')
  })

  test('is not held by a target that answers nothing', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    waitsForNames('SELECT 1')
    client.close()
    vi.advanceTimersByTime(1900)
    expect(target.isEnded).toBe(false)
    vi.advanceTimersByTime(200)
    set.turn.flush()
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(up()).not.toContain('SELECT 1')
  })
})

describe('a client that has said its last and reads on', () => {
  afterEach(() => vi.useRealTimers())
  const ROWS = ['RowDescription a:int4', 'DataRow "1"', 'CommandComplete "SELECT 1"', 'Ready I']
  const down = () => Buffer.concat(client.written).toString('latin1')
  const outcomes = () =>
    set.recorder.events.map(recordedLine).filter((line) => line.startsWith('outcome'))

  /** One that has its answer, and has not taken all of it; whether its wire was destroyed. */
  const leftUnread = () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    const destroyed = vi.spyOn(client, 'destroy')
    says('Query "SELECT 1"')
    client.sink!.end()
    client.heldBytes = 100_000
    answers(...ROWS)
    return destroyed
  }

  test('gets what it has asked for, behind which the target sees the end', () => {
    begin()
    says('Query "SELECT 1"')
    client.sink!.end()
    set.turn.flush()
    expect([client.isEnded, target.isEnded]).toEqual([false, true])
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
    expect(client.isEnded).toBe(true)
    expect(outcomes()).toEqual(['outcome ok'])
  })

  test('by Terminate too, which goes up behind the statement', () => {
    begin()
    says('Query "SELECT 1"', 'Terminate')
    expect(framesOf(Buffer.concat(target.written)).frames.at(-1)).toEqual(
      framed('X', Buffer.alloc(0)),
    )
    expect([client.isEnded, target.isEnded]).toEqual([false, true])
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
    expect([client.isEnded, outcomes()]).toEqual([true, ['outcome ok']])
  })

  test('has run what waits, and the target gets its time', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    waitsForNames('SELECT 1')
    client.sink!.end()
    vi.advanceTimersByTime(60_000)
    expect([client.isEnded, target.isEnded]).toEqual([false, false])
    answerNames()
    expect(up().at(-1)).toBe('SELECT 1')
    answers(...ROWS)
    expect(down()).toContain('SELECT 1\0Z')
  })

  /** The target has said nothing for so long. */
  const silent = (ms: number) => {
    set.parts.live.lastActive -= ms
    vi.advanceTimersByTime(3000)
    set.turn.flush()
  }

  test('by Terminate does not wait for a target that is silent', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    says('Query "SELECT 1"', 'Terminate')
    silent(4000)
    expect([client.isEnded, outcomes()]).toEqual([false, []])
    silent(1500)
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(outcomes()).toEqual(['outcome cut'])
  })

  test('by its half waits for one that is silent, once what it said has gone up', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    says('Query "SELECT 1"')
    client.sink!.end()
    silent(60_000)
    expect(client.isEnded).toBe(false)
    answers(...ROWS)
    expect([client.isEnded, outcomes()]).toEqual([true, ['outcome ok']])
  })

  test('by its half does not where that still waits for an answer about names', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    waitsForNames('SELECT 1')
    client.sink!.end()
    silent(5500)
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(up()).not.toContain('SELECT 1')
  })

  test('is found out where it does not: it is told what it knows, ever more seldom', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin()
    says('Query "SELECT 1"')
    const before = down().length
    client.sink!.end()
    vi.advanceTimersByTime(60_000)
    set.turn.flush()
    const told = down().substring(before).split('integer_datetimes').length - 1
    expect(told).toBeGreaterThan(30)
    expect(told).toBeLessThan(40)
    reset()
    expect([client.isEnded, target.isEnded]).toEqual([true, true])
    expect(outcomes()).toEqual(['outcome cut'])
  })

  test('is waited for while it takes what is left, and not when its session is ended', () => {
    const destroyed = leftUnread()
    for (let round = 0; round < 5; round++) {
      client.heldBytes -= 1000
      vi.advanceTimersByTime(2000)
    }
    expect(destroyed).not.toHaveBeenCalled()
    set.parts.live.end(new GatewayError('GW_SESSION_EXPIRED', 'expired'), 'now')
    expect(destroyed).toHaveBeenCalled()
  })

  test('and one that takes nothing any more is not', () => {
    const destroyed = leftUnread()
    vi.advanceTimersByTime(4100)
    expect(destroyed).toHaveBeenCalled()
  })

  describe('while its answer cannot be recorded', () => {
    /** Its target has answered, and closed; the answer waits for the spool. */
    const waits = () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
      begin()
      const destroyed = vi.spyOn(client, 'destroy')
      says('Query "SELECT 1"', 'Terminate')
      const written = vi.spyOn(set.recorder, 'flush').mockImplementation(() => {
        throw new Error('no room')
      })
      answers(...ROWS)
      set.parts.live.stall(true)
      vi.advanceTimersByTime(4500)
      expect([set.turn.isStalled, client.isEnded]).toEqual([true, false])
      return { destroyed, written }
    }
    afterEach(() => {
      vi.restoreAllMocks()
      set.turn.flush()
    })

    test('is not given up, and gets it as soon as it is', () => {
      const { destroyed, written } = waits()
      expect(destroyed).not.toHaveBeenCalled()
      written.mockRestore()
      set.turn.flush()
      expect(down()).toContain('SELECT 1\0Z')
      expect([client.isEnded, outcomes()]).toEqual([true, ['outcome ok']])
    })

    test('is not held any longer than that may last', () => {
      const { destroyed } = waits()
      set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
      vi.advanceTimersByTime(2100)
      expect(destroyed).toHaveBeenCalled()
    })

    test('is told that it will not get it, and so is the record', async () => {
      const { written } = waits()
      set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
      written.mockRestore()
      set.turn.flush()
      expect(down()).toContain('C58030')
      for (const wire of [client, target]) wire.close()
      expect(await ended).toBe('GW_RECORDING_LOST')
    })

    test('is told nothing where its last had gone out before', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
      begin()
      says('Query "SELECT 1"', 'Terminate')
      answers(...ROWS)
      vi.spyOn(set.recorder, 'flush').mockImplementation(() => {
        throw new Error('no room')
      })
      set.parts.recording.moment({ kind: 'own', status: '', text: '' })
      set.turn.flush()
      expect(set.turn.isStalled).toBe(true)
      set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
      expect(down()).not.toContain('C58030')
      for (const wire of [client, target]) wire.close()
      expect(await ended).toBe('terminated')
    })

    test('is told nothing that would be read as the rest of a row', () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
      begin()
      says('Query "SELECT 1"', 'Terminate')
      const row = `DataRow "${'x'.repeat(200)}"`
      const rows = ['RowDescription a:text', row].map((line) => build(line, 'down', columns))
      target.receive(Buffer.concat(rows).subarray(0, 150))
      set.turn.flush()
      expect(down()).toContain('xxx')
      vi.spyOn(set.recorder, 'flush').mockImplementation(() => {
        throw new Error('no room')
      })
      set.parts.recording.moment({ kind: 'own', status: '', text: '' })
      silent(5500)
      expect([set.turn.isStalled, outcomes()]).toEqual([true, ['outcome cut']])
      set.parts.live.end(new GatewayError('GW_RECORDING_LOST', 'spool'), 'now')
      vi.restoreAllMocks()
      set.turn.flush()
      expect([client.isEnded, down().includes('C58030')]).toEqual([true, false])
    })

    test('is sent nothing of it once its session is ended', () => {
      const { destroyed } = waits()
      set.parts.live.end(new GatewayError('GW_SESSION_EXPIRED', 'expired'), 'now')
      expect(destroyed).toHaveBeenCalled()
    })
  })
})
