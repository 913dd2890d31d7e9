import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { outcomes, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

const HEAD = ['allow: read admin', 'replication: database']

test('a command waits for what is owed before it', () => {
  const begun = [...HEAD, 'C> Query "SELECT 1" | Query "IDENTIFY_SYSTEM"']
  expect(up(talk(...begun))).toHaveLength(1)
  const row = 'RowDescription a:int4 | DataRow "1" | CommandComplete "SELECT 1" | Ready I'
  expect(up(talk(...begun, `U> ${row}`))).toHaveLength(2)
})

test('what a stream sends is counted and recorded, and cut when the session ends', () => {
  const stream = [
    'C> Query "START_REPLICATION SLOT s LOGICAL 0/0"',
    'U> CopyBoth | CopyData "first" | CopyData "second"',
  ]
  const play = talk(...HEAD, ...stream, 'C> Closed')
  const [outcome] = outcomes(play)
  expect(outcome).toMatchObject({ status: 'cut', rows: 2, bytesDown: 21 })
  expect(Buffer.from(outcome!.payload!).toString('latin1')).toContain('second')
})

test('data of the client goes up only while a stream is open', () => {
  const asked = 'C> Query "START_REPLICATION SLOT s LOGICAL 0/0"'
  const early = talk(...HEAD, asked, 'C> CopyData "x"')
  expect([up(early).length, early.client.isPaused]).toEqual([1, false])
  const much = talk(...HEAD, asked, `C> CopyData "${'x'.repeat(64 << 10)}"`)
  expect([up(much).length, much.client.isPaused]).toEqual([1, true])
  const over = talk(...HEAD, asked, 'U> CopyBoth', 'C> CopyDone', 'C> CopyData "late"')
  expect(up(over)).toHaveLength(2)
})
