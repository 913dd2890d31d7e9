import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  parseAddress,
  parseCidr,
  parseDuration,
  parseName,
  parseSize,
} from '../../src/config/units.ts'

test('sizes have binary units', () => {
  expect(parseSize('0B')).toBe(0)
  expect(parseSize('512KiB')).toBe(512 * 1024)
  expect(parseSize('1MiB')).toBe(1_048_576)
  expect(parseSize('10GiB')).toBe(10 * 1024 ** 3)
  for (const text of ['1MB', '1', '1 MiB', '-1B', '1.5MiB', '99999999TiB', ''])
    expect(parseSize(text)).toBeUndefined()
})

test('durations have one unit', () => {
  expect(parseDuration('250ms')).toBe(250)
  expect(parseDuration('10s')).toBe(10_000)
  expect(parseDuration('1h')).toBe(3_600_000)
  expect(parseDuration('400d')).toBe(400 * 86_400_000)
  for (const text of ['10', '1h30m', 's', '-1s', '1w', '1.5h'])
    expect(parseDuration(text)).toBeUndefined()
})

describe('addresses', () => {
  test('are a host and a port, IPv6 in brackets', () => {
    expect(parseAddress('127.0.0.1:15432')).toEqual({ host: '127.0.0.1', port: 15432 })
    expect(parseAddress('[::1]:0')).toEqual({ host: '::1', port: 0 })
    expect(parseAddress('db-1.example.com:5432')).toEqual({ host: 'db-1.example.com', port: 5432 })
  })

  test('are nothing that a resolver might read in its own way', () => {
    const wrong = ['::1:5432', '127.0.0.1', '010.0.0.1:1', '1:1', 'a b:1', 'h:65536', '[x]:1', ':1']
    for (const text of wrong) expect(parseAddress(text)).toBeUndefined()
  })
})

test('blocks and names are what they claim', () => {
  expect(parseCidr('10.0.0.0/8')).toBe('10.0.0.0/8')
  expect(parseCidr('10.0.0.0/33')).toBeUndefined()
  expect(parseName('orders-2.eu')).toBe('orders-2.eu')
  for (const text of ['', 'a/b', 'a:b', '*', '-a', 'ä', 'x'.repeat(64)])
    expect(parseName(text)).toBeUndefined()
})

test('no text makes any of them throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseSize, parseDuration, parseAddress, parseCidr, parseName])
        parse(text)
    }),
  )
})
