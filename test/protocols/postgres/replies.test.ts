import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, recorded, talk } from './conversations.ts'

beforeAll(() => loadParser())

describe('answers that do not fit what is owed end the session', () => {
  test.each([
    'ParseComplete',
    'BindComplete',
    'CloseComplete',
    'NoData',
    'ParameterDescription',
    'PortalSuspended | PortalSuspended | Ready I | CommandComplete "x"',
    'CopyIn 0',
    'CopyOut 0',
    'CopyData "x"',
    'CopyDone',
    'DataRow "x"',
    'Ready X',
    'Raw Z "II"',
    'Raw T "\\x00\\x09"',
    'Raw E "no end"',
    'Raw C "no end"',
    'Raw R "\\x00\\x00\\x00\\x00"',
    'Raw K "12345678"',
    'Raw W "\\x00\\x00\\x00"',
    'Raw V "x"',
  ])('%s', (frames) => {
    const play = talk('C> Query "SELECT 1"', `U> ${frames}`)
    expect(down(play).at(-1)).toMatch(/^E .*VFATAL·C08P01/)
    expect(play.client.isEnded && play.target.isEnded).toBe(true)
    expect(play.warnings).toEqual([])
  })
})

test('a parameter that says how texts are read makes names unknown', () => {
  const play = talk(
    'U> ParameterStatus client_encoding "SJIS"',
    'names: {"client": "SJIS"}',
    'C> Query "SELECT \'é\'"',
    'C> Query "SELECT 1"',
  )
  expect(down(play)[1]).toMatch(/^E .*C42601.*another encoding/)
  expect(recorded(play).filter((line) => line === 'own catalogue')).toHaveLength(2)
})

test('an error behind the last words of a target is passed on, and a second one too', () => {
  const play = talk('U> Fatal 57P01 "one" | Fatal 57P01 "two"', 'U> Closed')
  expect(down(play).map((frame) => /M(\w+)/.exec(frame)?.[1])).toEqual(['one', 'two'])
})

test('the catalogue is compared with the target’s when this session changed it', () => {
  const play = talk(
    'allow: read write schema',
    'C> Query "CREATE TABLE t (a int)"',
    'U> CommandComplete "CREATE TABLE" | Ready I',
    'C> Query "SELECT 1"',
  )
  // At the start, and by one look before what follows.
  expect(recorded(play).filter((line) => line === 'own catalogue')).toHaveLength(2)
})
