import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import {
  bind,
  cstring,
  execute,
  frame,
  parse,
  query,
  SYNC,
  startup,
  TERMINATE,
  WireClient,
} from '../lib/wire-client.ts'

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
/** Takes connections and says nothing. */
const arrivals: Socket[] = []
const mute = createServer((socket: Socket) => {
  socket.on('error', () => {})
  arrivals.push(socket)
  mute.emit('arrival', socket)
})
let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const { port } = dying.address() as AddressInfo
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
  gateway = await startGateway({
    connections: {
      dying: {
        server: { host: '127.0.0.1', port },
        ...{ database: 'd', user: 'u', auth: ['trust'], more: { max_sessions: 1 } },
      },
      mute: {
        server: { host: '127.0.0.1', port: (mute.address() as AddressInfo).port },
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
  for (const socket of arrivals) socket.destroy()
  mute.close()
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

describe('a client whose target says nothing yet', () => {
  const dials = async () => {
    const arrival = new Promise<Socket>((resolve) => mute.once('arrival', resolve))
    const client = await WireClient.connect(gateway.port)
    client.send(startup({ user: 'x', database: 'mute' }))
    await client.until('R')
    client.send(frame('p', cstring(token)))
    return { client, target: await arrival }
  }

  test('gives its place back at once when it leaves', async () => {
    const since = performance.now()
    // Each needs the only place that the connection has.
    for (let round = 0; round < 3; round++) {
      const { client, target } = await dials()
      const closed = new Promise((resolve) => target.once('close', resolve))
      target.resume()
      client.end()
      await closed
    }
    // Given up by themselves, each would have taken twenty seconds.
    expect(performance.now() - since).toBeLessThan(20_000)
    const ended = `SELECT status FROM events WHERE kind = 'close' AND connection = 'mute'`
    const rows = await gateway.eventually(ended, (all) => all.length === 3)
    expect(rows.map(({ status }) => status)).toEqual(Array(3).fill('client closed'))
  }, 180_000)

  test('is told when it says more than is kept, and nothing of that is left out', async () => {
    const { client } = await dials()
    client.send(query('x'.repeat(40_000)))
    await client.until('E')
    expect(client.error()?.C).toBe('54000')
    client.end()
  })
})

describe('a client that closes its half behind what it asks gets all that PostgreSQL answers', () => {
  /** Kinds of what comes up to the close, apart from what tells of settings. */
  const said = ({ messages }: WireClient) =>
    messages
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'S')
      .join('')
  const half = async (url: string, ...frames: readonly Uint8Array[]) => {
    const client = await WireClient.login(url)
    const before = said(client).length
    client.socket.end(Buffer.concat(frames))
    await client.closed()
    return said(client).substring(before)
  }
  const ROWS = "SELECT repeat('x', 1000) FROM generate_series(1, 5000)"

  test('and its actions have the outcome that they had', async () => {
    const url = gateway.url(token, 'short')
    expect(await half(url, query('SELECT 1 AS half'))).toBe('TDCZ')
    expect(await half(url, query(ROWS))).toBe(`T${'D'.repeat(5000)}CZ`)
    expect(await half(url, query(`COPY (${ROWS}) TO STDOUT`))).toBe(`H${'d'.repeat(5000)}cCZ`)
    expect(await half(url, query('SELECT 1 AS half'), query('SELECT 2 AS half'), TERMINATE)).toBe(
      'TDCZTDCZ',
    )
    expect(await half(url, parse('SELECT 3 AS half'), bind(), execute(), SYNC)).toBe('12DCZ')
    // Without its Sync PostgreSQL has answered nothing of it when it sees the end.
    expect(await half(url, parse('SELECT 4'), bind(), execute())).not.toContain('Z')
    const actions = `SELECT action_id FROM events WHERE kind = 'action' AND statement LIKE '%AS half'`
    const halves = `SELECT status FROM events WHERE kind = 'outcome' AND action_id IN (${actions})`
    const rows = await gateway.eventually(halves, (all) => all.length === 4)
    expect(rows.map(({ status }) => status)).toEqual(Array(4).fill('ok'))
  }, 180_000)

  test('also when it has said all of it before its login is over', async () => {
    const client = await WireClient.connect(gateway.port)
    const hello = startup({ user: 'x', database: 'short' })
    client.socket.end(
      Buffer.concat([hello, frame('p', cstring(token)), query('SELECT 1'), query('SELECT 2')]),
    )
    await client.closed()
    expect(said(client)).toMatch(/^RRKZ.*TDCZTDCZ$/)
  })

  test('and what it began to copy is undone', async () => {
    server.sql('CREATE TABLE kept (n int); GRANT ALL ON kept TO app')
    const url = gateway.url(token, 'short')
    const row = frame('d', Buffer.from('1\n'))
    expect(await half(url, query('COPY kept FROM STDIN'), row, frame('c'))).toMatch(/^GCZ/)
    expect(await half(url, query('COPY kept FROM STDIN'), row)).not.toContain('C')
    expect(server.sql('SELECT count(*) FROM kept')).toBe('1')
  })
})
