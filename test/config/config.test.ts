import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/shape.ts'

const EXAMPLE = readFileSync('deploy/examples/sluice.yaml', 'utf8')

function read(text: string) {
  return readConfig({ path: '/etc/sluice/sluice.yaml', text, cores: 4 })
}

function config(text: string): Config {
  const result = read(text)
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.config
}

function problems(text: string): string[] {
  const result = read(text)
  return 'problems' in result
    ? result.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`)
    : []
}

const CONNECTION = `connections:
  orders:
    type: postgres
    address: 10.0.0.5:5432
    database: orders
    credential: { user: app, password: { env: P } }
`

describe('defaults', () => {
  test('an empty file listens nowhere and lets nobody in', () => {
    const { control, listeners, connections, roles, limits, workers, data, recorder } = config('')
    expect(control.listen).toEqual({ host: '127.0.0.1', port: 7070 })
    expect([listeners.length, connections.size, roles.size, workers]).toEqual([0, 0, 0, 4])
    expect(data).toBe('/etc/sluice/var')
    expect(limits).toEqual({
      statementBytesMax: 1_048_576,
      connections: 20_000,
      connectionsPerAddress: 2000,
      handshakeMs: 10_000,
      idleMs: 3_600_000,
      sessionMaxMs: 28_800_000,
    })
    expect(recorder).toMatchObject({ durability: 'standard', retentionDays: 400 })
  })

  test('a target is verified, asked for SCRAM, and opens one database', () => {
    const orders = config(CONNECTION).connections.get('orders')
    expect(orders?.tls).toEqual({ mode: 'verify-full', ca: undefined })
    expect(orders?.credential.auth).toEqual(['scram-sha-256'])
    expect(orders?.databases).toEqual(['orders'])
  })

  test('a listener takes plaintext from loopback alone', () => {
    const [listener] = config('listeners: [{ protocol: postgres, listen: 0.0.0.0:1 }]').listeners
    expect(listener?.plaintextFrom).toEqual(['127.0.0.0/8', '::1/128'])
  })
})

test('the example is a configuration, and frozen to the bottom', () => {
  const read = config(EXAMPLE)
  expect(read.connections.get('demo')?.labels).toEqual({ env: 'dev' })
  expect(read.policies).toEqual(['/etc/sluice/policies'])
  expect(Object.isFrozen(read.connections.get('demo')?.credential.auth)).toBe(true)
  expect(Object.isFrozen(read.roles.get('agents')?.members)).toBe(true)
})

test('relative paths are relative to the file', () => {
  const text = `data: /d
listeners:
  - { protocol: postgres, listen: "[::1]:1", tls: { cert: c.pem, key: { file: ../k.pem } } }
`
  const { data, listeners } = config(text)
  expect(data).toBe('/d')
  expect(listeners[0]?.tls).toEqual({ cert: '/etc/sluice/c.pem', key: { file: '/etc/k.pem' } })
})

test('databases always hold the default one', () => {
  const text = CONNECTION.replace('database: orders', 'database: orders\n    databases: [archive]')
  expect(config(text).connections.get('orders')?.databases).toEqual(['orders', 'archive'])
})

test('all problems come at once, with their lines', () => {
  const text = `worker: auto
control: { listen: 0.0.0.0:7070 }
recorder:
  retention: 36h
  durability: fast
listeners:
  - { protocol: postgres, listen: 15432 }
connections:
  a/b: {}
roles:
  agents:
    members: ["workload:github"]
    connections: [order]
    allow: [reed]
    __proto__: 1
`
  expect(problems(text)).toEqual([
    '1 worker: worker is not a known key (did you mean workers?)',
    '2 control.listen: expected a loopback address: listening beyond it needs control.tls, which is not available in this version',
    '4 recorder.retention: expected whole days, such as 400d',
    '5 recorder.durability: expected one of standard, strict',
    '7 listeners[0].listen: expected host:port, such as 127.0.0.1:15432 or "[::1]:15432", found a number',
    '9 connections.a/b: expected letters, digits, _ . - (at most 63, no / : *) as the name',
    '12 roles.agents.members[0]: expected human:<issuer>:<subject>, workload:<issuer>:<subject>, subject:<name> or group:<name>',
    '13 roles.agents.connections[0]: there is no such connection',
    '14 roles.agents.allow[0]: expected one of read, write, schema, transfer, execute, admin, opaque (did you mean read?)',
    '15 roles.agents: the key __proto__ is not allowed',
  ])
})

test('the store is embedded, embedded with a port of this host, or a server with or without a cluster', () => {
  const store = (text: string) => `recorder:\n  store: ${text}\n`
  expect(config(store('embedded')).recorder.store).toEqual({ embedded: true, listen: undefined })
  const port = '{ embedded: true, listen: "127.0.0.1:8123", password: { env: P } }'
  expect(config(store(port)).recorder.store).toEqual({
    embedded: true,
    listen: { host: '127.0.0.1', port: 8123, user: 'auditor', password: { env: 'P' } },
  })
  expect(config(store('{ url: "https://ch:8443", cluster: main }')).recorder.store).toMatchObject({
    embedded: false,
    cluster: 'main',
    password: undefined,
  })
  for (const wrong of [
    '{ embedded: true, listen: "0.0.0.0:8123", password: { env: P } }',
    '{ embedded: true, listen: "127.0.0.1:0", password: { env: P } }',
    '{ embedded: true, listen: "127.0.0.1:8123" }',
    '{ embedded: true, listen: "127.0.0.1:8123", password: plain }',
    '{ embedded: false, listen: "127.0.0.1:8123", password: { env: P } }',
    '{ embedded: true, url: "https://ch:8443" }',
    '{ url: "https://ch:8443", cluster: "a`b" }',
  ])
    expect([wrong, problems(store(wrong)).length > 0]).toEqual([wrong, true])
})

test('a credential by role is one like any other, of a role that exists', () => {
  const credentials = (role: string) =>
    `${CONNECTION}    credentials: { ${role}: { user: ro, password: { file: ro.pw } } }
roles: { agents: { members: ["group:ai"] } }
`
  const [[role, one] = []] = config(credentials('agents')).connections.get('orders')!.credentials
  expect([role, one]).toEqual([
    'agents',
    { user: 'ro', password: { file: '/etc/sluice/ro.pw' }, auth: ['scram-sha-256'] },
  ])
  expect(problems(credentials('agent'))).toEqual([
    '7 connections.orders.credentials.agent: there is no such role (did you mean agents?)',
  ])
  expect(problems(credentials('agents').replace(', password: { file: ro.pw }', ''))).toEqual([
    '7 connections.orders.credentials.agents: expected a password: { env: NAME } or { file: path }',
  ])
})

test('a target has one address or several: host and port, or the path of a socket', () => {
  const read = (value: string) => CONNECTION.replace('10.0.0.5:5432', value)
  const addresses = (value: string) => config(read(value)).connections.get('orders')?.addresses
  expect(addresses('10.0.0.5:5432')).toEqual([{ host: '10.0.0.5', port: 5432 }])
  expect(addresses('["[::1]:1", db.example.com:2, /run/postgresql/.s.PGSQL.5432]')).toEqual([
    { host: '::1', port: 1 },
    { host: 'db.example.com', port: 2 },
    { path: '/run/postgresql/.s.PGSQL.5432' },
  ])
  const expected =
    'expected host:port, such as db.example.com:5432, or the path of a Unix socket, such as /run/postgresql/.s.PGSQL.5432'
  expect(problems(read('[]'))).toEqual([
    '4 connections.orders.address: expected at least 1 in the list',
  ])
  for (const wrong of ['db', '"postgres://db:1"', `/${'x'.repeat(107)}`])
    expect(problems(read(`[a:1, ${wrong}]`))).toEqual([
      `4 connections.orders.address[1]: ${expected}`,
    ])
})

test('a connection has as many sessions as it is given, or any number', () => {
  const read = (value: string) => `${CONNECTION}    max_sessions: ${value}\n`
  const limit = (text: string) => config(text).connections.get('orders')?.maxSessions
  expect([limit(CONNECTION), limit(read('100'))]).toEqual([undefined, 100])
  for (const wrong of ['0', '1.5', '"5"', 'many'])
    expect(problems(read(wrong)).join()).toMatch(
      /^7 connections.orders.max_sessions: expected a whole number from 1 to/,
    )
})

test('a statement has as long as it is given, or for ever', () => {
  const read = (value: string) => `${CONNECTION}    statement_timeout: ${value}\n`
  const limit = (text: string) => config(text).connections.get('orders')?.statementTimeoutMs
  expect([limit(CONNECTION), limit(read('250ms')), limit(read('60s'))]).toEqual([
    undefined,
    250,
    60_000,
  ])
  for (const wrong of ['60', '5ms', '25d'])
    expect(problems(read(wrong)).join()).toMatch(
      /^7 connections.orders.statement_timeout: expected a duration such as/,
    )
})

test('proxies are trusted by block, and by default none is', () => {
  const read = (more: string) => `listeners: [{ protocol: postgres, listen: 127.0.0.1:1${more} }]`
  const proxies = (more: string) => config(read(more)).listeners[0]?.proxyProtocolFrom
  expect(proxies('')).toEqual([])
  expect(proxies(', proxy_protocol_from: [10.0.0.0/8, "fd00::/8"]')).toEqual([
    '10.0.0.0/8',
    'fd00::/8',
  ])
  expect(problems(read(', proxy_protocol_from: [10.0.0.0/33]'))).toEqual([
    '1 listeners[0].proxy_protocol_from[0]: expected a CIDR block, such as 10.0.0.0/8',
  ])
})

test('identity goes to the target by application_name or a parameter that means nothing else', () => {
  const read = (value: string) => `${CONNECTION}    identity_to_target: ${value}\n`
  const parameter = (value: string) =>
    config(read(value)).connections.get('orders')?.identityParameter
  expect(parameter('application_name')).toBe('application_name')
  expect(parameter('{ setting: sluice.subject }')).toBe('sluice.subject')
  expect(config(CONNECTION).connections.get('orders')?.identityParameter).toBe(undefined)
  for (const value of ['{ setting: search_path }', '{ setting: "a.b c" }', '{ setting: role }'])
    expect(problems(read(value))).toEqual([
      '7 connections.orders.identity_to_target.setting: expected a parameter of your own, such as sluice.subject',
    ])
  expect(problems(read('role'))).toEqual([
    '7 connections.orders.identity_to_target: expected application_name',
  ])
})

test('a certificate for the target comes with its key, by TLS, and alone only to one that is verified', () => {
  const read = (tls: string, auth = 'scram-sha-256') =>
    CONNECTION.replace('{ env: P }', `{ env: P }, auth: [${auth}]`).concat(`    tls: ${tls}\n`)
  const full = '{ mode: verify-full, ca: ca.pem, cert: c.pem, key: { file: c.key } }'
  expect(config(read(full, 'cert')).connections.get('orders')?.tls).toEqual({
    mode: 'verify-full',
    ca: '/etc/sluice/ca.pem',
    cert: '/etc/sluice/c.pem',
    key: { file: '/etc/sluice/c.key' },
  })
  expect(problems(read('{ mode: require, cert: c.pem }'))).toEqual([
    '7 connections.orders.tls: expected both cert and key, or neither',
  ])
  expect(problems(read('{ mode: disable, cert: c.pem, key: { env: K } }'))).toEqual([
    '7 connections.orders.tls: a certificate is shown by TLS only',
  ])
  const alone =
    'auth lists cert: expected tls: { mode: verify-full, cert: path, key: { file } or { env } }'
  for (const tls of ['verify-full', '{ mode: require, cert: c.pem, key: { env: K } }'])
    expect(problems(read(tls, 'cert'))).toEqual([`3 connections.orders: ${alone}`])
  const byRole = `${read('require')}    credentials: { agents: { user: ro, auth: [cert] } }\nroles: { agents: { members: ["group:ai"] } }\n`
  expect(problems(byRole)).toEqual([`3 connections.orders: ${alone}`])
  expect(config(read(full)).connections.get('orders')?.tls.cert).toBe('/etc/sluice/c.pem')
})

describe('what the contract has and this version has not is refused', () => {
  const inConnection = (line: string) => `${CONNECTION}    ${line}\n`
  const cases: Record<string, string> = {
    'other listeners': 'listeners: [{ protocol: mysql, listen: 127.0.0.1:1 }]',
    'other targets': 'connections: { a: { type: redis } }',
    issuers: 'identity: { issuers: [] }',
    saml: 'identity: { saml: {} }',
    scim: 'identity: { scim: {} }',
    'a state database': 'state: { url: { env: X } }',
    'control.tls': 'control: { tls: { cert: a, key: { file: b } } }',
    'control.local_reviewers': 'control: { local_reviewers: true }',
    'a vault for the spool': 'recorder: { spool: { encrypt: { vault: "a#b" } } }',
    vault: CONNECTION.replace('env: P', 'vault: "a#b"'),
    via: inConnection('via: agent'),
  }
  for (const [name, text] of Object.entries(cases))
    test(name, () => {
      expect(problems(text).join('\n')).toContain('is not available in this version')
    })
})

describe('secrets', () => {
  test('are references, and one in the wrong place is never repeated', () => {
    const found = problems(CONNECTION.replace('{ env: P }', 'hunter2'))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('never the secret itself')
    expect(found[0]).not.toContain('hunter2')
    expect(problems('control: { public_url: "https://u:hunter2@h" }')[0]).not.toContain('hunter2')
  })

  test('are needed wherever the target may ask for one', () => {
    const without = (auth: string) => CONNECTION.replace(', password: { env: P }', auth)
    expect(problems(without(''))).toHaveLength(1)
    expect(problems(without(', auth: [trust, md5]'))).toHaveLength(1)
    expect(problems(without(', auth: [trust]'))).toEqual([])
  })
})

test('timers that Node would fire at once are refused', () => {
  expect(problems('limits: { idle: 30d }')).toHaveLength(1)
  expect(problems('limits: { idle: 0s }')).toHaveLength(1)
  expect(problems('limits: { idle: 24d, handshake: 5s }')).toEqual([])
})

test('no text makes it throw', () => {
  const words = fc.constantFrom(
    ...['listeners', 'connections', 'roles', 'a', ': ', '\n', '  ', '- ', '{', '}', '[', ']'],
    ...['postgres', '"', ',', '&a ', '*a', '1', 'null', '|', 'members', 'label:', '127.0.0.1:1'],
  )
  const anything = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join('')),
    fc.json(),
    fc.tuple(fc.nat(EXAMPLE.length), fc.string()).map(([at, more]) => {
      return EXAMPLE.substring(0, at) + more + EXAMPLE.substring(at + more.length)
    }),
  )
  fc.assert(
    fc.property(anything, (text) => {
      const result = read(text)
      if ('problems' in result) expect(result.problems.length).toBeGreaterThan(0)
      else expect(result.config.limits.statementBytesMax).toBeGreaterThan(0)
    }),
    { numRuns: 400 },
  )
})

test('the key of the spool is a reference, from the folder of the file, and never the key itself', () => {
  const read = (encrypt: string) => `recorder: { spool: { bytes_max: 1GiB, encrypt: ${encrypt} } }`
  expect(config(read('{ file: keys/spool }')).recorder).toMatchObject({
    spoolBytesMax: 1024 ** 3,
    spoolEncrypt: { file: '/etc/sluice/keys/spool' },
  })
  expect(config(read('{ env: K }')).recorder.spoolEncrypt).toEqual({ env: 'K' })
  expect(config('recorder: { spool: {} }').recorder.spoolEncrypt).toBeUndefined()
  const key = 'c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlIC4='
  for (const wrong of [key, 'true', `{ key: "${key}" }`, '{}']) {
    const found = problems(read(wrong))
    expect(found[0]).toContain('recorder.spool.encrypt')
    expect(found.join()).not.toContain(key)
  }
})
