import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analyse } from '../../../src/protocols/postgres/sql/analyse.ts'
import type { AnalyseOptions } from '../../../src/protocols/postgres/sql/analysis.ts'
import { FactsCache } from '../../../src/protocols/postgres/sql/facts-cache.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { type Postgres, startPostgres } from '../../lib/postgres.ts'
import { type Case, loadCorpus, schemaSql } from './corpus.ts'
import { refusalOf } from './guard.ts'
import { makeShop } from './session.ts'

let server: Postgres
let clear: AnalyseOptions
let masked: AnalyseOptions

beforeAll(async () => {
  await loadParser()
  server = await startPostgres()
  const options = makeShop(server, 'shop', schemaSql())
  clear = options.clear
  masked = options.masked
})

afterAll(() => server?.stop())

function refusal(one: Case): string | undefined {
  const options = one.mask ? masked : clear
  return refusalOf(one, (text) => analyse(text, options))
}

const cases = loadCorpus().filter((one) => !one.live)

test('the corpus is as large as it should be', () => {
  expect(cases.length).toBeGreaterThan(400)
})

describe('the analyser alone refuses', () => {
  test.each(cases.filter((one) => one.expect === 'deny'))('$id', (one) => {
    expect(refusal(one)).toBeDefined()
  })
})

describe('the analyser alone lets pass', () => {
  test.each(cases.filter((one) => one.expect === 'allow'))('$id', (one) => {
    expect(refusal(one)).toBeUndefined()
  })
})

test('what is only refused by a mask passes without one', () => {
  const only = cases.filter((one) => one.mask && refusal(one)?.startsWith('mask: public.'))
  expect(only.length).toBeGreaterThan(100)
  for (const one of only) {
    const without = refusalOf(one, (text) => analyse(text, clear))
    expect([one.id, without?.startsWith('mask')]).toEqual([one.id, without && false])
  }
})

test('the cache says of every text what the analyser says, on every sight', () => {
  const cache = new FactsCache({ entriesMax: 5000 })
  for (const round of [1, 2, 3])
    for (const { steps } of cases)
      for (const step of steps)
        for (const options of [clear, masked])
          expect([round, step, cache.analyse(step, options)]).toEqual([
            round,
            step,
            analyse(step, options),
          ])
})
