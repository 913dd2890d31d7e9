import { expect, test } from 'vitest'
import { CatalogueStore, catalogueKey } from '../../../src/protocols/postgres/catalogues.ts'
import type { Catalogue } from '../../../src/protocols/postgres/sql/catalogue.ts'

const CATALOGUE = { epoch: 1 } as Catalogue

test('a catalogue ages until it is compared, and is older than any limit once it is stale', () => {
  let elapsed = 0
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => elapsed })
  store.put('k', { catalogue: CATALOGUE, version: 'v', mark: store.mark('k') })
  elapsed = 5_000_000
  expect(store.age(store.get('k')!)).toBe(5000)
  store.confirm('k', store.mark('k'))
  expect(store.age(store.get('k')!)).toBe(0)
  store.stale('k')
  expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  store.confirm('other', 0)
  store.stale('other')
  expect(store.get('other')).toBeUndefined()
})

test('an answer that was asked for before a change leaves the catalogue stale', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const mark = store.mark('k')
  store.stale('k')
  store.put('k', { catalogue: CATALOGUE, version: 'v', mark })
  expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  store.confirm('k', mark)
  expect(store.age(store.get('k')!)).toBe(Number.POSITIVE_INFINITY)
  store.confirm('k', store.mark('k'))
  expect(store.age(store.get('k')!)).toBe(0)
})

test('epochs rise, and no two places share a key', () => {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  expect(store.nextEpoch()).toBeLessThan(store.nextEpoch())
  expect(catalogueKey('a', 'b,c')).not.toBe(catalogueKey('a,b', 'c'))
  expect(catalogueKey('a"', 'b')).not.toBe(catalogueKey('a', '"b'))
})
