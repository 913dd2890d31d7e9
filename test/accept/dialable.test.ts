import { expect, test } from 'vitest'
import { isDialable } from '../../src/accept/dialable.ts'

test('a name may stand for ordinary addresses, near and far', () => {
  for (const address of ['10.0.0.5', '127.0.0.1', '192.0.2.1', '::1', '2001:db8::1', 'fd12::5'])
    expect(isDialable(address), address).toBe(true)
})

test('and for none that no target can have', () => {
  for (const address of [
    ...['0.0.0.0', '169.254.169.254', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', 'fe80::1', 'fe80::1%eth0', 'ff02::1', 'fd00:ec2::254', '64:ff9b::a9fe:a9fe'],
    // Mapped into IPv6 it is the same address.
    ...['::ffff:169.254.169.254', '::ffff:0.0.0.0'],
    ...['', 'localhost', '10.0.0'],
  ])
    expect(isDialable(address), address).toBe(false)
})
