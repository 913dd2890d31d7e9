import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, recorded, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

test('inside a transaction begun in the same message rules know it', () => {
  const rules = `policy:
  rules:
    - { id: outside, when: '"SELECT" in sql.commands && !sql.in_transaction', then: deny }`
  expect(up(talk(rules, 'C> Query "SELECT 1"'))).toEqual([])
  expect(up(talk(rules, 'C> Query "BEGIN; SELECT 1"'))).toHaveLength(1)
  expect(up(talk(rules, 'C> Query "BEGIN" | Query "SELECT 1"'))).toHaveLength(2)
})

test('a Parse of several statements is refused', () => {
  const play = talk('C> Parse "" "SELECT 1; SELECT 2" | Sync')
  expect(down(play)[0]).toMatch(/C42601.*several statements/)
})

test('each statement of a message is recorded with its own text, not the others’', () => {
  const play = talk('C> Query "SELECT \'€\' ; SELECT 2"')
  expect(recorded(play).slice(1)).toEqual([`action allow "SELECT '€'"`, 'action allow "SELECT 2"'])
})

test('more names than a session may have are refused', () => {
  const parses = Array.from({ length: 10_001 }, (_, i) => `Parse s${i} "SELECT 1"`)
  const answers = new Array(5000).fill('ParseComplete').join(' | ')
  const play = talk(
    `C> ${parses.slice(0, 5000).join(' | ')}`,
    `U> ${answers}`,
    `C> ${parses.slice(5000, 10_000).join(' | ')}`,
    `U> ${answers}`,
    `C> ${parses.slice(10_000).join(' | ')}`,
    'U> Error 42601 "syntax error"',
  )
  expect(down(play).at(-1)).toMatch(/C53400/)
  expect(up(play).at(-1)).toContain('SLUICE REFUSED')
})

test('an unknown cursor of SQL is opaque, and so refused', () => {
  const play = talk('C> Query "MOVE ALL FROM ghost"')
  expect(down(play)[0]).toMatch(/C34000/)
})
