import { describe, expect, test } from 'vitest'
import { covers, isMember, memberFault, scopeFault } from '../../src/decide/member.ts'
import { AGENT, config } from './fixtures.ts'

const alice = {
  ...AGENT,
  kind: 'human',
  issuer: 'okta',
  subject: 'alice',
  groups: ['dba'],
} as const
const runner = { ...AGENT, issuer: 'github', subject: 'repo:org/x:ref' }

describe('members', () => {
  test('are named by kind, issuer and subject', () => {
    expect(isMember('human:okta:alice', alice)).toBe(true)
    expect(isMember('workload:okta:alice', alice)).toBe(false)
    expect(isMember('human:google:alice', alice)).toBe(false)
    expect(isMember('workload:github:repo:org/*', runner)).toBe(true)
  })

  test('a star in the issuer does not reach into the subject', () => {
    expect(isMember('workload:*:ref', runner)).toBe(false)
    expect(isMember('workload:*:*', runner)).toBe(true)
  })

  test('subject: speaks of gateway tokens alone', () => {
    expect(isMember('subject:ci', AGENT)).toBe(true)
    expect(isMember('subject:*', AGENT)).toBe(true)
    expect(isMember('subject:alice', alice)).toBe(false)
  })

  test('groups count whoever issued them', () => {
    expect(isMember('group:dba', alice)).toBe(true)
    expect(isMember('group:d*', alice)).toBe(true)
    expect(isMember('group:dba', AGENT)).toBe(false)
  })

  test('what is no pattern makes nobody a member', () => {
    for (const pattern of ['', '*', 'human', 'human:okta', 'group:', 'robot:a:b', 'human::alice']) {
      expect(memberFault(pattern)).toBeDefined()
      expect(isMember(pattern, alice)).toBe(false)
    }
    expect(memberFault('human:okta:*')).toBeUndefined()
  })
})

describe('connections', () => {
  const orders = config().connections.get('orders')!
  test('are named, labelled, or all', () => {
    expect(covers(['orders'], orders)).toBe(true)
    expect(covers(['lab', 'label:env=prod'], orders)).toBe(true)
    expect(covers(['*'], orders)).toBe(true)
    expect(covers(['label:env=dev', 'order', 'label:constructor='], orders)).toBe(false)
    expect(covers([], orders)).toBe(false)
  })

  test('take no star inside a name', () => {
    for (const pattern of ['ord*', 'label:env', 'label:env=*', 'label:=x', 'a/b', ''])
      expect(scopeFault(pattern)).toBeDefined()
    for (const pattern of ['*', 'orders', 'label:env=prod'])
      expect(scopeFault(pattern)).toBeUndefined()
  })
})
