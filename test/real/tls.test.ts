import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Certificate, makeCertificate } from '../lib/certificate.ts'
import { run } from '../lib/child.ts'
import { freePort } from '../lib/free-port.ts'
import { type Gateway, startGateway, type Target } from '../lib/gateway.ts'
import { psql18 } from '../lib/libpq.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { frame, int32, startup, WireClient } from '../lib/wire-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
let ours: Certificate
let foreign: Certificate
let secure: Postgres
let plain: Postgres
let gateway: Gateway
let token: string
/** Ports of listeners: plaintext from loopback only by default, and from nowhere. */
let tlsOnly: number

beforeAll(async () => {
  const foreignFolder = join(folder, 'foreign')
  ours = makeCertificate(folder, 'localhost')
  mkdirSync(foreignFolder)
  foreign = makeCertificate(foreignFolder, 'localhost')
  secure = await startPostgres({
    tls: true,
    config: ["listen_addresses = '127.0.0.1,127.0.0.2'"],
  })
  plain = await startPostgres()
  for (const server of [secure, plain]) server.sql("CREATE ROLE app LOGIN PASSWORD 'pw'")
  const target = (server: Postgres, tls: unknown, host = 'localhost'): Target => ({
    server: { host: host as '127.0.0.1', port: server.port },
    database: 'postgres',
    user: 'app',
    password: 'pw',
    more: { tls },
  })
  const port = await freePort()
  tlsOnly = await freePort()
  const tls = { cert: ours.cert, key: { file: ours.key } }
  gateway = await startGateway({
    connections: {
      disable: target(secure, 'disable'),
      require: target(secure, 'require'),
      'verify-full': target(secure, { mode: 'verify-full', ca: secure.ca }),
      'by-address': target(secure, { mode: 'verify-full', ca: secure.ca }, '127.0.0.1'),
      'wrong-name': target(secure, { mode: 'verify-full', ca: secure.ca }, '127.0.0.2'),
      'wrong-ca': target(secure, { mode: 'verify-full', ca: foreign.ca }),
      'system-ca': target(secure, 'verify-full'),
      'no-tls': target(plain, 'require'),
      'no-tls-verified': target(plain, { mode: 'verify-full', ca: secure.ca }),
    },
    config: {
      listeners: [
        { protocol: 'postgres', listen: `127.0.0.1:${port}`, tls },
        { protocol: 'postgres', listen: `127.0.0.1:${tlsOnly}`, tls, plaintext_from: [] },
      ],
    },
    listener: {},
  })
  token = await gateway.token({ subject: 'agent' })
  Object.assign(gateway, { port })
})
afterAll(async () => {
  await gateway?.stop()
  await secure?.stop()
  await plain?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function ask(connection: string, options: { port?: number; ssl?: string; ca?: string } = {}) {
  const { port = tlsOnly, ssl = 'verify-full', ca = ours.ca } = options
  const url = `postgres://agent:${token}@localhost:${port}/${connection}?sslmode=${ssl}&sslrootcert=${ca}`
  const sql = 'SELECT ssl, version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()'
  return run('psql', ['-XAt', '-v', 'VERBOSITY=verbose', url, '-c', sql])
}

test.each([
  ['disable', 'f|\n'],
  ['require', 't|TLSv1.3\n'],
  ['verify-full', 't|TLSv1.3\n'],
  ['by-address', 't|TLSv1.3\n'],
])('a client that verifies the gateway reaches a target with tls: %s', async (name, shown) => {
  const { stdout, stderr } = await ask(name)
  expect([stderr, stdout]).toEqual(['', shown])
})

test.each(['wrong-ca', 'wrong-name', 'system-ca', 'no-tls', 'no-tls-verified'])(
  'a target whose TLS is not as asked (%s) gets no credential and is told without its address',
  async (name) => {
    const before = secure.readLog().length + plain.readLog().length
    const { code, stderr } = await ask(name)
    expect(code).toBe(2)
    expect(stderr).toContain(`"${name}"`)
    expect(stderr).not.toMatch(new RegExp(`${secure.port}|${plain.port}|127\\.0\\.0\\.2`))
    const client = await secured()
    client.socket.write(startup({ user: 'agent', database: name }))
    expect(await client.lastError(token)).toMatch(/C08001\0/)
    expect(`${gateway.output()}`).not.toMatch(/127\.0\.0\.2/)
    expect(secure.readLog().length + plain.readLog().length).toBeGreaterThanOrEqual(before)
    expect(secure.readLog() + plain.readLog()).not.toContain('password authentication failed')
  },
)

test('a client that trusts another authority does not go on, and the gateway does', async () => {
  expect((await ask('require', { ca: foreign.ca })).stderr).toContain('certificate verify failed')
  expect((await ask('require')).code).toBe(0)
})

test('plaintext from an address that is not listed is refused before a password is asked', async () => {
  const { code, stderr } = await ask('require', { ssl: 'disable' })
  expect(code).toBe(2)
  expect(stderr).toContain('This address must connect with TLS.')
  const client = await WireClient.connect(tlsOnly)
  client.send(startup({ user: 'agent', database: 'require' }))
  await client.closed()
  expect(client.messages.map(({ kind }) => kind).join('')).toBe('E')
  expect(client.error()?.C).toBe('28000')
})

test('plaintext from loopback is served where nothing else is said', async () => {
  expect((await ask('require', { port: gateway.port, ssl: 'disable' })).stdout).toBe('t|TLSv1.3\n')
  expect((await ask('require', { port: gateway.port, ssl: 'prefer' })).stdout).toBe('t|TLSv1.3\n')
})

test('bytes in clear behind the request for TLS end the session', async () => {
  const client = await WireClient.connect(tlsOnly)
  client.send(frame('', int32(80877103)), startup({ user: 'agent', database: 'require' }))
  await client.closed()
  expect(client.error()?.C).toBe('08P01')
})

test('a second request for TLS inside TLS, and noise in place of TLS, end that session only', async () => {
  const client = await secured()
  client.socket.write(frame('', int32(80877103)))
  expect(await client.lastError(token)).toMatch(/C08P01\0/)
  const noise = await WireClient.connect(tlsOnly)
  noise.send(frame('', int32(80877103)))
  expect(await noise.byte()).toBe('S')
  noise.send(Buffer.alloc(4096, 7))
  await noise.closed()
  const gone = await WireClient.connect(tlsOnly)
  gone.send(frame('', int32(80877103)))
  await gone.byte()
  gone.end()
  expect((await ask('require')).code).toBe(0)
})

test('ten megabytes go both ways under TLS', async () => {
  const url = `postgres://agent:${token}@localhost:${tlsOnly}/verify-full?sslmode=verify-full&sslrootcert=${ours.ca}`
  const sql =
    "SELECT length(repeat('x', 100) || n) FROM generate_series(1, 3) n; COPY (SELECT repeat('y', 1000) FROM generate_series(1, 10000)) TO STDOUT"
  const { stdout } = await run('psql', ['-XAtq', url, '-c', sql])
  expect(stdout.length).toBe(3 * 4 + 10_000 * 1001)
})

test('direct TLS is served to libpq 18 and to a driver', async () => {
  const url = `postgres://agent:${token}@localhost:${tlsOnly}/require?sslmode=verify-full&sslrootcert=${ours.ca}&sslnegotiation=direct`
  const { stdout, stderr } = await psql18([url, '-c', 'SELECT 6 * 7'])
  expect([stderr, stdout]).toEqual(['', '42\n'])
  const client = new pg.Client({
    ...{ host: 'localhost', port: tlsOnly, user: 'agent', password: token, database: 'require' },
    ...{ ssl: { ca: readFileSync(ours.ca) }, sslnegotiation: 'direct' },
  } as pg.ClientConfig)
  await client.connect()
  try {
    const { rows } = await client.query("SELECT repeat('x', 100000) AS x")
    expect(rows[0].x.length).toBe(100_000)
  } finally {
    await client.end()
  }
})

test('a client that asks for TLS may name the protocol, and no other one', async () => {
  expect((await asked(['postgresql'])).alpnProtocol).toBe('postgresql')
  expect((await asked(undefined)).alpnProtocol).toBe(false)
  await expect(asked(['h2'])).rejects.toThrow(/alert/)
})

test('direct TLS needs the protocol by name, a listener with `tls`, and comes once', async () => {
  const named = await direct(['postgresql'])
  named.socket.write(startup({ user: 'agent', database: 'require' }))
  named.socket.write(frame('', int32(80877103)))
  expect(await named.lastError('wrong')).toMatch(/C08P01\0/)
  expect(await (await direct(undefined)).lastError('')).toMatch(/C08P01\0/)
  await expect(direct(['h2'])).rejects.toThrow(/alert/)
  const again = await direct(['postgresql'])
  again.socket.write(frame('', int32(80877103)))
  expect(await again.lastError('')).toMatch(/C08P01\0/)
  const url = `postgres://agent:${token}@localhost:${tlsOnly}/require?sslmode=require&sslnegotiation=direct`
  expect((await psql18([url, '-c', 'SELECT 1'])).code).toBe(0)
})

test('the hello of direct TLS may come a byte at a time', async () => {
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      void trickle(chunk).then(() => done())
    },
  })
  const plain = connectTcp(tlsOnly, '127.0.0.1')
  plain.setNoDelay(true)
  const trickle = async (chunk: Buffer) => {
    for (const byte of chunk.subarray(0, 40)) {
      plain.write(Buffer.of(byte))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    plain.write(chunk.subarray(40))
  }
  plain.on('data', (chunk) => slow.push(chunk))
  plain.on('close', () => slow.push(null))
  const socket = connectTls({
    ...{ socket: slow, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] },
  })
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  socket.write(startup({ user: 'agent', database: 'require' }))
  const [kind] = (await new Promise<Buffer>((resolve) => socket.once('data', resolve))) as Buffer
  expect(String.fromCharCode(kind!)).toBe('R')
  plain.destroy()
})

/** TLS by hand after asking for it. */
async function asked(names: string[] | undefined): Promise<TLSSocket> {
  const client = await WireClient.connect(tlsOnly)
  client.send(frame('', int32(80877103)))
  expect(await client.byte()).toBe('S')
  client.socket.removeAllListeners('data')
  const socket = await shaken({ socket: client.socket }, names)
  socket.destroy()
  return socket
}

/** TLS by hand without asking. */
async function direct(names: string[] | undefined) {
  return speaking(await shaken({ port: tlsOnly, host: '127.0.0.1' }, names))
}

function shaken(to: ConnectionOptions, names: string[] | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const offer = names === undefined ? {} : { ALPNProtocols: names }
    const socket = connectTls({ ...to, ...offer, rejectUnauthorized: false })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** TLS by hand, for frames that no driver sends. */
async function secured() {
  const client = await WireClient.connect(tlsOnly)
  client.send(frame('', int32(80877103)))
  expect(await client.byte()).toBe('S')
  client.socket.removeAllListeners('data')
  const socket = connectTls({ socket: client.socket, rejectUnauthorized: false })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  return speaking(socket)
}

function speaking(socket: TLSSocket) {
  return {
    socket,
    /** Sends the password when asked; what was received up to the end. */
    async lastError(password: string): Promise<string> {
      const chunks: Buffer[] = []
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (chunk[0] === 0x52) socket.write(frame('p', Buffer.from(`${password}\0`)))
      })
      await new Promise((resolve) => socket.once('close', resolve))
      return Buffer.concat(chunks).toString('latin1')
    },
  }
}
