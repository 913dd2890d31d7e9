/** What newer and older parties negotiate: protocol 3.2 and its long cancel keys, on either leg or on none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, start } from '../lib/child.ts'
import { freePort } from '../lib/free-port.ts'
import { type Gateway, startGateway, type Target } from '../lib/gateway.ts'
import { environment18, psql18 } from '../lib/libpq.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { runs } from '../lib/runs.ts'
import { give, serverIds } from '../lib/server-user.ts'
import { cstring, frame, int32, query, startup, WireClient } from '../lib/wire-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-protocol-'))
let old: Postgres
let young: Postgres
let pooler: Child
let gateway: Gateway
let token: string

beforeAll(async () => {
  old = await startPostgres()
  young = await startPostgres({ version: '18' })
  for (const server of [old, young]) server.sql("CREATE ROLE app LOGIN PASSWORD 'pw'")
  const poolerPort = await freePort()
  pooler = await startPooler(poolerPort)
  const target = (port: number): Target => ({
    ...{ server: { host: '127.0.0.1', port }, database: 'postgres', user: 'app', password: 'pw' },
  })
  gateway = await startGateway({
    connections: {
      old: target(old.port),
      young: target(young.port),
      pooled: { ...target(poolerPort), auth: ['password'] },
    },
  })
  token = await gateway.token({ subject: 'agent' })
})
afterAll(async () => {
  await gateway?.stop()
  await pooler?.stop()
  await old?.stop()
  await young?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A pooler that knows no protocol but 3.0, and ends whoever asks for another one. */
async function startPooler(port: number): Promise<Child> {
  const [config, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users')]
  writeFileSync(users, '"app" "pw"\n')
  const lines = [
    '[databases]',
    `postgres = host=127.0.0.1 port=${old.port} dbname=postgres`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
    `auth_type = plain\nauth_file = ${users}\npool_mode = session`,
  ]
  writeFileSync(config, lines.join('\n'))
  give(folder)
  const child = start('/usr/sbin/pgbouncer', [config], { ...serverIds() })
  await child.until(/process up/)
  return child
}

/** Logs in with a protocol of one's choice. */
async function login(
  connection: string,
  minor: number,
): Promise<{ client: WireClient; key: Buffer }> {
  const client = await WireClient.connect(gateway.port)
  client.send(startup({ user: 'agent', database: connection }, (3 << 16) | minor))
  await client.until('R')
  client.send(frame('p', cstring(token)))
  await client.until('ZE')
  expect(client.error()).toBeUndefined()
  return { client, key: client.messages.find(({ kind }) => kind === 'K')!.body }
}

describe.each(['old', 'young', 'pooled'])('with the target %s', (connection) => {
  test.each([
    [0, 4],
    [2, 32],
    [7, 32],
  ])('a client of protocol 3.%i gets a key of %i bytes, which cancels', async (minor, bytes) => {
    const { client, key } = await login(connection, minor)
    expect(key.length).toBe(4 + bytes)
    const negotiated = client.messages.find(({ kind }) => kind === 'v')
    expect(negotiated?.body).toEqual(
      minor === 7 ? Buffer.concat([int32(0x30002), int32(0)]) : undefined,
    )
    const asked = client.ask(query('SELECT pg_sleep(20)'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const cancel = async (secret: Buffer) => {
      const other = await WireClient.connect(gateway.port)
      other.send(frame('', int32(80877102), key.subarray(0, 4), secret))
      await other.closed()
    }
    const wrong = Buffer.from(key.subarray(4))
    wrong[bytes - 1]! ^= 1
    await cancel(wrong)
    await cancel(Buffer.from(key.subarray(4, 8)).fill(0))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(client.error()).toBeUndefined()
    await cancel(key.subarray(4))
    await asked
    expect(client.error()?.C).toBe('57014')
    client.end()
  })

  test('libpq 18 asks for the newest protocol and cancels by Ctrl-C', async () => {
    const url = `postgres://agent:${token}@127.0.0.1:${gateway.port}/${connection}?max_protocol_version=latest&min_protocol_version=3.2`
    expect((await psql18([url, '-c', 'SELECT 1'])).stdout).toBe('1\n')
    const args = ['-XAt', url, '-c', 'SELECT 7', '-c', 'SELECT pg_sleep(20)']
    const psql = start('/usr/lib/postgresql/15/bin/psql', args, { env: environment18() })
    await psql.until(/7/)
    await runs(connection === 'young' ? young : old, 'pg_sleep(20)')
    psql.process.kill('SIGINT')
    await psql.until(/canceling statement due to user request/)
    await psql.ended
  })
})

test('a target that knows 3.2 gives its own long key, which no client sees', async () => {
  const direct = await WireClient.connect(young.port)
  direct.send(startup({ user: 'app', database: 'postgres' }, (3 << 16) | 2))
  expect((await direct.until('Rv')).kind).toBe('R')
  direct.end()
  const { key, client } = await login('young', 2)
  const pid = client.messages.find(({ kind }) => kind === 'K')!.body.readInt32BE(0)
  const sleeping = client.ask(query('SELECT pg_sleep(1)'))
  const cancel = await WireClient.connect(young.port)
  cancel.send(frame('', int32(80877102), int32(pid), key.subarray(4)))
  await cancel.closed()
  expect((await sleeping).map(({ kind }) => kind).join('')).toBe('TDCZ')
  client.end()
})

test('a pooler that ends logins for 3.2 is asked for 3.0 from then on', () => {
  // Each worker finds out for itself, once.
  const refused = pooler.output().match(/unsupported|bad packet|pooler error/gi) ?? []
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThanOrEqual(8)
})
