import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConnectionCount } from '../../src/accept/limit.ts'

test('the limit in all holds over addresses', () => {
  const count = new ConnectionCount({ connections: 2, connectionsPerAddress: 2 })
  expect(count.admit('a')).toBe('open')
  expect(count.admit('b')).toBe('open')
  expect(count.admit('c')).toBe('full')
  count.release('a')
  expect(count.admit('c')).toBe('open')
})

test('one address cannot take what others need', () => {
  const count = new ConnectionCount({ connections: 10, connectionsPerAddress: 2 })
  expect([count.admit('a'), count.admit('a'), count.admit('a')]).toEqual([
    'open',
    'open',
    'address-full',
  ])
  expect(count.admit('b')).toBe('open')
})

test('an IPv6 host has its network for as many addresses as it likes, and counts as one', () => {
  const count = new ConnectionCount({ connections: 10, connectionsPerAddress: 2 })
  const all = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1']
  expect(all.map((address) => count.admit(address))).toEqual([
    'open',
    'open',
    'address-full',
    'open',
  ])
  count.release('2001:db8::2')
  expect(count.admit('2001:db8::9')).toBe('open')
})

test('lower limits end nothing and refuse what comes next', () => {
  const count = new ConnectionCount({ connections: 5, connectionsPerAddress: 5 })
  for (let i = 0; i < 4; i++) count.admit('a')
  count.relimit({ connections: 2, connectionsPerAddress: 2 })
  expect(count.open).toBe(4)
  expect(count.admit('b')).toBe('full')
})

test('who is told later counts in all, and for no address', () => {
  const count = new ConnectionCount({ connections: 3, connectionsPerAddress: 1 })
  expect([count.admit(undefined), count.admit(undefined), count.admit('a')]).toEqual([
    'open',
    'open',
    'open',
  ])
  expect(count.admit(undefined)).toBe('full')
  count.release(undefined)
  expect([count.open, count.admit('a'), count.admit('b')]).toEqual([2, 'address-full', 'open'])
})

test('a release that nobody owes is a bug', () => {
  const count = new ConnectionCount({ connections: 1, connectionsPerAddress: 1 })
  expect(() => count.release('a')).toThrow('assertion failed')
})

test('whatever comes and goes, no limit is passed and nothing is lost', () => {
  const step = fc.record({ admit: fc.boolean(), address: fc.constantFrom('a', 'b', 'c') })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const count = new ConnectionCount({ connections: 5, connectionsPerAddress: 3 })
      const open: string[] = []
      for (const { admit, address } of steps) {
        if (admit) {
          if (count.admit(address) === 'open') open.push(address)
        } else if (open.includes(address)) {
          open.splice(open.indexOf(address), 1)
          count.release(address)
        }
        expect(count.open).toBe(open.length)
        expect(open.length).toBeLessThanOrEqual(5)
        for (const one of open)
          expect(open.filter((it) => it === one).length).toBeLessThanOrEqual(3)
      }
    }),
  )
})
