import { expect, test } from 'vitest'
import { CatalogueStore, catalogueKey } from '../../../src/protocols/postgres/catalogues.ts'
import type { Catalogue } from '../../../src/protocols/postgres/sql/catalogue.ts'
import type { Seen } from '../../../src/protocols/postgres/sql/catalogue-look.ts'
import { idleAnswer, readFixture } from '../../contract/fixture.ts'

const CATALOGUE = { epoch: 1 } as Catalogue
const SEEN = { since: 3 } as Seen

test('a catalogue ages until it is looked at, and is older than any limit once it is stale', () => {
  let elapsed = 0
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => elapsed })
  const look = () => store.put('k', { catalogue: CATALOGUE, seen: SEEN, mark: store.mark('k') })
  look()
  elapsed = 5_000_000
  expect(store.age(store.get('k')!)).toBe(5000)
  look()
  expect(store.age(store.get('k')!)).toBe(0)
  store.stale('k')
  expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  store.stale('other')
  expect(store.get('other')).toBeUndefined()
})

test('an answer that was asked for before a change leaves the catalogue stale', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const mark = store.mark('k')
  store.stale('k')
  store.put('k', { catalogue: CATALOGUE, seen: SEEN, mark })
  expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  store.put('k', { catalogue: CATALOGUE, seen: SEEN, mark: store.mark('k') })
  expect(store.age(store.get('k')!)).toBe(0)
})

test('who comes while somebody looks is called when that is done, and once', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const called: string[] = []
  const wait = (name: string) => store.wait('k', () => called.push(name))
  expect(wait('nobody looks')).toBe(false)
  const done = store.look('k')
  expect([wait('a'), wait('b')]).toEqual([true, true])
  expect(called).toEqual([])
  done()
  done()
  expect(called).toEqual(['a', 'b'])
  expect(wait('over')).toBe(false)
})

test('nobody waits for ever for a look that hangs', () => {
  const late: (() => void)[] = []
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 }, (_, then) => {
    late.push(then)
    return () => {}
  })
  const called: string[] = []
  const done = store.look('k')
  store.wait('k', () => called.push('a'))
  late[0]!()
  expect(called).toEqual(['a'])
  const second = store.look('k')
  store.wait('k', () => called.push('b'))
  // The one that hung comes to its end after all.
  done()
  expect(called).toEqual(['a'])
  second()
  expect(called).toEqual(['a', 'b'])
})

test('epochs rise, and no two places share a key', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  expect(store.nextEpoch()).toBeLessThan(store.nextEpoch())
  expect(catalogueKey('a', 'b,c')).not.toBe(catalogueKey('a,b', 'c'))
  expect(catalogueKey('a"', 'b')).not.toBe(catalogueKey('a', '"b'))
})

test('the same answer about a session is read once for each catalogue', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const answer = (user: string) => idleAnswer({ ...JSON.parse(readFixture().names), user })
  const names = store.idleNames(answer('a'), CATALOGUE)
  expect(names).toMatchObject({ currentUser: 'a', catalogue: CATALOGUE })
  expect(store.idleNames(answer('a'), CATALOGUE)).toBe(names)
  expect(store.idleNames(answer('b'), CATALOGUE)).toMatchObject({ currentUser: 'b' })
  const other = { epoch: 2 } as Catalogue
  expect(store.idleNames(answer('a'), other)).toMatchObject({ catalogue: other })
  for (let role = 0; role < 150; role++) store.idleNames(answer(`r${role}`), CATALOGUE)
  expect(store.idleNames(answer('a'), CATALOGUE)).toEqual(names)
  expect(store.idleNames('{}', CATALOGUE)).toBeUndefined()
})

test('a connection that leads elsewhere has another catalogue, and DDL makes all of its own old', () => {
  const [one, two] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const keys = [[one], [two], [one, two]].map((all) => catalogueKey('c', 'd', all))
  expect(new Set(keys).size).toBe(3)
  const other = catalogueKey('c', 'd2', [one])
  for (const key of [...keys, other])
    store.put(key, { catalogue: CATALOGUE, seen: SEEN, mark: store.mark(key) })
  store.staleAll('c', 'd')
  for (const key of keys) expect(store.age(store.get(key)!)).toBe(Number.POSITIVE_INFINITY)
  expect(store.age(store.get(other)!)).toBe(0)
})
