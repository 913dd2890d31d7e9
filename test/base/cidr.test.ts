import { BlockList, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressBytes, isLoopback, isWithin, parseBlock } from '../../src/base/cidr.ts'

describe('CIDR blocks', () => {
  test('an IPv4 address mapped into IPv6 is the IPv4 address', () => {
    expect(addressBytes('::ffff:10.1.2.3')).toEqual([10, 1, 2, 3])
    expect(isWithin('::ffff:127.0.0.1', ['127.0.0.0/8'])).toBe(true)
    expect(isWithin('10.1.2.3', ['::ffff:10.0.0.0/104'])).toBe(true)
  })

  test('what is not an address is inside of nothing', () => {
    for (const text of [
      '',
      '1.2.3',
      '01.2.3.4',
      '1.2.3.256',
      ':::',
      '1::2::3',
      'g::',
      '1:2:3:4:5:6:7',
      '1.2.3.4:5',
    ])
      expect({ [text]: isWithin(text, ['0.0.0.0/0', '::/0']) }).toEqual({ [text]: false })
  })

  test('a malformed block holds nothing', () => {
    for (const text of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/', '::/129', 'x/8'])
      expect({ [text]: parseBlock(text) }).toEqual({ [text]: undefined })
  })

  test('loopback is 127/8, ::1 and the name', () => {
    for (const text of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
      expect(isLoopback(text)).toBe(true)
    for (const text of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1'])
      expect(isLoopback(text)).toBe(false)
  })

  test("Node's own block list agrees", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    fc.assert(
      fc.property(address, address, fc.nat(128), (one, two, bits) => {
        const net6 = isIPv6(one)
        if (net6 !== isIPv6(two) || /\./.test(`${net6 ? one + two : ''}`)) return
        const prefix = net6 ? bits : bits % 33
        const list = new BlockList()
        list.addSubnet(one, prefix, net6 ? 'ipv6' : 'ipv4')
        expect(isWithin(two, [`${one}/${prefix}`])).toBe(list.check(two, net6 ? 'ipv6' : 'ipv4'))
      }),
      { numRuns: 500 },
    )
  })
})
