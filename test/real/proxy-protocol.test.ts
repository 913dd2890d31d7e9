/** Behind a proxy that says whom it speaks for: HAProxy itself, and headers of our own making. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../lib/free-port.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { cstring, frame, query, startup, WireClient } from '../lib/wire-client.ts'

const PER_ADDRESS = 3

let server: Postgres
let gateway: Gateway
let token: string
const opened: WireClient[] = []

beforeAll(async () => {
  server = await startPostgres({ auth: 'trust' })
  server.sql('CREATE USER app')
  gateway = await startGateway({
    connections: { c: { server, database: 'postgres', user: 'app', auth: ['trust'] } },
    listener: { proxy_protocol_from: ['127.0.0.1/32'] },
    config: { limits: { connections_per_address: PER_ADDRESS, handshake: '3s' } },
  })
  token = await gateway.token({ subject: 'ci' })
}, 180_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

/** Logs in behind `header`; the error's fields where the gateway says no. */
async function behind(
  header: string | Buffer,
  password = token,
): Promise<Readonly<Record<string, string>> | WireClient> {
  const client = await WireClient.connect(gateway.port)
  opened.push(client)
  client.send(Buffer.from(header as string), startup({ user: 'x', database: 'c' }))
  await client.until('RE')
  if (client.error() !== undefined) return client.error()!
  client.send(frame('p', cstring(password)))
  await client.until('ZE')
  return client.error() ?? client
}

const v1 = (address: string) => `PROXY TCP4 ${address} 127.0.0.1 1000 2000\r\n`

function v2(address: readonly number[], command = 0x21): Buffer {
  const head = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
  return Buffer.concat([
    head,
    Buffer.from([command, 0x11, 0, 12, ...address, 127, 0, 0, 1, 3, 232, 7, 208]),
  ])
}

async function leave(): Promise<void> {
  for (const client of opened.splice(0)) client.end()
}

describe('a header', () => {
  test('of either version names the client, in records and for tokens', async () => {
    const bound = await gateway.token({ subject: 'bound', from: '192.0.2.0/24' })
    expect(await behind(v1('198.51.100.9'), bound)).toMatchObject({ C: '28P01' })
    expect(await behind(v1('192.0.2.9'), bound)).toBeInstanceOf(WireClient)
    expect(await behind(v2([192, 0, 2, 10]), bound)).toBeInstanceOf(WireClient)
    const sql = "SELECT DISTINCT client_ip FROM events WHERE kind = 'login' ORDER BY client_ip"
    const rows = await gateway.eventually(sql, (found) => found.length >= 2)
    expect(rows.map(({ client_ip }) => client_ip)).toEqual(['192.0.2.10', '192.0.2.9'])
    await leave()
  })

  test('that speaks of nobody leaves the proxy as the client', async () => {
    expect(await behind(v2([1, 2, 3, 4], 0x20))).toBeInstanceOf(WireClient)
    expect(await behind('PROXY UNKNOWN\r\n')).toBeInstanceOf(WireClient)
    await leave()
  })

  test('that is missing, or is none, ends the connection with 08P01', async () => {
    for (const header of ['', 'PROXY TCP4 a b 1 2\r\n', v2([1, 2, 3, 4], 0x31)])
      expect(await behind(header)).toMatchObject({
        C: '08P01',
        M: 'An address in proxy_protocol_from must begin with a PROXY header.',
      })
    await leave()
  })

  test('that never ends is not waited for longer than for any other handshake', async () => {
    const client = await WireClient.connect(gateway.port)
    client.send(Buffer.from('PROXY TCP4 192.0.2.1'))
    await client.closed()
    expect(client.error()).toMatchObject({ C: '08006' })
  })

  test('from an address that is not trusted is no header', async () => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', localAddress: '127.0.0.9' })
    const said: Buffer[] = []
    socket.on('data', (chunk) => said.push(chunk))
    socket.write(
      Buffer.concat([Buffer.from(v1('192.0.2.9')), startup({ user: 'x', database: 'c' })]),
    )
    await new Promise((closed) => socket.once('close', closed))
    expect(Buffer.concat(said).toString()).toContain('C08P01')
  })
})

test('the limit per address counts clients and not the proxy, over all workers, and is given back', async () => {
  for (let round = 0; round < 2; round++) {
    // Seats are given back as soon as workers have heard of the last who left, and all of them are.
    await expect.poll(() => filled(['192.0.2.1', '192.0.2.2'])).toBe(true)
    expect(await behind(v1('192.0.2.1'))).toMatchObject({
      C: '53300',
      M: 'This address has as many connections as limits.connections_per_address allows.',
    })
    expect(await behind(v1('192.0.2.3'))).toBeInstanceOf(WireClient)
    await leave()
  }
}, 180_000)

/** Whether each address has as many connections as it may; they all leave where one has not. */
async function filled(addresses: readonly string[]): Promise<boolean> {
  for (const address of addresses)
    for (let at = 0; at < PER_ADDRESS; at++)
      if (!((await behind(v1(address))) instanceof WireClient)) {
        await leave()
        return false
      }
  return true
}

test.each(['send-proxy', 'send-proxy-v2'])('HAProxy with %s', async (word) => {
  if (!existsSync('/usr/sbin/haproxy'))
    throw new Error('haproxy is missing: node deploy/setup.mjs --tests')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-haproxy-'))
  const port = await freePort()
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen c
  bind 127.0.0.1:${port}
  server s 127.0.0.1:${gateway.port} ${word}
`,
  )
  const child = spawn('/usr/sbin/haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: 'ignore',
  })
  try {
    const client = await reached(port)
    client.send(startup({ user: 'x', database: 'c' }))
    await client.until('R')
    client.send(frame('p', cstring(token)))
    await client.until('Z')
    const rows = await client.ask(query('SELECT 42'))
    expect(rows.find(({ kind }) => kind === 'D')?.body.toString('utf8', 6)).toBe('42')
    client.end()
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})

/** As soon as HAProxy listens. */
async function reached(port: number): Promise<WireClient> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      return await WireClient.connect(port)
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
