import { beforeAll, expect, test } from 'vitest'
import { TYPED, withTypes } from '../../../src/protocols/postgres/declared-parameters.ts'
import type { Analysis } from '../../../src/protocols/postgres/sql/analysis.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, talk, up } from './conversations.ts'
import { NAMES } from './sql/catalogue-sample.ts'

beforeAll(() => loadParser())

const READ: Analysis = { statements: [], opaque: undefined }
const trust = () => ({ names: NAMES, functionsRead: [] })

test('types that run code, and types that nobody knows, make a text not understood', () => {
  expect(withTypes(READ, [], () => undefined)).toBe(READ)
  expect(withTypes(READ, [40001], trust)).toBe(READ)
  for (const types of [[40002], [40001, 40003], [49999]])
    expect(withTypes(READ, types, trust)).toEqual({ statements: [], opaque: TYPED })
  expect(withTypes(READ, [40001], () => undefined).opaque).toBe(TYPED)
})

/** Parse of `SELECT $1` with one parameter of this type. */
const parse = (oid: string) => `Raw P "\\x00SELECT $1\\x00\\x00\\x01${oid}"`
const UNKNOWN = '\\x00\\x0f\\x00\\x00'
const TEXT = '\\x00\\x00\\x00\\x19'

test('a Parse that says so is refused before any value of it is sent', () => {
  const refused = talk(`C> ${parse(UNKNOWN)} | Bind "" "" "x" | Execute "" | Sync`)
  expect(down(refused)[0]).toMatch(/C42601.*values run code/)
  expect(up(refused)).toEqual([])
  expect(up(talk(`C> ${parse(TEXT)} | Sync`))).toHaveLength(2)
})

test('it stays so for a role that may run what is not understood, until that ends', () => {
  const all = 'allow: read write schema execute admin opaque'
  const text = `C> ${parse(UNKNOWN)} | Sync`
  expect(up(talk(all, text))).toHaveLength(2)
})
