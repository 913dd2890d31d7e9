import { beforeAll, expect, test } from 'vitest'
import { NOTED } from '../../../src/protocols/postgres/record-frames.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { framesOf, shown } from '../../contract/frames.ts'
import { recordedBytes } from '../../contract/memory.ts'
import { down, MASKED, outcomes, talk } from './conversations.ts'

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
  expect(recordedBytes(play.events).length).toBeLessThan((1 << 20) + 2000)
  expect(play.bytes('client').length).toBeGreaterThan(1_400_000)
})

test('a result that is cut keeps nothing for the record while the rest of it goes', () => {
  const row = `DataRow "${'v'.repeat(30_000)}"`
  const lines = (...more: string[]) => [
    'C> Query "SELECT notes FROM customers"',
    ['U> RowDescription notes:text', ...Array<string>(60).fill(row), ...more].join(' | '),
  ]
  const parts = (play: ReturnType<typeof talk>) =>
    Buffer.concat(play.events.flatMap((one) => (one.event === 'response' ? [one.payload] : [])))
  const play = talk(...lines())
  const atRest = parts(play)
  expect(atRest.length).toBeGreaterThan((1 << 20) - 31_000)
  expect(play.bytes('client').includes(atRest)).toBe(true)
  const ended = talk(...lines('CommandComplete "SELECT 60"', 'Ready I'))
  expect(parts(ended).equals(atRest)).toBe(true)
  expect(outcomes(ended)[0]).toMatchObject({ payloadCut: true, rows: 60, payload: undefined })
})

test('a long result is recorded in parts before its bytes go, and the parts are what the client saw', () => {
  const long = 'y'.repeat(30_000)
  const row = `DataRow "${long}"`
  const play = talk(
    'C> Query "SELECT notes FROM customers"',
    `U> RowDescription notes:text | ${Array(20).fill(row).join(' | ')} | CommandComplete "SELECT 20" | Ready I`,
  )
  const parts = play.events.flatMap((one) => (one.event === 'response' ? [one.payload] : []))
  const [outcome] = outcomes(play)
  expect(outcome).toMatchObject({ payloadCut: false, rows: 20 })
  expect(play.events.map(({ event }) => event).slice(-2)).toEqual(['response', 'outcome'])
  expect(parts.length).toBeGreaterThan(5)
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(64 << 10)
  const whole = Buffer.concat([...parts, outcome!.payload!])
  expect(whole.length).toBe(outcome!.bytesDown)
  expect(play.bytes('client').includes(whole)).toBe(true)
})

test('what is masked is masked in every part', () => {
  const row = `DataRow "ada@x.org" "${'z'.repeat(40_000)}"`
  const play = talk(
    MASKED,
    'C> Query "SELECT email, name FROM customers"',
    `U> RowDescription email=customers.email:text name=customers.name:text | ${Array(10).fill(row).join(' | ')} | CommandComplete "SELECT 10" | Ready I`,
  )
  expect(play.events.filter(({ event }) => event === 'response').length).toBeGreaterThan(1)
  expect(recordedBytes(play.events)).not.toContain('ada@')
})

test('the next result begins with nothing of a long one', () => {
  const long = 'w'.repeat(70_000)
  const play = talk(
    'C> Query "SELECT notes FROM customers"',
    `U> RowDescription notes:text | DataRow "${long}" | DataRow "${long}" | CommandComplete "SELECT 2" | Ready I`,
    'C> Query "SELECT name FROM customers"',
    'U> RowDescription name=customers.name:text | DataRow "Bo" | CommandComplete "SELECT 1" | Ready I',
  )
  const [, second] = outcomes(play)
  // The ReadyForQuery between the two is recorded with the second.
  expect(second!.payload!.length).toBe(second!.bytesDown + 6)
  expect(Buffer.from(second!.payload!).includes('ww')).toBe(false)
})

test('all that was recorded of a session is what its client received after the login', () => {
  const play = talk(
    'C> Parse "s" "SELECT id, name FROM customers" | Describe S "s" | Sync',
    'U> ParseComplete | ParameterDescription | RowDescription id=customers.id:int4 name=customers.name:text | Ready I',
    'C> Bind "" "s" | Execute "" | Close S "s" | Sync',
    'U> BindComplete | DataRow "1" "Bo" | CommandComplete "SELECT 1" | CloseComplete | Ready I',
    'C> Query "DROP TABLE customers"',
    'C> Query "COPY orders FROM STDIN"',
    'U> CopyIn | Notification c "p"',
    'C> CopyFail "no"',
    'U> Error 57014 "no" | Ready I',
    'C> Query "SELECT nothing"',
    'U> Error 42703 "no column" | Ready I',
  )
  play.client.close()
  const recorded = play.events.flatMap((one) => {
    if (one.event === 'response') return [one.payload]
    return one.event === 'outcome' ? [Buffer.from(one.outcome.payload ?? [])] : []
  })
  const { frames } = framesOf(Buffer.concat(recorded))
  expect(frames.filter((one) => one[0] === NOTED)).toHaveLength(1)
  expect(frames.filter((one) => one[0] !== NOTED).map(shown)).toEqual(down(play))
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
