import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { runs } from '../lib/runs.ts'
import { fieldsOf, frame, int32, type Message, query, WireClient } from '../lib/wire-client.ts'

const CANCEL_REQUEST = 80877102

let server: Postgres
let gateway: Gateway
let url: string

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'; CREATE DATABASE shop OWNER app")
  gateway = await startGateway({
    connections: { shop: { server, database: 'shop', user: 'app', password: 'app-secret' } },
    // Sessions and cancels meet on different workers.
    config: { workers: 2 },
  })
  url = gateway.url(await gateway.token({ subject: 'ci' }), 'shop')
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

/** As libpq does it: closed by the server when the signal is on its way. */
async function cancel(client: WireClient): Promise<void> {
  const key = client.messages.find(({ kind }) => kind === 'K')!.body
  const other = await WireClient.connect(gateway.port)
  other.send(frame('', int32(CANCEL_REQUEST), key))
  await other.closed()
}

function codeOf(answers: readonly Message[]): string {
  const error = answers.find(({ kind }) => kind === 'E')
  return error === undefined ? 'ok' : (fieldsOf(error).C ?? '')
}

test('a statement is cancelled, and what comes next is neither hit nor not understood', async () => {
  const client = await WireClient.login(url, {})
  const seen: string[] = []
  for (let round = 0; round < 20; round++) {
    const sleeping = client.ask(query('SELECT pg_sleep(20)'))
    await runs(server, 'SELECT pg_sleep(20)')
    await new Promise((resolve) => setTimeout(resolve, (round % 5) * 10))
    await cancel(client)
    seen.push(codeOf(await sleeping), codeOf(await client.ask(query(`SELECT ${round}`))))
  }
  client.end()
  expect(seen.filter((_, at) => at % 2 === 0)).toEqual(new Array(20).fill('57014'))
  // PostgreSQL may signal twice for one request; the gateway's own part is that nothing else goes wrong.
  expect(seen.filter((code, at) => at % 2 === 1 && code !== 'ok' && code !== '57014')).toEqual([])
}, 180_000)

test('a cancel right behind a statement that leaves names in doubt is for that statement', async () => {
  const client = await WireClient.login(url, {})
  for (let round = 0; round < 10; round++) {
    await client.ask(query("SET search_path = 'public'"))
    const sleeping = client.ask(query('SELECT pg_sleep(20)'))
    if (round % 2 === 1) await new Promise((resolve) => setTimeout(resolve, round))
    let answered = false
    const answer = sleeping.then((messages) => {
      answered = true
      return codeOf(messages)
    })
    // Before it runs a cancel finds nothing; then it is asked again, as a person does.
    while (!answered) {
      await cancel(client)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect(await answer).toBe('57014')
  }
  client.end()
}, 180_000)

test('statements one right after the other are each cancelled by one request', async () => {
  const client = await WireClient.login(url, {})
  const { host, port } = server
  const direct = new pg.Client({
    host,
    port,
    user: 'app',
    password: 'app-secret',
    database: 'shop',
  })
  await direct.connect()
  const isAsleep = async () => {
    const { rows } = await direct.query(
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'",
    )
    return rows.length > 0
  }
  for (let round = 0; round < 10; round++) {
    const sleeping = client.ask(query('SELECT pg_sleep(9)'))
    while (!(await isAsleep())) await new Promise((resolve) => setTimeout(resolve, 1))
    await cancel(client)
    expect(codeOf(await sleeping)).toBe('57014')
  }
  await direct.end()
  client.end()
}, 180_000)

test('a wrong cancel key does nothing, the right one cancels', async () => {
  const client = await WireClient.login(url, {})
  const key = client.messages.find(({ kind }) => kind === 'K')!.body
  const send = async (pid: Buffer, secret: Buffer) => {
    const other = await WireClient.connect(gateway.port)
    other.send(frame('', int32(CANCEL_REQUEST), pid, secret))
    await other.closed()
    expect(other.received.length).toBe(0)
  }
  const [pid, secret] = [key.subarray(0, 4), key.subarray(4)]
  const sleeping = client.ask(query('SELECT pg_sleep(1.2)'))
  const flipped = Buffer.from(secret)
  flipped[3]! ^= 1
  // At once: a key that nobody owns is answered after a second, and the statement must still run.
  await Promise.all([
    send(pid, flipped),
    send(pid, Buffer.alloc(4)),
    send(int32(pid.readInt32BE(0) + 1), secret),
    send(pid, secret.subarray(0, 2)),
    send(pid, Buffer.concat([secret, Buffer.alloc(28)])),
  ])
  expect((await sleeping).map(({ kind }) => kind).join('')).toBe('TDCZ')
  const again = client.ask(query('SELECT pg_sleep(20)'))
  await runs(server, 'SELECT pg_sleep(20)')
  await send(pid, secret)
  expect((await again).map(({ kind }) => kind).join('')).toMatch(/^T?EZ$/)
  expect(client.error()?.C).toBe('57014')
  // Nothing runs: the cancel must not hit what comes next.
  await send(pid, secret)
  expect((await client.ask(query('SELECT 1'))).length).toBe(4)
  client.end()
})
