import { expect, test } from 'vitest'
import {
  BOUND,
  changesNames,
  judgeParameter,
} from '../../../../src/protocols/postgres/sql/parameters.ts'

const CONTEXT = { identityParameter: 'sluice.subject' }
const judgement = (name: string, value: string | undefined | null | typeof BOUND) =>
  judgeParameter(name, value, CONTEXT)

test('harmless parameters are so in any case of letters', () => {
  for (const [name, value] of [
    ['application_name', 'x'],
    ['DateStyle', 'ISO'],
    ['TimeZone', 'UTC'],
    ['Statement_Timeout', '0'],
    ['enable_seqscan', 'off'],
    ['client_encoding', 'UTF-8'],
    ['client_encoding', 'unicode'],
    ['standard_conforming_strings', 'ON'],
    ['row_security', 'off'],
    ['client_min_messages', 'warning'],
    ['search_path', 'a, b'],
  ] as const)
    expect(judgement(name, value), name).toBe('harmless')
})

test('the same parameters with another value, and all others, are administration', () => {
  for (const [name, value] of [
    ['client_encoding', 'LATIN1'],
    ['client_encoding', 'SQL_ASCII'],
    ['standard_conforming_strings', 'off'],
    ['row_security', 'on'],
    ['client_min_messages', 'debug1'],
    ['session_replication_role', 'replica'],
    ['role', 'x'],
    ['work_mem', '1TB'],
    ['app.user', 'x'],
    ['enable_', 'x'],
  ] as const)
    expect(judgement(name, value), name).toBe('admin')
})

test('a value that is not known yet is not harmless', () => {
  expect(judgement('search_path', null)).toBe('admin')
  expect(judgement('application_name', null)).toBe('admin')
})

test('a value of the client that comes at Bind is harmless where any value is and names stay', () => {
  for (const name of ['jit', 'application_name', 'enable_sort', 'Lock_Timeout'])
    expect(judgement(name, BOUND), name).toBe('harmless')
  for (const name of ['search_path', 'client_encoding', 'row_security', 'role', 'work_mem'])
    expect(judgement(name, BOUND), name).toBe('admin')
  expect(judgement('sluice.subject', BOUND)).toBe('refused')
})

test('what hands identity to the target is refused, its reset is not', () => {
  expect(judgement('SLUICE.Subject', 'x')).toBe('refused')
  expect(judgement('sluice.subject', null)).toBe('refused')
  expect(judgement('sluice.subject', undefined)).toBe('harmless')
})

test('who one is cannot be changed at the start', () => {
  for (const name of [
    'role',
    'session_authorization',
    'session_preload_libraries',
    'local_preload_libraries',
  ])
    expect(judgeParameter(name, 'x', { ...CONTEXT, startup: true })).toBe('refused')
})

test('only some parameters change what names mean', () => {
  expect(changesNames('SEARCH_PATH')).toBe(true)
  expect(changesNames('role')).toBe(true)
  expect(changesNames('application_name')).toBe(false)
})
