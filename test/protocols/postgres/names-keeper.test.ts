import { describe, expect, test } from 'vitest'
import { FAILED, IDLE, IN_TRANSACTION } from '../../../src/protocols/postgres/frame.ts'
import { CATALOGUE_MS_MAX } from '../../../src/protocols/postgres/names-keeper.ts'
import { effect, fixture, SET, setUp, TEMPORARY } from './names-room.ts'

describe('what is asked', () => {
  test('the first session of a worker loads the catalogue, the next one asks for its names only', () => {
    const { refresh, keeper } = setUp()
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    expect(refresh(IDLE)).toEqual(['look', 'catalogue', 'done'])
    expect(keeper.names?.searchPath).toEqual(['pg_catalog', 'public'])
    expect(keeper.needsRefresh(IDLE)).toBe(false)
    keeper.forwarded(SET)
    expect(refresh(IDLE)).toEqual(['idle', 'done'])
    keeper.forwarded(SET)
    expect(refresh(IN_TRANSACTION)).toEqual(['names in a transaction', 'done'])
  })

  test('outside a transaction objects of its own are asked for where there is a temporary schema', () => {
    const { refresh, keeper, target } = setUp()
    target.names = TEMPORARY
    expect(refresh(IDLE)).toEqual(['look', 'catalogue', 'names', 'done'])
    expect(keeper.names?.temporarySchema).toBe('pg_temp_3')
    keeper.forwarded(SET)
    expect(refresh(IDLE)).toEqual(['names', 'done'])
  })

  test('a path that holds pg_temp is asked for in full, which makes no temporary schema', () => {
    const { refresh, keeper, target } = setUp()
    const names = { ...JSON.parse(fixture.names), path: null, setting: 'pg_temp', usable: [] }
    target.names = JSON.stringify(names)
    expect(refresh(IDLE)).toEqual(['look', 'catalogue', 'done'])
    keeper.forwarded(SET)
    expect(refresh(IDLE)).toEqual(['idle', 'names', 'done'])
    expect(keeper.names?.searchPath).toEqual(['pg_catalog', 'pg_temp'])
  })

  test('a change that somebody commits while the catalogue is on its way is looked for again', () => {
    const { keeper, refresh, store, target } = setUp()
    refresh(IDLE)
    store.stale('k')
    target.held = []
    keeper.refresh(IDLE, () => {})
    store.stale('k')
    target.giveAll()
    target.held = undefined
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    expect(refresh(IDLE)).toEqual(['look', 'done'])
    expect(keeper.needsRefresh(IDLE)).toBe(false)
  })

  test('an old catalogue is looked at, and only what changed is loaded', () => {
    const { refresh, keeper, target } = setUp()
    refresh(IDLE)
    target.ms += CATALOGUE_MS_MAX + 1
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(false)
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    const before = keeper.names?.key
    expect(refresh(IDLE)).toEqual(['look', 'done'])
    expect(keeper.names?.key).toBe(before)
    target.ms += CATALOGUE_MS_MAX + 1
    target.look = { casts: '7:20000' }
    expect(refresh(IDLE)).toEqual(['look', 'chosen', 'done'])
    expect(keeper.names?.key).not.toBe(before)
    target.ms += CATALOGUE_MS_MAX + 1
    target.look = { version: 160001 }
    // What was left out because nothing had changed was that of another.
    expect(refresh(IDLE)).toEqual(['look', 'look', 'catalogue', 'done'])
  })

  test.each([
    ['nothing of its own', fixture.names],
    ['a temporary schema', TEMPORARY],
  ])('a session with %s takes over what another one loaded, and asks nothing', (_, answer) => {
    const { refresh, keeper, store, target } = setUp()
    target.names = answer
    refresh(IDLE)
    for (const status of [IN_TRANSACTION, IDLE]) {
      const before = keeper.names!
      const { seen, catalogue: shared } = store.get('k')!
      const catalogue = { ...shared, epoch: shared.epoch + 1 }
      store.put('k', { catalogue, seen, mark: store.mark('k') })
      expect(keeper.needsRefresh(status)).toBe(false)
      expect(keeper.names?.catalogue.epoch).toBe(catalogue.epoch)
      expect(keeper.names?.key).not.toBe(before.key)
    }
    const { seen, catalogue } = store.get('k')!
    store.put('k', { catalogue, seen: { ...seen, paths: '[]' }, mark: store.mark('k') })
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(true)
  })

  test('a catalogue that is first loaded inside a transaction is not shared', () => {
    const { refresh, keeper, store } = setUp()
    const asked = ['catalogue in a transaction', 'names in a transaction', 'done']
    expect(refresh(IN_TRANSACTION)).toEqual(asked)
    expect(keeper.names).toBeDefined()
    expect(store.get('k')).toBeUndefined()
  })

  test('of many sessions one looks, and the others wait for it', () => {
    const { session, target, store } = setUp()
    const all = [session(), session(), session()]
    const done: number[] = []
    target.held = []
    const refreshAll = () => {
      target.asked = []
      for (const [at, { keeper }] of all.entries()) keeper.refresh(IDLE, () => done.push(at))
      target.giveAll()
    }
    refreshAll()
    expect(target.asked).toEqual(['look', 'catalogue', 'idle', 'idle'])
    expect(done.sort()).toEqual([0, 1, 2])
    store.stale('k')
    refreshAll()
    expect(target.asked).toEqual(['look'])
    expect(done.length).toBe(6)
    // Those that had nothing to ask themselves are told to go on.
    expect(all.map(({ proceeded }) => proceeded.length)).toEqual([0, 1, 1])
  })

  test('who waits for a look that fails looks itself; one that is over does not', () => {
    const { session, target } = setUp()
    const [first, gone, last] = [session(), session(() => true), session()]
    const done: string[] = []
    target.held = []
    first.keeper.refresh(IDLE, () => done.push('first'))
    gone.keeper.refresh(IDLE, () => done.push('gone'))
    last.keeper.refresh(IDLE, () => done.push('last'))
    target.fails = true
    target.held.shift()!()
    target.fails = false
    target.giveAll()
    expect(target.asked).toEqual(['look', 'look', 'catalogue'])
    expect(done).toEqual(['first', 'last'])
    expect(first.keeper.names).toBeUndefined()
    expect(last.keeper.names).toBeDefined()
  })

  test('nobody waits for a session that is not read, and its late answer replaces nothing', () => {
    const { session, target, store } = setUp()
    const [slow, other] = [session(undefined, () => true), session()]
    const done: string[] = []
    target.held = []
    slow.keeper.refresh(IDLE, () => done.push('slow'))
    const [late] = target.held.splice(0)
    other.keeper.refresh(IDLE, () => done.push('other'))
    target.giveAll()
    expect(done).toEqual(['other'])
    const { catalogue } = store.get('k')!
    late!()
    target.giveAll()
    expect(store.get('k')!.catalogue).toBe(catalogue)
    expect(done).toEqual(['other', 'slow'])
    expect(slow.keeper.names?.catalogue.epoch).toBe(catalogue.epoch)
  })

  test('nothing is asked in a failed transaction', () => {
    const { refresh, keeper } = setUp()
    refresh(IDLE)
    keeper.forwarded(SET)
    expect(keeper.needsRefresh(FAILED)).toBe(false)
    expect(keeper.names).toBeUndefined()
    expect(keeper.former).toBeDefined()
  })

  test('what the target does not answer stays unknown, and the last that was known is kept apart', () => {
    const { refresh, keeper, target } = setUp()
    refresh(IDLE)
    keeper.forwarded(SET)
    target.fails = true
    refresh(IDLE)
    expect(keeper.names).toBeUndefined()
    expect(keeper.former).toBeDefined()
    expect(keeper.needsRefresh(IDLE)).toBe(true)
  })
})

describe('what makes names unknown', () => {
  test('a change does, at once, and the end of its transaction does again', () => {
    const { refresh, keeper } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ transaction: 'begin' }))
    keeper.forwarded(SET)
    expect(keeper.isDirty).toBe(true)
    refresh(IN_TRANSACTION)
    expect(keeper.isDirty).toBe(false)
    keeper.forwarded(effect({ transaction: 'rollback' }))
    expect(keeper.isDirty).toBe(true)
    keeper.ready(IDLE, true)
    refresh(IDLE)
    expect(keeper.isDirty).toBe(false)
  })

  test('a change that is local to its transaction does so at its end', () => {
    const { refresh, keeper } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ dirtiesAtEnd: true }))
    expect(keeper.isDirty).toBe(false)
    keeper.ready(IDLE, true)
    expect(keeper.isDirty).toBe(true)
  })

  test('a rollback of nothing does not', () => {
    const { refresh, keeper } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ transaction: 'rollback', dirties: true }))
    expect(keeper.isDirty).toBe(false)
  })

  test('a change of the catalogue is told of once its transaction is over', () => {
    const { refresh, keeper, store } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ dirties: true, changesCatalogue: true }))
    expect(keeper.ready(IN_TRANSACTION, true)).toBe(false)
    expect(keeper.ready(IDLE, true)).toBe(true)
    expect(keeper.ready(IDLE, true)).toBe(false)
    expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  })
})

test('stamps are equal while names are known to be the same, or unknown since the same change', () => {
  const { refresh, keeper } = setUp()
  refresh(IDLE)
  const known = keeper.stamp
  keeper.forwarded(SET)
  const unknown = keeper.stamp
  expect(unknown).not.toBe(known)
  expect(keeper.stamp).toBe(unknown)
  keeper.forwarded(SET)
  expect(keeper.stamp).not.toBe(unknown)
  refresh(IDLE)
  expect(keeper.stamp).toBe(known)
})

describe('where the target cannot be asked before the next message', () => {
  test('names that somebody may have changed since are not known', () => {
    const { keeper, refresh, store, target, session } = setUp()
    refresh(IDLE)
    keeper.lapse()
    expect(keeper.isDirty).toBe(false)
    store.stale('k')
    target.look = { casts: '7:20000' }
    session().keeper.refresh(IDLE, () => {})
    keeper.lapse()
    expect(keeper.names).toBeUndefined()
  })

  test('and after a while none are', () => {
    const { keeper, refresh, target } = setUp()
    refresh(IDLE)
    target.ms = 11_000
    keeper.lapse()
    expect(keeper.names).toBeUndefined()
  })
})
