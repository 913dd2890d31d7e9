/** TLS towards targets, where somebody stands between, and where the target asks for a certificate of ours. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate, signedBy } from '../lib/certificate.ts'
import { run, start } from '../lib/child.ts'
import { type Gateway, startGateway, type Target } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { runs } from '../lib/runs.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-target-tls-'))
const between: Server[] = []
const sockets = new Set<Socket>()
let server: Postgres
let young: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  const config = ["ssl_ca_file = '../ca.pem'"]
  const access = [
    'hostssl all by_cert 127.0.0.1/32 cert',
    'hostssl all twofold 127.0.0.1/32 scram-sha-256 clientcert=verify-full',
  ]
  server = await startPostgres({ tls: true, config, access })
  young = await startPostgres({ version: '18', tls: true })
  for (const one of [server, young]) one.sql("CREATE ROLE app LOGIN PASSWORD 'pw'")
  server.sql("CREATE ROLE by_cert LOGIN; CREATE ROLE twofold LOGIN PASSWORD 'pw'")
  const authority = dirname(server.ca!)
  const certificates = Object.fromEntries(
    ['by_cert', 'twofold'].map((name) => [name, signedBy(authority, name, folder)]),
  )
  const foreign = makeCertificate(folder, 'localhost')
  const stranger = signedBy(folder, 'by_cert', join(folder, 'stranger'))
  const middle = createSecureContext({
    cert: readFileSync(foreign.cert),
    key: readFileSync(foreign.key),
  })
  const straight = await stand(middle, (bytes) => bytes)
  const stripping = await stand(middle, withoutPlus)
  const target = (port: number, tls: unknown, user = 'app', auth = ['scram-sha-256']): Target => ({
    server: { host: 'localhost' as '127.0.0.1', port },
    ...{ database: 'postgres', user, auth, more: { tls } },
    ...(auth.includes('scram-sha-256') ? { password: 'pw' } : {}),
  })
  const full = { mode: 'verify-full', ca: server.ca }
  const shown = ({ cert, key }: { cert: string; key: string }) => ({
    ...full,
    cert,
    key: { file: key },
  })
  gateway = await startGateway({
    connections: {
      require: target(server.port, 'require'),
      young: target(young.port, { mode: 'verify-full', ca: young.ca }),
      between: target(straight, 'require'),
      stripping: target(stripping, 'require'),
      cert: target(server.port, shown(certificates.by_cert!), 'by_cert', ['cert']),
      twofold: target(server.port, shown(certificates.twofold!), 'twofold'),
      'no-cert': target(server.port, full, 'twofold'),
      'not-listed': target(server.port, shown(certificates.by_cert!), 'by_cert'),
      'other-name': target(server.port, shown(certificates.twofold!), 'by_cert', ['cert']),
      stranger: target(server.port, shown(stranger), 'by_cert', ['cert']),
    },
  })
  token = await gateway.token({ subject: 'agent' })
})
afterAll(async () => {
  await gateway?.stop()
  for (const socket of sockets) socket.destroy()
  for (const one of between) one.close()
  await server?.stop()
  await young?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function ask(connection: string) {
  return run('psql', ['-XAt', gateway.url(token, connection), '-c', 'SELECT session_user'])
}

/** Somebody who answers for the target with a certificate of his own, and reads and changes what it says. */
async function stand(
  context: ReturnType<typeof createSecureContext>,
  change: (bytes: Buffer) => Buffer,
): Promise<number> {
  const one = createServer((plain) => {
    sockets.add(plain)
    plain.on('error', () => {})
    plain.once('data', () => {
      plain.pause()
      plain.write('S')
      const client = new TLSSocket(plain, { isServer: true, secureContext: context })
      client.on('error', () => {})
      client.once('secure', () => void splice(client, change))
      client.resume()
    })
  })
  between.push(one)
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
  return (one.address() as AddressInfo).port
}

async function splice(client: TLSSocket, change: (bytes: Buffer) => Buffer): Promise<void> {
  client.pause()
  const plain = connect(server.port, '127.0.0.1')
  sockets.add(plain)
  plain.on('error', () => {})
  await new Promise((resolve) => plain.once('connect', resolve))
  plain.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]))
  await new Promise((resolve) => plain.once('data', resolve))
  const target = connectTls({ socket: plain, rejectUnauthorized: false })
  target.on('error', () => client.destroy())
  target.on('data', (bytes: Buffer) => client.write(change(bytes)))
  target.on('close', () => client.end())
  client.pipe(target)
}

/** Takes SCRAM-SHA-256-PLUS out of AuthenticationSASL. */
function withoutPlus(bytes: Buffer): Buffer {
  const at = bytes.indexOf('SCRAM-SHA-256-PLUS\0')
  if (at < 9) return bytes
  const cut = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 19)])
  cut.writeInt32BE(cut.readInt32BE(at - 8) - 19, at - 8)
  return cut
}

describe('SCRAM bound to TLS', () => {
  test.each(['require', 'young'])('lets the gateway in at the target %s', async (name) => {
    const { stdout, stderr } = await ask(name)
    expect([stderr, stdout]).toEqual(['', 'app\n'])
  })

  test.each([
    ['passes everything on', 'between', 'channel binding check failed'],
    ['hides that the target could bind', 'stripping', 'channel binding negotiation error'],
  ])('somebody between who %s gets no session', async (_, name, logged) => {
    const { code, stderr } = await ask(name)
    expect([code, stderr]).toEqual([2, expect.stringContaining('did not accept the login')])
    expect(server.readLog()).toContain(logged)
  })
})

describe('a certificate of ours', () => {
  test.each([
    ['cert', 'by_cert'],
    ['twofold', 'twofold'],
  ])('is shown to the target of %s', async (name, user) => {
    const { stdout, stderr } = await ask(name)
    expect([stderr, stdout]).toEqual(['', `${user}\n`])
  })

  test.each(['no-cert', 'not-listed', 'other-name', 'stranger'])(
    'that is not there, not listed or another one (%s) opens no session',
    async (name) => {
      const { code, stderr } = await ask(name)
      expect([code, stderr]).toEqual([2, expect.stringContaining(`"${name}"`)])
    },
  )

  test('stands in no log', async () => {
    expect((await ask('cert')).code).toBe(0)
    expect(gateway.output()).not.toContain('PRIVATE KEY')
  })

  test('goes with a cancel too', async () => {
    const asks = ['-c', 'SELECT 7', '-c', 'SELECT pg_sleep(20)']
    const psql = start('psql', ['-XAt', gateway.url(token, 'cert'), ...asks])
    await psql.until(/7/)
    await runs(server, 'pg_sleep(20)')
    psql.process.kill('SIGINT')
    await psql.until(/canceling statement due to user request/)
    await psql.ended
  })
})
