import { expect, test } from 'vitest'
import { CatalogueStore, catalogueKey } from '../../../src/protocols/postgres/catalogues.ts'
import type { Catalogue } from '../../../src/protocols/postgres/sql/catalogue.ts'
import { lookFrom } from '../../../src/protocols/postgres/sql/catalogue-changes.ts'
import type { Seen } from '../../../src/protocols/postgres/sql/catalogue-look.ts'
import { idleAnswer, readFixture } from '../../contract/fixture.ts'

const CATALOGUE = { epoch: 1 } as Catalogue
const { look } = readFixture()
const { seen: SEEN } = lookFrom(look, undefined) as { seen: Seen }

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
  const known = { catalogue: CATALOGUE, seen: SEEN }
  const answer = (user: string) => idleAnswer({ ...JSON.parse(readFixture().names), user })
  const names = store.idleNames(answer('a'), known)
  expect(names).toMatchObject({ currentUser: 'a', catalogue: CATALOGUE })
  expect(store.idleNames(answer('a'), known)).toBe(names)
  expect(store.idleNames(answer('b'), known)).toMatchObject({ currentUser: 'b' })
  const other = { epoch: 2 } as Catalogue
  expect(store.idleNames(answer('a'), { catalogue: other, seen: SEEN })).toMatchObject({
    catalogue: other,
  })
  for (let role = 0; role < 150; role++) store.idleNames(answer(`r${role}`), known)
  expect(store.idleNames(answer('a'), known)).toEqual(names)
  expect(store.idleNames('{}', known)).toBeUndefined()
})

test('a connection that leads elsewhere has another catalogue, and DDL makes all of its database old', () => {
  const [one, two] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const keys = [[one], [two], [one, two]].map((all) => catalogueKey('c', 'd', all))
  // A connection of another name may lead to the same database: a view that is replaced there counts here at once.
  keys.push(catalogueKey('masked', 'd', [one]))
  expect(new Set(keys).size).toBe(4)
  const other = catalogueKey('c', 'd2', [one])
  for (const key of [...keys, other])
    store.put(key, { catalogue: CATALOGUE, seen: SEEN, mark: store.mark(key) })
  store.staleAll('d')
  for (const key of keys) expect(store.age(store.get(key)!)).toBe(Number.POSITIVE_INFINITY)
  expect(store.age(store.get(other)!)).toBe(0)
})

test('each server behind an address has a catalogue of its own, some of them at a time', () => {
  let elapsed = 0
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => elapsed })
  const put = (place: string) => {
    const catalogue = { epoch: store.nextEpoch() } as Catalogue
    store.put('k', { catalogue, seen: { ...SEEN, place }, mark: store.mark('k') })
    return catalogue
  }
  const [one, two] = [put('one'), put('two')]
  expect(store.get('k', 'one')?.catalogue).toBe(one)
  expect(store.get('k', 'two')?.catalogue).toBe(two)
  expect(store.get('k', 'three')).toBeUndefined()
  // A guess follows logins, and not who looks.
  expect(store.get('k')?.catalogue).toBe(one)
  store.leads('k', 'two')
  expect(store.get('k')?.catalogue).toBe(two)
  store.leads('k', 'three')
  expect(store.get('k')).toBeUndefined()
  expect(store.get('k', 'two')!.number).toBe(store.puts)
  store.stale('k')
  for (const server of ['one', 'two'])
    expect(store.age(store.get('k', server)!)).toBe(Number.POSITIVE_INFINITY)
  for (let n = 0; n < 20; n++) {
    put(`more ${n}`)
    put('one')
  }
  expect(store.get('k', 'two')).toBeUndefined()
  expect(store.get('k', 'one')).toBeDefined()
  elapsed += 601_000_000
  put('later')
  expect(store.get('k', 'one')).toBeUndefined()
})

test('an answer of another server is not read by this catalogue', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const names = JSON.parse(readFixture().names)
  const known = { catalogue: CATALOGUE, seen: SEEN }
  expect(store.idleNames(idleAnswer(names), known)).toMatchObject({ catalogue: CATALOGUE })
  for (const place of [{ at: '127.0.0.2' }, { start: '2023-11-14T22:13:20.252+00:00' }]) {
    const said = store.idleNames(idleAnswer(names, place), known)
    expect(said).toEqual({ elsewhere: expect.any(String) })
    const { elsewhere } = said as { elsewhere: string }
    expect(elsewhere).not.toBe(SEEN.place)
    const there = { catalogue: { epoch: 2 } as Catalogue, seen: { ...SEEN, place: elsewhere } }
    expect(store.idleNames(idleAnswer(names, place), there)).toMatchObject({
      currentUser: 'postgres',
    })
  }
  const { at: _, ...without } = JSON.parse(idleAnswer(names))
  expect(store.idleNames(JSON.stringify(without), known)).toBeUndefined()
})
