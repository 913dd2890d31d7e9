/** A field of 1 GB, in a row, in COPY out and in COPY in: it passes, and the gateway holds next to nothing of it. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

/** Resident memory of the gateway's process, all its threads together. */
function residentMiB(): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
}

/** Counts what comes without keeping it, up to the last ReadyForQuery; and the gateway's memory meanwhile. */
async function counted(
  client: WireClient,
  send: () => Promise<void> | void,
): Promise<{ bytes: number; moreMiB: number }> {
  const { socket } = client
  socket.removeAllListeners('data')
  const before = residentMiB()
  let [bytes, most] = [0, before]
  const watch = setInterval(() => {
    most = Math.max(most, residentMiB())
  }, 50)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error(`closed after ${bytes} bytes`)))
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (chunk.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) resolve()
      })
      Promise.resolve(send()).catch(reject)
    })
  } finally {
    clearInterval(watch)
  }
  return { bytes, moreMiB: most - before }
}

const login = () => WireClient.login(gateway.url(token, 'shop'))

test.each([
  ['a row', `SELECT repeat('x', ${FIELD_BYTES})`],
  ['COPY', `COPY (SELECT repeat('x', ${FIELD_BYTES})) TO STDOUT`],
])(
  '1 GB comes down in %s',
  async (_, text) => {
    const client = await login()
    const { bytes, moreMiB } = await counted(client, () => client.send(query(text)))
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
  const { moreMiB } = await counted(client, async () => {
    for (let sent = 0; sent < FIELD_BYTES / 1_000_000; sent++) {
      if (!client.socket.write(chunk))
        await new Promise((resolve) => client.socket.once('drain', resolve))
    }
    client.send(frame('c'))
  })
  console.log(`1 GB up: +${moreMiB.toFixed(1)} MiB`)
  expect(moreMiB).toBeLessThan(MORE_MIB_MAX)
  expect(server.sql('SELECT length(field) FROM large')).toBe(String(FIELD_BYTES))
  client.end()
}, 300_000)
