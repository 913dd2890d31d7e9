import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, recorded, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

test('the welcome comes with a key of our own, and names are asked for', () => {
  const play = talk()
  expect(play.bytes('target').toString()).toContain('current_schemas')
  const welcome = play.bytes('client').toString('latin1')
  expect([...welcome.matchAll(/R\0\0\0|K\0\0\0|Z\0\0\0/g)].map(([kind]) => kind[0])).toEqual([
    'R',
    'K',
    'Z',
  ])
})

test('what the gateway asks and sends instead of a refused message is recorded as its own', () => {
  const play = talk(
    'C> Query "BEGIN"',
    'U> CommandComplete "BEGIN" | Ready T',
    'C> Query "DROP TABLE customers"',
  )
  expect(recorded(play)).toEqual([
    'own catalogue',
    'action allow "BEGIN"',
    'outcome ok',
    'action not_allowed "DROP TABLE customers"',
    'outcome refused',
    'own replacement',
  ])
  expect(up(play).at(-1)).toMatch(/^Q "SLUICE REFUSED THE STATEMENT 01SESSION-4·"$/)
})

test('in an open segment a refusal is replaced, at rest it is not', () => {
  const atRest = talk('C> Parse "" "DROP TABLE customers"')
  expect(up(atRest)).toEqual([])
  const open = talk('C> Flush | Parse "" "SELECT 1" | Parse "" "DROP TABLE customers"')
  expect(up(open).map((frame) => frame[0])).toEqual(['H', 'P', 'P'])
})

test('actions that nobody will hear of any more are cut', () => {
  const play = talk('C> Query "SELECT 1; SELECT 2" | Query "SELECT 3"', 'C> Closed')
  expect(recorded(play).filter((line) => line === 'outcome cut')).toHaveLength(3)
})

test('a session that is over says nothing more', () => {
  const play = talk('C> Raw y "x"', 'C> Query "SELECT 1"', 'U> Ready I')
  expect(down(play)).toHaveLength(1)
  expect(up(play)).toEqual([])
})
