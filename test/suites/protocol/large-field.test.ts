/** A field of 1 GB, in a row, in COPY out and in COPY in: it passes, and the gateway holds next to nothing of it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { counted } from '../../lib/counted.ts'
import { type Gateway, startGateway } from '../../lib/gateway.ts'
import { type Postgres, startPostgres } from '../../lib/postgres.ts'
import { frame, query, WireClient } from '../../lib/wire-client.ts'

const FIELD_BYTES = 1_000_000_000
const MORE_MIB_MAX = 64

let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'pw'; CREATE TABLE large (field text)")
  server.sql('ALTER TABLE large OWNER TO app; ALTER TABLE large ALTER field SET STORAGE EXTERNAL')
  const target = { server, database: 'postgres', user: 'app', password: 'pw' }
  gateway = await startGateway({ connections: { shop: target } })
  token = await gateway.token({ subject: 'agent' })
}, 180_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

const login = () => WireClient.login(gateway.url(token, 'shop'))

test.each([
  ['a row', `SELECT repeat('x', ${FIELD_BYTES})`],
  ['COPY', `COPY (SELECT repeat('x', ${FIELD_BYTES})) TO STDOUT`],
])(
  '1 GB comes down in %s',
  async (_, text) => {
    const client = await login()
    const { bytes, moreMiB } = await counted(client, gateway.pid, {
      send: () => client.send(query(text)),
    })
    console.log(`1 GB down: +${moreMiB.toFixed(1)} MiB`)
    expect(bytes).toBeGreaterThan(FIELD_BYTES)
    expect(moreMiB).toBeLessThan(MORE_MIB_MAX)
    client.end()
  },
  300_000,
)

test('1 GB goes up in COPY', async () => {
  const client = await login()
  client.send(query('COPY large FROM STDIN'))
  await client.until('G')
  const chunk = frame('d', Buffer.alloc(1_000_000, 'x'))
  const send = async () => {
    for (let sent = 0; sent < FIELD_BYTES / 1_000_000; sent++) {
      if (!client.socket.write(chunk))
        await new Promise((resolve) => client.socket.once('drain', resolve))
    }
    client.send(frame('c'))
  }
  const { moreMiB } = await counted(client, gateway.pid, { send })
  console.log(`1 GB up: +${moreMiB.toFixed(1)} MiB`)
  expect(moreMiB).toBeLessThan(MORE_MIB_MAX)
  expect(server.sql('SELECT length(field) FROM large')).toBe(String(FIELD_BYTES))
  client.end()
}, 300_000)
