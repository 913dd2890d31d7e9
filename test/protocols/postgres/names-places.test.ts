/** Servers that change places behind one address: what names mean is never taken from the one that was there before. */
import { describe, expect, test } from 'vitest'
import { IDLE, IN_TRANSACTION } from '../../../src/protocols/postgres/frame.ts'
import { CATALOGUE_MS_MAX, type NamesKeeper } from '../../../src/protocols/postgres/names-keeper.ts'
import { setUp } from './names-room.ts'

describe('another server behind the same address', () => {
  const OTHER = { start: '2023-11-15T00:00:00+00:00' }
  const epoch = (keeper: NamesKeeper) => keeper.names?.catalogue.epoch

  test('has a catalogue of its own, which is read before anything is judged there', () => {
    const { keeper, refresh, session, target } = setUp()
    refresh(IDLE)
    target.place = OTHER
    const { keeper: moved } = session()
    target.asked = []
    let isDone = false
    moved.refresh(IDLE, () => {
      isDone = true
      expect(moved.names).toBeDefined()
    })
    // What the look of the former server had seen is not gone on with.
    expect([target.asked, isDone]).toEqual([['idle', 'look', 'catalogue'], true])
    expect(epoch(moved)).not.toBe(epoch(keeper))
    expect([keeper.needsRefresh(IDLE), moved.needsRefresh(IDLE)]).toEqual([false, false])
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(false)
    // The next ones need no more than their names where the login before went, and one question more where it did not.
    for (const [place, asked] of [
      [OTHER, ['idle']],
      [{}, ['idle', 'idle']],
      [{}, ['idle']],
      [OTHER, ['idle', 'idle']],
    ] as const) {
      target.place = place
      const next = session().keeper
      target.asked = []
      next.refresh(IDLE, () => {})
      expect(target.asked).toEqual(asked)
      expect(epoch(next)).toBe(epoch(place === OTHER ? moved : keeper))
    }
  })

  test('is looked at by its own sessions, and neither takes over what the other has loaded', () => {
    const { keeper, refresh, session, target } = setUp()
    refresh(IDLE)
    const first = epoch(keeper)
    target.place = OTHER
    const { keeper: moved } = session()
    target.ms += CATALOGUE_MS_MAX + 1
    target.asked = []
    moved.refresh(IDLE, () => {})
    // A look that leaves out what has not changed is of no use on another server.
    expect(target.asked).toEqual(['look', 'look', 'catalogue'])
    expect(epoch(moved)).not.toBe(first)
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(false)
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    expect(refresh(IDLE)).toEqual(['look', 'done'])
    expect(epoch(keeper)).toBe(first)
    target.look = { casts: '7:20000' }
    target.ms += CATALOGUE_MS_MAX + 1
    expect(refresh(IDLE)).toEqual(['look', 'chosen', 'done'])
    expect(epoch(keeper)).not.toBe(first)
    const second = epoch(keeper)
    moved.refresh(IDLE, () => {})
    expect([epoch(keeper), second].includes(epoch(moved))).toBe(false)
  })

  test('that cannot be asked leaves names unknown, and the former ones untouched', () => {
    const { keeper, refresh, session, target } = setUp()
    refresh(IDLE)
    target.place = OTHER
    const { keeper: moved } = session()
    target.held = []
    let isDone = false
    moved.refresh(IDLE, () => {
      isDone = true
    })
    target.held.shift()?.()
    expect(moved.names).toBeUndefined()
    target.fails = true
    target.giveAll()
    expect(isDone).toBe(true)
    expect(moved.names).toBeUndefined()
    expect(keeper.names).toBeDefined()
  })

  test('in a transaction nobody says which it is: the session loads for itself, and shares nothing', () => {
    const { keeper, refresh, session, target, store } = setUp()
    refresh(IDLE)
    const { puts } = store
    const { keeper: inside } = session()
    target.asked = []
    inside.refresh(IN_TRANSACTION, () => {})
    expect(target.asked).toEqual(['catalogue in a transaction', 'names in a transaction'])
    expect(epoch(inside)).not.toBe(epoch(keeper))
    expect(store.puts).toBe(puts)
    target.asked = []
    inside.refresh(IDLE, () => {})
    expect(target.asked).toEqual(['idle'])
    expect(epoch(inside)).toBe(epoch(keeper))
  })
})
