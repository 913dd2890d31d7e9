import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { recordedBytes } from '../../contract/memory.ts'
import { MASKED, outcomes, talk } from './conversations.ts'

beforeAll(() => loadParser())

const ROWS =
  'U> RowDescription id=customers.id:int4 email=customers.email:text | DataRow "1" "ada@x.org" | DataRow "2" null | CommandComplete "SELECT 2" | Ready I'

test('an outcome tells rows and holds the frames that the client saw', () => {
  const play = talk('C> Query "SELECT id, email FROM customers"', ROWS)
  const [outcome] = outcomes(play)
  expect(outcome).toMatchObject({ status: 'ok', error: '', rows: 2, payloadCut: false })
  const seen = play.bytes('client').toString('latin1')
  expect(seen).toContain(Buffer.from(outcome!.payload!).toString('latin1'))
  expect(outcome!.bytesDown).toBe(outcome!.payload!.length)
})

test('of a masked result the record tells what was hidden, and holds nothing of it', () => {
  const play = talk(MASKED, 'C> Query "SELECT id, email FROM customers"', ROWS)
  const [outcome] = outcomes(play)
  expect(Object.fromEntries(outcome!.masked!)).toEqual({ 'public.customers.email': 1 })
  expect(recordedBytes(play.events)).not.toContain('ada@')
})

test('a result over the limit is cut in the record, and only there', () => {
  const long = 'x'.repeat(700_000)
  const play = talk(
    'C> Query "SELECT notes FROM customers"',
    `U> RowDescription notes:text | DataRow "${long}" | DataRow "${long}" | CommandComplete "SELECT 2" | Ready I`,
  )
  const [outcome] = outcomes(play)
  expect(outcome).toMatchObject({ payloadCut: true, rows: 2 })
  expect(outcome!.payload!.length).toBeLessThanOrEqual(1 << 20)
  expect(play.bytes('client').length).toBeGreaterThan(1_400_000)
})

test('rows that a tag counts are recorded where none were sent', () => {
  const play = talk(
    'C> Query "DELETE FROM orders WHERE id = 1"',
    'U> CommandComplete "DELETE 7" | Ready I',
  )
  expect(outcomes(play)[0]).toMatchObject({ rows: 7 })
})

test('parameters are recorded, hidden where the statement meets a mask, and cut', () => {
  const params = (line: string, ...more: string[]) => {
    const play = talk(...more, line)
    const action = play.events.find((one) => one.event === 'action')
    return action?.event === 'action' ? action.params : undefined
  }
  const bind =
    'C> Parse "" "SELECT name FROM customers WHERE email = $1" | Bind "" "" "ada" | Execute ""'
  expect(params(bind)).toEqual(['ada'])
  expect(params(bind, MASKED.replace('redact', 'redact, in_predicates: allow'))).toEqual(['****'])
  const long = `C> Parse "" "SELECT $1::text" | Bind "" "" "${'x'.repeat(3000)}" | Execute ""`
  expect(params(long)![0]!.length).toBeLessThan(1100)
})
