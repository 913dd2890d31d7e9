import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Config, RoleConfig } from '../../src/config/shape.ts'
import { CLASSES } from '../../src/decide/action.ts'
import { admit, apiRoles, type Grant, rolesOf } from '../../src/decide/grant.ts'
import type { Identity } from '../../src/identify/identity.ts'
import { AGENT, config } from './fixtures.ts'

const orders = { connection: 'orders', database: undefined }

describe('a grant', () => {
  test('has the connection, its default database, and what the roles allow', () => {
    const grant = admit(config(), AGENT, orders)
    expect(grant).toMatchObject({ database: 'orders', roles: ['agents'] })
    expect([...(grant?.allow ?? [])]).toEqual(['read', 'write'])
    expect(admit(config(), AGENT, { ...orders, database: 'archive' })?.database).toBe('archive')
    expect(admit(config(), AGENT, { connection: 'lab', database: undefined })).toBeDefined()
  })

  test('is refused alike for unknown connections, other databases, and strangers', () => {
    expect(admit(config(), AGENT, { connection: 'nowhere', database: undefined })).toBeUndefined()
    expect(admit(config(), AGENT, { connection: 'orders', database: 'postgres' })).toBeUndefined()
    expect(admit(config(), AGENT, { connection: 'orders', database: '' })).toBeUndefined()
    expect(admit(config(), { ...AGENT, issuer: 'github' }, orders)).toBeUndefined()
  })

  test('takes the same steps whatever it is refused for', () => {
    const steps = (identity: Identity, connection: string, database?: string) => {
      let taken = 0
      const watched = [...config().roles].map(([name, role]) => {
        const connections = new Proxy(role.connections, {
          get: (all, key) => {
            taken += key === 'some' ? 1 : 0
            return Reflect.get(all, key) as unknown
          },
        })
        return [name, { ...role, connections }] as const
      })
      const roles = new Map(watched)
      const asked = { connection, database }
      expect(admit({ ...config(), roles }, identity, asked)).toBeUndefined()
      return taken
    }
    const narrow = { ...AGENT, connectionsOnly: ['lab'] }
    const refused = [
      steps(narrow, 'orders'),
      steps(AGENT, 'nowhere'),
      steps(AGENT, 'orders', 'postgres'),
    ]
    expect(refused[0]).toBeGreaterThan(0)
    expect(new Set(refused).size).toBe(1)
  })

  test('adds up over roles, and a class counts only where its role grants the connection', () => {
    const both = { ...AGENT, groups: ['dba'] }
    expect(admit(config(), both, orders)?.roles).toEqual(['agents', 'dba'])
    expect(admit(config(), both, orders)?.allow.has('admin')).toBe(true)
    expect(admit(config(), { ...both, rolesOnly: ['agents'] }, orders)?.allow.has('admin')).toBe(
      false,
    )
  })

  test('logs in by the first credential whose role it holds, else by that of all', () => {
    const one = (user: string) => ({ user, password: undefined, auth: ['trust'] as const })
    const known = config().connections.get('orders')!
    const credentials = new Map([
      ['dba', one('dba')],
      ['agents', one('ro')],
    ])
    const connections = new Map([['orders', { ...known, credentials }]])
    const loginOf = (identity: Partial<Identity>) => {
      const found = admit({ ...config(), connections }, { ...AGENT, ...identity }, orders)
      return [found?.credentialRole, found?.credential.user]
    }
    expect(loginOf({})).toEqual(['agents', 'ro'])
    expect(loginOf({ groups: ['dba'] })).toEqual(['dba', 'dba'])
    expect(loginOf({ groups: ['dba'], rolesOnly: ['agents'] })).toEqual(['agents', 'ro'])
    expect(loginOf({ issuer: 'x', groups: ['blind'] })).toEqual(['', 'app'])
  })

  test('is narrowed by the token and never widened', () => {
    expect(admit(config(), { ...AGENT, rolesOnly: ['dba'] }, orders)).toBeUndefined()
    expect(admit(config(), { ...AGENT, rolesOnly: [] }, orders)).toBeUndefined()
    expect(admit(config(), { ...AGENT, connectionsOnly: ['lab'] }, orders)).toBeUndefined()
    expect(admit(config(), { ...AGENT, connectionsOnly: [] }, orders)).toBeUndefined()
    expect(admit(config(), { ...AGENT, connectionsOnly: ['orders'] }, orders)).toBeDefined()
  })

  test('is not made by a role that allows nothing', () => {
    const reviewer: Identity = { ...AGENT, kind: 'human', subject: 'eve', issuer: 'okta' }
    expect(rolesOf(config(), reviewer)).toEqual(['reviewers'])
    expect(admit(config(), reviewer, orders)).toBeUndefined()
  })

  test('cannot be written by hand', () => {
    // @ts-expect-error: the brand is not exported.
    const forged: Grant = { identity: AGENT, database: 'x', roles: [], allow: new Set() }
    expect(forged).toBeDefined()
  })
})

test('roles on the API are those of all roles held, narrowed alike', () => {
  const both: Identity = { ...AGENT, kind: 'human', groups: ['dba'] }
  expect(apiRoles(config(), both)).toEqual(['viewer', 'operator'])
  expect(apiRoles(config(), { ...both, rolesOnly: ['reviewers'] })).toEqual(['viewer'])
  expect(apiRoles(config(), AGENT)).toEqual([])
})

describe('removing never grants more', () => {
  const role = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    members: fc.subarray(['workload:gateway:*', 'group:ai', 'subject:x', 'human:*:*']),
    connections: fc.subarray(['orders', 'label:env=prod', '*', 'lab']),
    allow: fc.subarray([...CLASSES]),
    reviews: fc.constant<string[]>([]),
    api: fc.constant<RoleConfig['api']>([]),
  })
  const identity = fc.record({
    groups: fc.subarray(['ai', 'dba']),
    rolesOnly: fc.option(fc.subarray(['a', 'b', 'c']), { nil: undefined }),
    connectionsOnly: fc.option(fc.subarray(['orders', 'lab']), { nil: undefined }),
  })
  const withRoles = (roles: readonly RoleConfig[]): Config => ({
    ...config(),
    roles: new Map(roles.map((one) => [one.name, one])),
  })
  const allowed = (roles: readonly RoleConfig[], who: Identity) =>
    admit(withRoles(roles), who, orders)?.allow ?? new Set()

  test('a role, a member, a connection or a class', () => {
    const roles = fc.uniqueArray(role, { selector: (one) => one.name, minLength: 1 })
    fc.assert(
      fc.property(roles, identity, fc.nat(), (all, who, at) => {
        const person = { ...AGENT, ...who }
        const before = allowed(all, person)
        const target = all[at % all.length]!
        const rest = all.filter((one) => one !== target)
        const less: (readonly RoleConfig[])[] = [rest]
        for (const key of ['members', 'connections', 'allow'] as const)
          less.push([...rest, { ...target, [key]: target[key].filter((_, index) => index > 0) }])
        for (const fewer of less)
          for (const one of allowed(fewer, person)) expect(before.has(one)).toBe(true)
      }),
    )
  })

  test('one more word in the token', () => {
    fc.assert(
      fc.property(fc.array(role), identity, (all, who) => {
        const free = allowed(all, {
          ...AGENT,
          ...who,
          rolesOnly: undefined,
          connectionsOnly: undefined,
        })
        for (const one of allowed(all, { ...AGENT, ...who })) expect(free.has(one)).toBe(true)
      }),
    )
  })
})
