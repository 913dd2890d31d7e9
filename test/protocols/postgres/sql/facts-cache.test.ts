import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { analyse } from '../../../../src/protocols/postgres/sql/analyse.ts'
import { FactsCache } from '../../../../src/protocols/postgres/sql/facts-cache.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { CLEAR, HIDING, TEXT } from './cached-sample.ts'

beforeAll(loadParser)

describe('the cache never changes what a text means', () => {
  test.each([
    ['without masks', CLEAR],
    ['with masks', HIDING],
  ])('%s', (_, options) => {
    const cache = new FactsCache({ entriesMax: 4000 })
    let filled = 0
    fc.assert(
      fc.property(fc.array(TEXT, { minLength: 3, maxLength: 12 }), (texts) => {
        for (const text of texts) {
          expect(cache.analyse(text, options)).toEqual(analyse(text, options))
          filled++
        }
      }),
      { numRuns: 600 },
    )
    expect(filled).toBeGreaterThan(1000)
  })

  test('names and masks are part of the key', () => {
    const cache = new FactsCache({ entriesMax: 100 })
    const text = 'SELECT ascii(email) FROM customers WHERE id = 1'
    for (const _ of [1, 2, 3]) {
      expect(cache.analyse(text, CLEAR).statements[0]?.mask.refusal).toBeUndefined()
      expect(cache.analyse(text, HIDING).statements[0]?.mask.refusal).toBeDefined()
    }
    const other = { ...CLEAR, names: { ...CLEAR.names, key: 'b', searchPath: ['pg_catalog'] } }
    expect(cache.analyse(text, other)).toEqual(analyse(text, other))
  })

  test('a text is opaque where the target may read other characters', () => {
    const cache = new FactsCache({ entriesMax: 100 })
    const other = { ...CLEAR, names: { ...CLEAR.names, encoding: 'other' as const } }
    for (const name of ["'a'", "'b'", "'c'", "'é'"]) {
      const text = `SELECT id FROM customers WHERE name = ${name}`
      expect(cache.analyse(text, other)).toEqual(analyse(text, other))
    }
  })
})

test('texts that differ only in literals share an entry', () => {
  const cache = new FactsCache({ entriesMax: 100 })
  for (let id = 0; id < 50; id++)
    cache.analyse(`SELECT name FROM customers WHERE id = ${id}`, CLEAR)
  expect(cache.size).toBeLessThan(5)
})

test('texts whose literals decide do not', () => {
  const cache = new FactsCache({ entriesMax: 100 })
  for (let id = 1; id < 9; id++) cache.analyse(`SELECT name FROM customers ORDER BY ${id}`, CLEAR)
  expect(cache.size).toBeGreaterThanOrEqual(8)
})

test('the cache stays within its bounds, and keeps what was used lately', () => {
  const cache = new FactsCache({ entriesMax: 40 })
  const kept = cache.analyse('SELECT 1 AS kept', CLEAR)
  for (let at = 0; at < 500; at++) {
    cache.analyse(`SELECT 1 AS a${at}`, CLEAR)
    if (at % 10 === 0) expect(cache.analyse('SELECT 1 AS kept', CLEAR)).toBe(kept)
    expect(cache.size).toBeLessThanOrEqual(40)
  }
  const small = new FactsCache({ entriesMax: 1000, bytesMax: 32 * 1024 })
  for (let at = 0; at < 100; at++) small.analyse(`SELECT 1 AS a${at}`, CLEAR)
  expect(small.size).toBeLessThan(20)
  small.analyse(`SELECT '${'x'.repeat(40_000)}'`, CLEAR)
  expect(small.size).toBeLessThan(20)
})
