import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { referenced } from '../../../src/protocols/postgres/unique-violation.ts'
import { down, outcomes, recorded, talk } from './conversations.ts'

beforeAll(() => loadParser())

const MASKED_KEY = `policy:
  masks:
    - { columns: [public.customers.id], with: redact }`
const INSERT = 'allow: read write\nC> Query "INSERT INTO customers (id, name) VALUES (7, \'x\')"'

function violated(policy: string, table: string, code = '23505') {
  const error = `Error ${code} "duplicate key value" ${table} D "Key (id)=(7) already exists."`
  const play = talk(policy, ...INSERT.split('\n'), `U> ${error} | Ready I`)
  const [outcome] = outcomes(play)
  return {
    moments: recorded(play).filter((line) => line.includes('masked_unique_violation')),
    masked: Object.fromEntries(outcome?.masked ?? []),
    signals: play.signals,
    shown: down(play).join(),
  }
}

const NAME = 'public.customers.id (unique violation)'

test('on a masked column it counts, is recorded and raises a signal', () => {
  const found = violated(MASKED_KEY, 's public t customers n customers_pkey')
  expect(found.moments).toHaveLength(1)
  expect(found.masked).toMatchObject({ [NAME]: 1 })
  expect(found.signals).toEqual(['masked_unique_violation'])
  expect(found.shown).not.toContain('(7)')
})

test('an exclusion constraint is one, whatever its columns', () => {
  const policy = MASKED_KEY.replace('.id', '.email')
  expect(violated(policy, 's public t customers', '23P01').signals).toHaveLength(1)
})

test('a table that is not named, or not known, may be any', () => {
  expect(violated(MASKED_KEY, '').signals).toHaveLength(1)
  expect(violated(MASKED_KEY, 's public t nosuch').signals).toHaveLength(1)
})

test('a change that waits for a deferred check is one, because it is found before that check', () => {
  const found = violated(MASKED_KEY, '', '55006')
  expect(found.signals).toEqual(['masked_unique_violation'])
  expect(found.masked).toMatchObject({ 'of an unknown table (deferred check)': 1 })
  expect(found.moments).toHaveLength(1)
  expect(violated('policy: {}', '', '55006').signals).toEqual([])
})

test('a foreign key onto a masked key answers the same question', () => {
  const customers = { oid: 7, uniqueKeys: [[1]], referencedBy: [8] }
  const catalogue = { relation: (oid: number) => (oid === 7 ? (customers as never) : undefined) }
  const masked = (column: number, monitor = false) =>
    new Map([[7, new Map([[column, { monitor, name: 'public.customers.id' } as never]])]])
  expect(referenced(catalogue, masked(1), 8)).toBe('public.customers.id')
  expect(referenced(catalogue, masked(1), undefined)).toBe('public.customers.id')
  expect(referenced(catalogue, masked(1), 9)).toBeUndefined()
  expect(referenced(catalogue, masked(2), 8)).toBeUndefined()
  expect(referenced(catalogue, masked(1, true), 8)).toBeUndefined()
})

test('other keys, other errors, and masks that only monitor raise none', () => {
  const table = 's public t customers'
  expect(violated(MASKED_KEY.replace('.id', '.email'), table).signals).toEqual([])
  expect(violated(MASKED_KEY, 's public t orders').signals).toEqual([])
  expect(violated(MASKED_KEY, table, '23503').signals).toEqual([])
  expect(
    violated(MASKED_KEY.replace('policy:', 'policy:\n  mode: monitor'), table).signals,
  ).toEqual([])
  expect(violated('policy: {}', table).signals).toEqual([])
})
