import { beforeAll, expect, test } from 'vitest'
import { loadParser, parse } from '../../../../src/protocols/postgres/sql/parse.ts'

beforeAll(loadParser)

test('a text gives its statements, and an empty one none', () => {
  expect(parse('select 1; select 2')).toMatchObject({ statements: [{}, {}] })
  for (const text of ['', ' ', ';;', '-- nothing', '/* /* nested */ */'])
    expect(parse(text)).toEqual({ statements: [] })
})

test('a syntax error carries the message and the 1-based position in characters', () => {
  expect(parse('select é from t wherex 1')).toEqual({
    reason: 'syntax error at or near "1"',
    position: 24,
  })
  expect(parse('selec 1')).toEqual({ reason: 'syntax error at or near "selec"', position: 1 })
})

test('a zero byte is not understood: the target would stop reading there', () => {
  expect(parse('select 1\u0000; drop table t')).toHaveProperty('reason')
})

test('texts that overflow the parser are refused and harm nobody after them', async () => {
  const deep = `select 1${'+1'.repeat(60_000)}`
  for (let round = 0; round < 20; round++) {
    expect(parse(deep)).toHaveProperty('reason')
    await new Promise((resolve) => setTimeout(resolve, 5))
    await loadParser()
    expect(parse('select 1')).toMatchObject({ statements: [{}] })
  }
})

test('the tree holds names and values as the target will read them', () => {
  const escaped = JSON.stringify(parse(`select U&"\\0064rop", e'\\x41', $a$b$a$, "Select"`))
  for (const one of ['"drop"', '"A"', '"b"', '"Select"']) expect(escaped).toContain(one)
})
