import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { bind, execute, parse, query, SYNC, WireClient } from '../lib/wire-client.ts'

/** AuthenticationOk, ReadyForQuery. */
const LOGIN = Buffer.from('5200000008000000005a0000000549', 'hex')

/** Lets everybody in, and is gone when it is asked something, as a target that is shut down in this moment. */
const dying = createServer((socket: Socket) => {
  socket.on('error', () => {})
  socket.once('data', () => {
    socket.write(LOGIN)
    socket.once('data', () => socket.destroy())
  })
})
let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve))
  const { port } = dying.address() as AddressInfo
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
  gateway = await startGateway({
    connections: {
      dying: {
        server: { host: '127.0.0.1', port },
        ...{ database: 'd', user: 'u', auth: ['trust'], more: { max_sessions: 1 } },
      },
      short: {
        server,
        ...{ database: 'postgres', user: 'app', password: 'app-secret' },
        more: { statement_timeout: '400ms' },
      },
    },
  })
  token = await gateway.token({ subject: 'ci' })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
  dying.close()
})

test('a target that dies before its first answer leaves no session behind', async () => {
  // It is let in, as by the target itself, and told of its end, which may come with the welcome.
  const attempt = async () => {
    try {
      const client = await WireClient.login(gateway.url(token, 'dying'), {})
      if (client.error() === undefined) await client.until('E')
      client.end()
      return client.error()?.C
    } catch (error) {
      return (error as Error).message.substring(0, 5)
    }
  }
  const first = await attempt()
  expect(first).toBe('08006')
  // A wire lingers for two seconds at most; then the only place is free again.
  await new Promise((resolve) => setTimeout(resolve, 3500))
  expect(await attempt()).toBe(first)
}, 180_000)

test('a pipeline without its Sync is no statement that runs too long; one that runs is stopped', async () => {
  const client = await WireClient.login(gateway.url(token, 'short'), {})
  client.send(parse('SELECT 1'), bind(), execute())
  await new Promise((resolve) => setTimeout(resolve, 6500))
  expect(client.isClosed).toBe(false)
  client.send(parse('SELECT pg_sleep(20)'), bind(), execute())
  await client.until('E')
  expect(client.error()?.C).toBe('57014')
  await client.ask(SYNC)
  expect((await client.ask(query('SELECT 1'))).map(({ kind }) => kind).join('')).toBe('TDCZ')
  client.end()
}, 180_000)
