import { describe, expect, test } from 'vitest'
import { CatalogueStore } from '../../../src/protocols/postgres/catalogues.ts'
import { FAILED, IDLE, IN_TRANSACTION } from '../../../src/protocols/postgres/frame.ts'
import { CATALOGUE_MS_MAX, NamesKeeper } from '../../../src/protocols/postgres/names-keeper.ts'
import { type Effect, NO_EFFECT } from '../../../src/protocols/postgres/sql/analysis.ts'
import { calm } from '../../../src/protocols/postgres/sql/calm-question.ts'
import {
  ALL_PARTS,
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
  partsText,
  VERSION_TEXT,
} from '../../../src/protocols/postgres/sql/catalogue-query.ts'
import { readFixture } from '../../contract/fixture.ts'

const fixture = readFixture()

/** A keeper over a target that answers at once, with time that the test moves. */
function setUp() {
  const target = {
    asked: [] as string[],
    fails: false,
    calm: false,
    version: 'v1',
    names: fixture.names,
    ms: 0,
  }
  const answers = new Map([
    [CATALOGUE_TEXT, ['catalogue', () => fixture.catalogue]],
    [partsText(ALL_PARTS), ['parts', () => fixture.catalogue]],
    [NAMES_TEXT, ['names', () => target.names]],
    [IDLE_NAMES_TEXT, ['idle', () => target.names]],
    [VERSION_TEXT, ['version', () => target.version]],
  ] as const)
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => target.ms * 1000 })
  const keeper = new NamesKeeper({
    store,
    key: 'k',
    ask: (text, answered) => {
      const plain = [...answers.keys()].find((one) => one === text || calm(one) === text)!
      const [name, answer] = answers.get(plain)!
      target.asked.push(name)
      target.calm = plain !== text
      answered(target.fails ? undefined : answer())
    },
  })
  const refresh = (status: number) => {
    target.asked = []
    keeper.refresh(status, () => target.asked.push('done'))
    return target.asked
  }
  return { keeper, target, refresh, store }
}
const effect = (more: Partial<Effect>): Effect => ({ ...NO_EFFECT, ...more })
const SET = effect({ dirties: true })

describe('what is asked', () => {
  test('the first session of a worker loads the catalogue, the next one asks for its names only', () => {
    const { refresh, keeper } = setUp()
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    expect(refresh(IDLE)).toEqual(['version', 'catalogue', 'idle', 'done'])
    expect(keeper.names?.searchPath).toEqual(['pg_catalog', 'public'])
    expect(keeper.needsRefresh(IDLE)).toBe(false)
    keeper.forwarded(SET)
    expect(refresh(IDLE)).toEqual(['idle', 'done'])
    keeper.forwarded(SET)
    expect(refresh(IN_TRANSACTION)).toEqual(['names', 'done'])
  })

  test('what reads much brings its planner settings along, where they end with it', () => {
    const { refresh, keeper, target, store } = setUp()
    refresh(IDLE)
    store.stale('k')
    target.names = fixture.names.replace(/"temporary"\s*:\s*null/, '"temporary" : "pg_temp_3"')
    refresh(IDLE)
    expect(target).toMatchObject({ asked: ['version', 'idle', 'names', 'done'], calm: true })
    keeper.forwarded(SET)
    refresh(IN_TRANSACTION)
    expect(target).toMatchObject({ asked: ['names', 'done'], calm: false })
  })

  test('outside a transaction objects of its own are asked for where there is a temporary schema', () => {
    const { refresh, keeper, target } = setUp()
    target.names = fixture.names.replace(/"temporary"\s*:\s*null/, '"temporary" : "pg_temp_3"')
    expect(refresh(IDLE)).toEqual(['version', 'catalogue', 'idle', 'names', 'done'])
    expect(keeper.names?.temporarySchema).toBe('pg_temp_3')
  })

  test('a change that somebody commits while the catalogue is on its way is looked for again', () => {
    const { keeper, refresh, store } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ dirties: true, changesCatalogue: true }))
    keeper.ready(IDLE)
    const mark = store.mark('k')
    store.stale('k')
    store.confirm('k', mark)
    expect(refresh(IDLE)).toEqual(['version', 'idle', 'done'])
  })

  test('an old catalogue is compared, and loaded again only when it changed', () => {
    const { refresh, keeper, target } = setUp()
    refresh(IDLE)
    target.ms += CATALOGUE_MS_MAX + 1
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(false)
    expect(keeper.needsRefresh(IDLE)).toBe(true)
    expect(refresh(IDLE)).toEqual(['version', 'idle', 'done'])
    target.ms += CATALOGUE_MS_MAX + 1
    target.version = 'v2'
    const before = keeper.names?.key
    expect(refresh(IDLE)).toEqual(['version', 'parts', 'idle', 'done'])
    expect(keeper.names?.key).not.toBe(before)
  })

  test('a transaction takes over what another session loaded, and asks nothing before its first query', () => {
    const { refresh, keeper, store } = setUp()
    refresh(IDLE)
    const before = keeper.names!
    const catalogue = { ...before.catalogue, epoch: before.catalogue.epoch + 1 }
    store.put('k', { catalogue, version: 'v2', mark: store.mark('k') })
    expect(keeper.needsRefresh(IN_TRANSACTION)).toBe(false)
    expect(keeper.names?.catalogue).toBe(catalogue)
    expect(keeper.names?.key).not.toBe(before.key)
    expect(keeper.needsRefresh(IDLE)).toBe(false)
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
    keeper.ready(IDLE)
    refresh(IDLE)
    expect(keeper.isDirty).toBe(false)
  })

  test('a change that is local to its transaction does so at its end', () => {
    const { refresh, keeper } = setUp()
    refresh(IDLE)
    keeper.forwarded(effect({ dirtiesAtEnd: true }))
    expect(keeper.isDirty).toBe(false)
    keeper.ready(IDLE)
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
    expect(keeper.ready(IN_TRANSACTION)).toBe(false)
    expect(keeper.ready(IDLE)).toBe(true)
    expect(keeper.ready(IDLE)).toBe(false)
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
    const { keeper, refresh, store, target } = setUp()
    refresh(IDLE)
    keeper.lapse()
    expect(keeper.isDirty).toBe(false)
    store.stale('k')
    target.version = 'v2'
    const other = new NamesKeeper({
      store,
      key: 'k',
      ask: (text, answered) => answered(textOf(text)),
    })
    other.refresh(IDLE, () => {})
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

/** What a target of version 2 answers. */
function textOf(text: string): string {
  if (text.includes(VERSION_TEXT)) return 'v2'
  return text.includes(NAMES_TEXT) || text.includes(IDLE_NAMES_TEXT)
    ? fixture.names
    : fixture.catalogue
}
