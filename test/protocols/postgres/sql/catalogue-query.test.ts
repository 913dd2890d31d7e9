import { expect, test } from 'vitest'
import { chosenText, lookText } from '../../../../src/protocols/postgres/sql/catalogue-look.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
} from '../../../../src/protocols/postgres/sql/catalogue-query.ts'

const EVERYTHING = { relations: [1], routines: [1], types: [1], operators: true, casts: true }

test('no text holds a backslash, or an operator or function that a search_path could replace', () => {
  for (const text of [
    CATALOGUE_TEXT,
    IDLE_NAMES_TEXT,
    NAMES_TEXT,
    lookText(undefined),
    chosenText(EVERYTHING),
  ]) {
    const words = text.replaceAll(/'[^']*'/g, "''").replaceAll(/OPERATOR\(pg_catalog\.[^)]+\)/g, '')
    expect(words).not.toMatch(/\\|[=<>+/!~]|\|\|/)
    const called = [...words.matchAll(/([\w.]+)\(/g)].map((found) => found[1]!)
    const unqualified = called.filter((name) => !name.includes('.'))
    expect(unqualified.filter((name) => !SYNTAX.has(name))).toEqual([])
  }
})

/** Words of SQL, and aliases with a list of columns. */
const SYNTAX = new Set(
  'ALL AND ANY ARRAY AS COALESCE EXISTS FILTER FROM JOIN NOT SELECT WHERE m u'.split(' '),
)
