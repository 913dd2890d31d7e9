import { expect, test } from 'vitest'
import {
  ALL_PARTS,
  CATALOGUE_TEXT,
  changedParts,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
  partsText,
  VERSION_TEXT,
} from '../../../../src/protocols/postgres/sql/catalogue-query.ts'

/** Terms of a version, one for each system catalogue, in the order in which the text names them. */
const from = [...VERSION_TEXT.matchAll(/FROM pg_catalog\.(\w+) c/g)].map((found) => found[1]!)
const version = (changed: string) => from.map((one) => `1:${one === changed ? 8 : 7}`).join(',')

test.each([
  ['pg_attrdef', ['relations']],
  ['pg_inherits', ['relations']],
  ['pg_proc', ['routines']],
  ['pg_rewrite', ['relations', 'routines']],
  ['pg_attribute', ['relations', 'types']],
  ['pg_cast', ['casts']],
  ['pg_namespace', ['relations', 'routines', 'operators', 'types']],
])('a change of %s loads what is made of it', (changed, parts) => {
  expect(changedParts(version(''), version(changed))).toEqual(parts)
})

test('what is no version of this text loads all, the same one nothing', () => {
  expect(changedParts('v1', 'v2')).toEqual(ALL_PARTS)
  expect(changedParts(version(''), '')).toEqual(ALL_PARTS)
  expect(changedParts(version(''), version(''))).toEqual([])
})

test('no text holds a backslash, or an operator or function that a search_path could replace', () => {
  for (const text of [
    CATALOGUE_TEXT,
    IDLE_NAMES_TEXT,
    NAMES_TEXT,
    VERSION_TEXT,
    partsText(ALL_PARTS),
  ]) {
    const words = text.replaceAll(/'[^']*'/g, "''").replaceAll(/OPERATOR\(pg_catalog\.[^)]+\)/g, '')
    expect(words).not.toMatch(/\\|[=<>+/!~]|\|\|/)
    const called = [...words.matchAll(/([\w.]+)\(/g)].map((found) => found[1]!)
    const unqualified = called.filter((name) => !name.includes('.'))
    const syntax = ['AND', 'ARRAY', 'AS', 'COALESCE', 'EXISTS', 'FROM', 'JOIN', 'NOT', 'SELECT']
    expect(unqualified.filter((name) => !SYNTAX.has(name) && !syntax.includes(name))).toEqual([])
  }
})

/** Aliases with a list of columns. */
const SYNTAX = new Set(['ANY', 'm', 'u'])
