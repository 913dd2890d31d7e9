import { expect, test } from 'vitest'
import { readPortQuery } from '../../src/replay/port-query.ts'

function read(query: string, body = '', headers = {}) {
  return readPortQuery(new URLSearchParams(query), headers, body)
}

test('the text comes from the address and from the body, as ClickHouse joins them', () => {
  expect(read('query=SELECT+1')).toEqual({ text: 'SELECT 1', format: 'TabSeparated' })
  expect(read('', 'SELECT 1')).toEqual({ text: 'SELECT 1', format: 'TabSeparated' })
  expect(read('query=SELECT+1,', '2')).toMatchObject({ text: 'SELECT 1,\n2' })
})

test('a format is the one at the end, then the header, then the default, and one of rows', () => {
  expect(read('default_format=CSV', 'SELECT 1 format json ;')).toEqual({
    text: 'SELECT 1',
    format: 'JSON',
  })
  expect(read('default_format=CSV', 'SELECT 1', { 'x-clickhouse-format': 'Native' })).toMatchObject(
    { format: 'Native' },
  )
  expect(read('default_format=CSV', 'SELECT 1')).toMatchObject({ format: 'CSV' })
  for (const wrong of ['Template', 'Prometheus', 'Nonsense', 'Parquet'])
    expect(read('', `SELECT 1 FORMAT ${wrong}`)).toEqual({
      problem: `There is no format ${wrong} here.`,
    })
})

test('a format in a text of the query is none', () => {
  expect(read('', "SELECT ' FORMAT JSON'")).toEqual({
    text: "SELECT ' FORMAT JSON'",
    format: 'TabSeparated',
  })
})

test('what is compressed, empty, too long or holds a zero byte is refused', () => {
  for (const [query, body, headers] of [
    ['decompress=1', 'x', {}],
    ['compress=1', 'SELECT 1', {}],
    ['', 'SELECT 1', { 'content-encoding': 'gzip' }],
    ['', ' FORMAT JSON', {}],
    ['', '', {}],
    ['', 'SELECT \0', {}],
    ['', 'x'.repeat(70_000), {}],
  ] as const)
    expect(read(query, body, headers)).toHaveProperty('problem')
})
