import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../../src/protocols/postgres/sql/parse.ts'
import { lineage } from './shown.ts'

beforeAll(loadParser)

test('values of one type may meet, those that must be converted may not', () => {
  expect(lineage('SELECT coalesce(email, name) FROM customers').refusal).toBeUndefined()
  expect(lineage('SELECT coalesce(email, 1.5) FROM customers').refusal).toBeDefined()
  expect(lineage('SELECT coalesce(name, 1.5) FROM customers').refusal).toBeUndefined()
})

test('what no list names is refused of masked columns alone', () => {
  expect(lineage('SELECT ascii(email) FROM customers').refusal?.hint).toContain('upper')
  expect(lineage('SELECT ascii(name) FROM customers').refusal).toBeUndefined()
})
