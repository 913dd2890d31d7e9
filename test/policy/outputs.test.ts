import { beforeAll, expect, test } from 'vitest'
import { maskedOutputs, transformText } from '../../src/policy/outputs.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { POLICY, type Setting, setting, tried } from './fixtures.ts'

let shop: Setting
beforeAll(async () => {
  await loadParser()
  shop = setting()
})

test('masked outputs are named as the client sees them', () => {
  expect(maskedOutputs(tried(shop, 'SELECT id, email AS mail, upper(ssn) FROM customers'))).toEqual(
    ['mail', 'upper'],
  )
  expect(maskedOutputs(tried(shop, 'SELECT id FROM orders'))).toEqual([])
  expect(maskedOutputs(tried(shop, 'SELECT 1; SELECT card FROM customers'))).toEqual(['card'])
})

test('a policy that only monitors masks nothing', () => {
  const monitor = setting(POLICY.replace('name: shop-guard', 'name: shop-guard\nmode: monitor'))
  expect(maskedOutputs(tried(monitor, 'SELECT email FROM customers'))).toEqual([])
})

test('transforms are said as policies say them', () => {
  expect(transformText({ type: 'redact' })).toBe('redact')
  expect(transformText({ type: 'fixed', value: 'x' })).toBe('fixed "x"')
  expect(transformText({ type: 'partial', keepFirst: 2, keepLast: 0 })).toBe(
    'partial, first 2 kept',
  )
  expect(transformText({ type: 'partial', keepFirst: 0, keepLast: 4 })).toBe('partial, last 4 kept')
  expect(transformText({ type: 'pseudonym', domain: '' })).toBe('pseudonym')
  const part = { path: ['a', 'b'], monitor: false, name: 'd', transform: { type: 'hash' } } as const
  expect(transformText({ type: 'paths', paths: [part, { ...part, path: [] }] })).toBe(
    "->'a'->'b' hash, all hash",
  )
  expect(transformText({ type: 'pseudonym', domain: 'person' })).toBe('pseudonym, domain person')
})
