import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

const effect = (text: string) => judge(text).effect

test('transactions are followed', () => {
  expect(effect('BEGIN').transaction).toBe('begin')
  expect(effect('END').transaction).toBe('commit')
  expect(effect('ROLLBACK TO a')).toMatchObject({ transaction: 'rollback-to', dirties: true })
  expect(effect('ABORT')).toMatchObject({ transaction: 'rollback', dirties: true })
})

test('prepared statements and cursors are followed by name', () => {
  expect(effect('EXECUTE p (1)').runs).toEqual({ kind: 'prepared', name: 'p' })
  expect(effect('MOVE 1 IN c').runs).toEqual({ kind: 'cursor', name: 'c' })
  expect(effect('DEALLOCATE p').closes).toEqual({ kind: 'prepared', name: 'p' })
  expect(effect('CLOSE ALL').closes).toEqual({ kind: 'cursor', name: undefined })
  expect(effect('DISCARD ALL').discardsAll).toBe(true)
  expect(effect('EXPLAIN ANALYZE EXECUTE p').runs).toEqual({ kind: 'prepared', name: 'p' })
})

test('SET LOCAL is undone at the end of the transaction', () => {
  expect(effect('SET LOCAL search_path = app')).toMatchObject({ dirties: true, dirtiesAtEnd: true })
  expect(effect('SET search_path = app')).toMatchObject({ dirties: true, dirtiesAtEnd: false })
  expect(effect("SET LOCAL statement_timeout = '1s'")).toMatchObject({
    dirties: false,
    dirtiesAtEnd: false,
  })
})

test('an EXPLAIN runs its statement unless it says no', () => {
  for (const option of ['ANALYZE', 'ANALYZE true', 'ANALYZE 1', 'analyze on, verbose'])
    expect(classes(`EXPLAIN (${option}) DELETE FROM users`), option).toBe('read write')
})
