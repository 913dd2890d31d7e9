/**
 * A connection that a reload, or an address that changes hands (DNS, a virtual address), leads to another server: what names mean
 * there is not what they meant before.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const POLICY = `
apiVersion: sluice/v1
kind: Policy
name: mail
masks:
  - { columns: [public.people.mail], with: redact }
`
/** What is known of names is asked again when it is older (README, Honest limits). */
const AGE_MS = 3200

let former: Postgres
let later: Postgres
let gateway: Gateway
let token: string
/** An address that stands for one server and then for another, while connections to the former live on. */
let address: Server
let serves: Postgres
const clients: pg.Client[] = []

beforeAll(async () => {
  ;[former, later] = await Promise.all([startPostgres(), startPostgres()])
  for (const server of [former, later])
    server.sql(
      "CREATE TABLE people (mail text, note text); INSERT INTO people VALUES ('secret', 'open')",
    )
  former.sql('CREATE VIEW shown AS SELECT note AS x FROM people')
  later.sql('CREATE VIEW shown AS SELECT mail AS x FROM people')
  const { user, password } = former
  serves = former
  address = createServer((client) => {
    const server = connect(serves.port, '127.0.0.1')
    client.pipe(server).pipe(client)
    for (const one of [client, server]) one.on('error', () => one.destroy())
  })
  await new Promise<void>((resolve) => address.listen(0, '127.0.0.1', resolve))
  const virtual = { ...former, port: (address.address() as AddressInfo).port }
  gateway = await startGateway({
    connections: {
      shop: { server: former, database: 'postgres', user, password },
      virtual: { server: virtual, database: 'postgres', user, password },
    },
    policies: { 'mail.yaml': POLICY },
    // Both kinds of sessions on one worker, which keeps what names mean for all of them.
    config: { workers: 1 },
  })
  token = await gateway.token({ subject: 'agent' })
}, 180_000)
afterAll(async () => {
  for (const client of clients) await client.end().catch(() => {})
  await gateway?.stop()
  address?.close()
  await Promise.all([former?.stop(), later?.stop()])
})

async function open(connection = 'shop'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: gateway.url(token, connection) })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

const shown = async (client: pg.Client): Promise<string> =>
  (await client.query('SELECT x FROM shown')).rows[0].x

test('a session of the former server does not say what a name means on the later one', async () => {
  const old = await open()
  expect(await shown(old)).toBe('open')
  const config = readFileSync(gateway.configPath, 'utf8')
  writeFileSync(gateway.configPath, config.replaceAll(String(former.port), String(later.port)))
  process.kill(gateway.pid, 'SIGHUP')
  let moved = await open()
  const where = async () => Number((await moved.query('SHOW port')).rows[0].port)
  for (let tries = 0; (await where()) !== later.port; tries++) {
    expect(tries).toBeLessThan(100)
    await sleep(100)
    moved = await open()
  }
  expect(await shown(moved)).toBe('****')
  for (let round = 0; round < 2; round++) {
    // The old session asks first, as it did where what it heard was taken for all.
    await sleep(AGE_MS)
    expect(await shown(old)).toBe('open')
    expect(await shown(moved)).toBe('****')
    expect(await shown(await open())).toBe('****')
  }
}, 180_000)

test('an address that another server has taken over is judged by neither for the other', async () => {
  serves = former
  const old = await open('virtual')
  expect(await shown(old)).toBe('open')
  serves = later
  // At once, while what the former one said is fresh.
  const moved = await open('virtual')
  expect(await shown(moved)).toBe('****')
  expect(await shown(old)).toBe('open')
  for (let round = 0; round < 2; round++) {
    await sleep(AGE_MS)
    for (const client of round === 0 ? [old, moved] : [moved, old])
      expect(await shown(client)).toBe(client === old ? 'open' : '****')
    expect(await shown(await open('virtual'))).toBe('****')
    // In a transaction, which takes over what others have loaded without a question.
    for (const client of [moved, old]) {
      await client.query('BEGIN')
      expect(await shown(client)).toBe(client === old ? 'open' : '****')
      await client.query('COMMIT')
    }
  }
}, 180_000)
