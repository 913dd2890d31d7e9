import { expect, test } from 'vitest'
import { isDialable } from '../../src/accept/dialable.ts'

test('a name may stand for ordinary addresses, near and far', () => {
  for (const address of [
    ...['10.0.0.5', '127.0.0.1', '192.0.2.1', '100.64.0.9', '168.63.129.15', '192.168.1.1'],
    ...['::1', '2001:db8::1', 'fd12::5', '::ffff:10.0.0.5'],
    // Translated, and still an ordinary one.
    ...['64:ff9b::a00:5', '64:ff9b:1::a00:5', '2002:a00:5::1', '2001:db8::5efe:a00:5'],
  ])
    expect([address, isDialable(address)]).toEqual([address, true])
})

test('and for none that no target can have', () => {
  for (const address of [
    ...['0.0.0.0', '169.254.169.254', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', 'fe80::1', 'fe80::1%eth0', 'ff02::1'],
    ...['', 'localhost', '10.0.0', '0x7f.1', '2130706433', '169.254.169.254:80'],
  ])
    expect([address, isDialable(address)]).toEqual([address, false])
})

test('nor for one where a cloud keeps the credentials of machines', () => {
  for (const address of [
    ...['169.254.170.2', '169.254.0.23', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:42::42', 'fd00:a9fe:a9fe::1'],
  ])
    expect([address, isDialable(address)]).toEqual([address, false])
})

test('in whatever form of IPv6 an IPv4 address comes', () => {
  const four = ['169.254.169.254', '100.100.100.200', '168.63.129.16', '0.0.0.0', '240.0.0.1']
  for (const one of four) {
    const [a = 0, b = 0, c = 0, d = 0] = one.split('.').map(Number)
    const hex = (high: number, low: number) => ((high << 8) | low).toString(16)
    const [ab, cd] = [hex(a, b), hex(c, d)]
    const turned = `${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`
    for (const address of [
      ...[`::ffff:${one}`, `::ffff:${ab}:${cd}`, `::${one}`, `::ffff:0:${ab}:${cd}`],
      // NAT64 for all, and of a network's own by prefixes of 48, 56, 64 and 96 bits.
      ...[`64:ff9b::${one}`, `64:ff9b::${ab}:${cd}`],
      ...(a === 0
        ? []
        : [
            `64:ff9b:1:${ab}:${hex(0, c)}:${hex(d, 0)}:0:0`,
            `64:ff9b:1:${hex(0, a)}:${hex(0, b)}:${cd}:0:0`,
            `64:ff9b:1:0:${hex(0, a)}:${hex(b, c)}:${hex(d, 0)}:0`,
            `64:ff9b:1::${ab}:${cd}`,
          ]),
      ...[`2002:${ab}:${cd}::1`, `2001:0:${ab}:${cd}::1`, `2001:0:a00:5:0:0:${turned}`],
      ...[`2001:db8::5efe:${ab}:${cd}`, `2001:db8::200:5efe:${ab}:${cd}`],
    ])
      expect([address, isDialable(address)]).toEqual([address, false])
  }
})
