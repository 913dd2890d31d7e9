/** Clients that stop in the middle of TLS: the time for the handshake covers it, by request and direct. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCertificate } from '../lib/certificate.ts'
import { PostgresClient } from './client.ts'
import { until } from './load.ts'
import { descriptorsOf, type Place, startPlace } from './place.ts'

const HANDSHAKE_MS = 1500
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
/** A TLS record of 512 bytes with the first two of its handshake message. */
const BEGUN = Buffer.from([22, 3, 1, 2, 0, 1, 0])

const folder = mkdtempSync(join(tmpdir(), 'sluice-silent-tls-'))
let place: Place
beforeAll(async () => {
  const { cert, key } = makeCertificate(folder, 'localhost')
  place = await startPlace({
    config: { limits: { handshake: `${HANDSHAKE_MS}ms` } },
    listener: { tls: { cert, key: { file: key } } },
  })
  await (await place.client()).close()
})
afterAll(async () => {
  await place?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const stops: Record<string, (client: PostgresClient) => Promise<void>> = {
  'behind its request for TLS': async (client) => {
    client.socket.write(SSL_REQUEST)
    await new Promise((answered) => client.socket.once('data', answered))
  },
  'inside its first record': async (client) => {
    client.socket.write(SSL_REQUEST)
    await new Promise((answered) => client.socket.once('data', answered))
    client.socket.write(BEGUN)
  },
  'inside its first record, without a request': async (client) => {
    client.socket.write(BEGUN)
  },
}

test.each(Object.entries(stops))(
  'one that stops %s is closed in time',
  async (_, stop) => {
    const before = descriptorsOf(place.gateway.pid)
    const client = new PostgresClient(place.gateway.port)
    const since = performance.now()
    await stop(client)
    await client.closed
    const ms = performance.now() - since
    expect(ms).toBeGreaterThan(HANDSHAKE_MS - 100)
    // Nothing can be said to it, so nothing lingers.
    expect(ms).toBeLessThan(HANDSHAKE_MS + 1500)
    await until(() => descriptorsOf(place.gateway.pid) <= before + 3, 'descriptors', 30_000)
  },
  // Without the handshake's time all three hang, and `test:guards` waits five minutes for them together.
  60_000,
)
