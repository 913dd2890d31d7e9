import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, MASKED, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

const BEGUN = ['C> Query "BEGIN"', 'U> CommandComplete "BEGIN" | Ready T']

test('a cursor WITH HOLD lives on, others end with their transaction', () => {
  const declare = (hold: string) => [
    ...BEGUN,
    `C> Query "DECLARE c CURSOR ${hold} FOR SELECT id FROM orders"`,
    'U> CommandComplete "DECLARE CURSOR" | Ready T',
    'C> Query "COMMIT"',
    'U> CommandComplete "COMMIT" | Ready I',
    'C> Query "FETCH 1 FROM c"',
  ]
  expect(up(talk(...declare('WITH HOLD'))).at(-1)).toContain('FETCH')
  expect(down(talk(...declare(''))).at(-2)).toMatch(/C34000/)
})

test('a cursor whose DECLARE failed means what it meant before', () => {
  const play = talk(
    ...BEGUN,
    'C> Query "DECLARE c CURSOR FOR SELECT id FROM orders"',
    'U> Error 42P03 "cursor already exists" | Ready E',
    'C> Query "FETCH 1 FROM c"',
  )
  expect(down(play).at(-2)).toMatch(/C34000.*cursor/)
})

test('a portal of other names is refused when a new policy comes with masks', () => {
  const lines = (reload: string[]) => [
    ...BEGUN,
    'C> Parse s "SELECT id FROM orders" | Bind p s | Sync',
    'U> ParseComplete | BindComplete | Ready T',
    'C> Query "SET search_path = other"',
    'names: {"path": ["pg_catalog", "other"]}',
    'U> CommandComplete "SET" | Ready T',
    ...reload,
    'C> Execute p | Sync',
  ]
  const masks = MASKED.replace('policy:', 'reload:')
  expect(up(talk(...lines([]))).at(-2)).toMatch(/^E "p/)
  expect(up(talk(...lines([masks]))).at(-2)).toContain('SLUICE REFUSED')
})

test('a prepared statement of SQL is bound by the protocol, and the other way round', () => {
  const play = talk(
    'C> Query "PREPARE s AS SELECT id FROM orders"',
    'U> CommandComplete "PREPARE" | Ready I',
    'C> Bind "" s | Execute "" | Sync | Parse t "SELECT 1" | Sync | Query "EXECUTE t"',
    'U> BindComplete | CommandComplete "SELECT 0" | Ready I | ParseComplete | Ready I',
  )
  expect(up(play).at(-1)).toContain('EXECUTE t')
  expect(down(play).some((frame) => frame.startsWith('E'))).toBe(false)
})
