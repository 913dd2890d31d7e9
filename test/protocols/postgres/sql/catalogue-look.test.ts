import { expect, test } from 'vitest'
import {
  ALL_SOURCES,
  chosenText,
  lookText,
  partsOf,
  type Seen,
  type Source,
} from '../../../../src/protocols/postgres/sql/catalogue-look.ts'

const NONE = { relations: [], routines: [], types: [], operators: false, casts: false }
const listOf = (length: number) => new Set(Array.from({ length }, (_, i) => `${i}`))

test('a look names the transaction and the numbers of rows that were seen', () => {
  const sources = Object.fromEntries(
    ALL_SOURCES.map((one, at) => [one, listOf(970 + at)]),
  ) as unknown as Record<Source, ReadonlySet<string>>
  const seen: Seen = {
    since: 4711,
    version: 150000,
    server: '',
    place: '',
    schemas: new Map(),
    paths: '',
    extensions: '',
    sources,
    columns: new Set(),
  }
  const text = lookText(seen)
  expect(text).toContain("'4711'::pg_catalog.xid")
  for (let at = 0; at < ALL_SOURCES.length; at++) expect(text).toContain(` ${970 + at}\n`)
  expect(lookText(undefined)).not.toContain('4711')
})

test('a choice loads the parts that it holds anything of', () => {
  expect(partsOf(NONE)).toEqual([])
  expect(partsOf({ ...NONE, routines: [1] })).toEqual(['routines'])
  expect(partsOf({ ...NONE, types: [1], casts: true })).toEqual(['types', 'casts'])
  // A view brings what it calls, a table its row type.
  expect(partsOf({ ...NONE, relations: [1] })).toEqual(['relations', 'routines', 'types'])
  const text = chosenText({ ...NONE, relations: [16385, 16390] })
  expect(text).toContain("'{16385,16390}'::pg_catalog.oid[]")
  expect(text).not.toContain("'casts'")
})
