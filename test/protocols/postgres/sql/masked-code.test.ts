import { beforeAll, expect, test } from 'vitest'
import {
  CARRIER_FUNCTIONS,
  codeRefusal,
} from '../../../../src/protocols/postgres/sql/masked-code.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { one } from './sample.ts'

beforeAll(loadParser)

test('classes that the gateway cannot see into are refused, whatever the text', () => {
  expect(codeRefusal(one('SELECT 1'), ['read', 'execute'])).toBeDefined()
  expect(codeRefusal(one('SELECT 1'), ['opaque'])).toBeDefined()
  expect(codeRefusal(one('SELECT 1'), ['read', 'write', 'schema'])).toBeUndefined()
})

test('a function that reads past relations is refused wherever it stands', () => {
  const hidden = one("SELECT 1 FROM t WHERE x = (SELECT pg_read_file('x'))")
  expect(codeRefusal(hidden, ['read'])?.reason).toContain('pg_read_file')
})

test.each([
  'SELECT (NULL::int4).pg_stat_get_activity',
  'SELECT (a.pid).pg_stat_get_backend_activity FROM a',
  'SELECT a.pg_read_file FROM a',
])('so is one in attribute notation: %s', (text) => {
  expect(codeRefusal(one(text), ['read'])).toBeDefined()
  expect(codeRefusal(one('SELECT a.size, (a).name, pg_read_file FROM a'), ['read'])).toBeUndefined()
})

test('what carries values away is known by name', () => {
  for (const name of ['set_config', 'setval', 'pg_notify', 'pg_try_advisory_lock', 'lo_put'])
    expect(CARRIER_FUNCTIONS.test(name)).toBe(true)
  expect(CARRIER_FUNCTIONS.test('lower')).toBe(false)
})
