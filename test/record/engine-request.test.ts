import { describe, expect, test } from 'vitest'
import {
  bodyIsData,
  engineFailure,
  engineRequest,
  insertFrom,
  isDying,
  isPattern,
  literal,
} from '../../src/record/engine-request.ts'

const ask = (url: string, body = '') => engineRequest(new URLSearchParams(url), body)

describe('a request', () => {
  test('with the query in its body', () => {
    expect(ask('query_id=1&database=default', 'SELECT 1 FORMAT JSON')).toEqual({
      before: [],
      sql: 'SELECT 1 FORMAT JSON',
      bodyFormat: undefined,
      format: 'TabSeparated',
      readonly: false,
    })
  })

  test('with parameters and settings, which are set before, readonly last', () => {
    const asked = ask("readonly=1&param_x=a'b\\&max_threads=2&database=sluice", 'SELECT {x:String}')
    expect(asked).toMatchObject({
      before: [
        'USE `sluice`',
        "SET param_x = 'a\\'b\\\\'",
        "SET max_threads = '2'",
        'SET readonly = 1',
      ],
      readonly: true,
    })
  })

  test('with a limit of its time, in seconds', () => {
    expect(ask('readonly=1&max_execution_time=10', 'SELECT 1')).toMatchObject({
      before: ["SET max_execution_time = '10'", 'SET readonly = 1'],
      timeMsMax: 10_000,
    })
    expect(ask('max_execution_time=0', 'SELECT 1')).toMatchObject({ timeMsMax: undefined })
    expect(ask('readonly=1', 'SELECT 1')).toMatchObject({ timeMsMax: undefined })
  })

  test('with data in its body', () => {
    const url = `query=${encodeURIComponent('INSERT INTO t (a, b)\n FORMAT MsgPack')}`
    expect(bodyIsData(new URLSearchParams(url))).toBe(true)
    expect(ask(url)).toMatchObject({ sql: 'INSERT INTO t (a, b)', bodyFormat: 'MsgPack' })
  })

  test('with a query in the URL and more of it in the body', () => {
    expect(ask('query=SELECT', '1')).toMatchObject({ sql: 'SELECT\n1', bodyFormat: undefined })
    expect(bodyIsData(new URLSearchParams('query=SELECT 1 FORMAT CSV'))).toBe(false)
  })

  test('is refused where a setting has no name, or there is no query', () => {
    expect(ask('a%20%3D1=2', 'SELECT 1')).toContain('not the name of a setting')
    expect(ask('', '  ')).toBe('empty query')
  })
})

test('a literal ends where it should', () => {
  expect(literal("a'b\\c\0")).toBe("'a\\'b\\\\c\\0'")
})

test('data is read from a file, as it stands or as something is selected from it', () => {
  const of = (sql: string) =>
    insertFrom(
      {
        before: [],
        sql,
        bodyFormat: 'MsgPack',
        format: '',
        readonly: false,
        timeMsMax: undefined,
      },
      "'f'",
    )
  expect(of('INSERT INTO t (a)')).toBe("INSERT INTO t (a) FROM INFILE 'f' FORMAT MsgPack")
  expect(of("INSERT INTO t (a) SELECT x FROM input('x DateTime64(6, \\'UTC\\')')")).toBe(
    "INSERT INTO t (a) SELECT x FROM file('f', 'MsgPack', 'x DateTime64(6, \\'UTC\\')')",
  )
})

test('a path that the engine would take for several, or for an archive, is known', () => {
  for (const path of ['/a{b,c}/d', '/a{1..3}', '/a*', '/a?b', '/x.zip :: y', '/a::b'])
    expect(isPattern(path)).toBe(true)
  for (const path of ['/a b', "/it's", '/a[1]', '/C:/x', '/a\\b'])
    expect(isPattern(path)).toBe(false)
})

test('an engine that has failed inside is known by its code and what it says, not by what a query says', () => {
  const words = 'The server is shutting down due to a fatal error'
  const dying = (message: string, code?: number) => isDying(engineFailure(message, code))
  expect(dying(`${words}.`, 236)).toBe(true)
  expect(dying(`Query failed: Code: 236. DB::Exception: ${words}. (ABORTED)`)).toBe(true)
  expect(dying(`${words}: while executing throwIf`, 395)).toBe(false)
  expect(dying(`Code: 395. DB::Exception: ${words} Code: 236.`)).toBe(false)
  expect(dying(`${words}.`)).toBe(false)
  expect(dying(`Aborted: ${words}`, 236)).toBe(false)
})

describe('a failure', () => {
  test('carries the number of the exception, given or found in the text', () => {
    const text = 'Code: 47. DB::Exception: Unknown identifier (UNKNOWN_IDENTIFIER)'
    expect(engineFailure(`Query failed: ${text}`, undefined)).toEqual({
      status: 404,
      code: 47,
      text,
    })
    expect(engineFailure('x', 241)).toEqual({
      status: 500,
      code: 241,
      text: 'Code: 241. DB::Exception: x (UNKNOWN)',
    })
    expect(engineFailure('Code: 62. DB::Exception: Syntax', 62).status).toBe(400)
  })
})
