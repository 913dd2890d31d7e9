import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostPort, networkOf, normalAddress } from '../../src/accept/address.ts'

describe('normalAddress', () => {
  test('an IPv4 client has one name on both kinds of socket', () => {
    for (const text of [
      '10.1.2.3',
      '::ffff:10.1.2.3',
      '::FFFF:0a01:0203',
      '0:0:0:0:0:ffff:a01:203',
    ])
      expect(normalAddress(text)).toBe('10.1.2.3')
  })

  test('an IPv6 address is spelt as RFC 5952 wants it, whatever came', () => {
    const spellings: Record<string, string> = {
      '2001:DB8::1': '2001:db8::1',
      '2001:0db8:0:0:0:0:0:1': '2001:db8::1',
      '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
      '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
      '10:0:0:1::': '10:0:0:1::',
      '10::20:0:0:5:6:7': '10:0:20::5:6:7',
      '::': '::',
      '::1': '::1',
      'fe80::1%eth0': 'fe80::1',
    }
    for (const [text, wanted] of Object.entries(spellings)) expect(normalAddress(text)).toBe(wanted)
  })

  test('what is not an address comes back unchanged', () => {
    for (const text of ['', 'localhost', '1.2.3', '1.2.3.256', '01.2.3.4', ':::', '1::2::3'])
      expect(normalAddress(text)).toBe(text)
  })

  test('any IPv6 address stays the same address and has one spelling', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0, 0, 1, 16, 0xffff), { minLength: 8, maxLength: 8 }),
        (groups) => {
          const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':')
          const once = normalAddress(long)
          expect(isIP(once)).not.toBe(0)
          expect(normalAddress(once)).toBe(once)
          // The URL parser is another implementation of RFC 5952 (but for mapped addresses).
          if (isIP(once) === 6) expect(new URL(`http://[${long}]`).hostname).toBe(`[${once}]`)
        },
      ),
    )
  })
})

test('who counts as one: an IPv4 address, and of IPv6 the network that one host has', () => {
  expect(networkOf('192.0.2.7')).toBe('192.0.2.7')
  expect(networkOf('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe('2001:db8:1:2::/64')
  expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'))
  expect(networkOf('::1')).toBe('::/64')
  expect(networkOf('no address')).toBe('no address')
})

test('hostPort puts IPv6 in brackets', () => {
  expect(hostPort('127.0.0.1', 5432)).toBe('127.0.0.1:5432')
  expect(hostPort('::1', 5432)).toBe('[::1]:5432')
})
