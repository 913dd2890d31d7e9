import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { functionText } from '../../../src/protocols/postgres/function-call.ts'
import { readFunctionCall } from '../../../src/protocols/postgres/read.ts'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

const answer = (json: string) =>
  `U> RowDescription answer:text | DataRow ${JSON.stringify(json)} | CommandComplete "SELECT 1" | Ready I`

describe('what the target says of a function', () => {
  test.each([
    '["pg_catalog", "lo_open", "more"]',
    '["pg_catalog"]',
    '["pg_catalog", 7]',
    '["pg_catalog", ""]',
    '{"a": 1}',
    '[',
    '',
  ])('is not believed when it is no name (%s)', (json) => {
    const play = talk('C> FunctionCall 952', answer(json))
    expect(up(play)).toHaveLength(1)
    expect(down(play)[0]).toMatch(/C42601/)
  })

  test('is a name and never more text', () => {
    const name = 'lo_open(1,2); DROP TABLE orders; SELECT "x'
    const play = talk('C> FunctionCall 952', answer(JSON.stringify(['pg_catalog', name])))
    expect(up(play)).toHaveLength(1)
    expect(down(play)[0]).toMatch(/C42501.*execute/)
  })
})

test('a function of the catalogue is asked for each time, one of initdb once', () => {
  const calls = (oid: number, json: string) => {
    const call = `C> FunctionCall ${oid}`
    const asks = up(talk(call, answer(json), call, answer(json)))
    return asks.filter((one) => one.includes(functionText(oid))).length
  }
  expect(calls(2624, '["pg_catalog", "pg_read_file"]')).toBe(1)
  expect(calls(20_000, '["public", "mine"]')).toBe(2)
})

test('bodies that do not add up are told from those that do', () => {
  const body = (...parts: readonly number[]) => Buffer.from([0x46, 0, 0, 0, 0, ...parts])
  const read = (bytes: Buffer) => readFunctionCall(bytes, 0, bytes.length)
  expect(read(body(0, 0, 3, 0xb8, 0, 0, 0, 0, 0, 1))).toEqual({ oid: 952, formats: [], values: [] })
  const one = [0, 0, 3, 0xb8, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 7, 0, 0]
  expect(read(body(...one))).toEqual({ oid: 952, formats: [1], values: [19, 1] })
  for (let size = 0; size < one.length; size++)
    expect(read(body(...one.slice(0, size)))).toBeUndefined()
  expect(read(body(...one, 0))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      read(Buffer.concat([body(), noise]))
    }),
  )
})
