/** Clients that are slow, silent, or gone: each costs little, ends in time, and hurts nobody else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { frame, PostgresClient, startup } from './client.ts'
import { figure, pause, until } from './load.ts'
import {
  ask,
  CONNECTION,
  descriptorsOf,
  type Place,
  residentMiB,
  sessionsAt,
  startPlace,
} from './place.ts'

const HANDSHAKE_MS = 2000
const LARGE = "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"

let place: Place
beforeAll(async () => {
  place = await startPlace({ config: { limits: { handshake: `${HANDSHAKE_MS}ms` } } })
  const warm = await place.client()
  await warm.query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
  await warm.close()
})
afterAll(() => place?.stop())

/** What a neighbour's statement takes, in milliseconds. */
async function neighbour(): Promise<number> {
  const client = await place.client()
  const since = performance.now()
  expect((await client.query('SELECT 3')).rows).toEqual(['3'])
  const ms = performance.now() - since
  await client.close()
  return ms
}

/**
 * The gateway's own descriptors come and go: a segment of each worker, connections to the record store. Fewer than two
 * lost sessions would hold, and the tests lose five.
 */
const OWN = 3

async function expectAllGone(before: number): Promise<void> {
  await until(
    async () => (await sessionsAt(place.server)) === 0,
    'the sessions at the target to end',
  )
  await until(() => descriptorsOf(place.gateway.pid) <= before + OWN, 'descriptors')
}

test('five that never read a gigabyte cost less than 64 MiB', async () => {
  const pid = place.gateway.pid
  const [descriptors, before] = [descriptorsOf(pid), residentMiB(pid)]
  const clients = await Promise.all(Array.from({ length: 5 }, () => place.client()))
  for (const client of clients) {
    client.socket.pause()
    client.send(LARGE)
  }
  let most = 0
  for (let look = 0; look < 30; look++) {
    await pause(100)
    most = Math.max(most, residentMiB(pid) - before)
  }
  figure(`five clients that do not read: +${most.toFixed(1)} MiB`)
  expect(most).toBeLessThan(64)
  expect(await neighbour()).toBeLessThan(1000)
  for (const client of clients) client.socket.destroy()
  await expectAllGone(descriptors)
}, 180_000)

test('one that reads slowly gets every byte', async () => {
  const client = await place.client()
  const before = client.bytesRead
  client.send("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
  const answer = client.answer()
  for (let round = 0; round < 20; round++) {
    client.socket.pause()
    await pause(20)
    client.socket.resume()
    await pause(5)
  }
  const { rows, error } = await answer
  expect(error).toBe(undefined)
  expect([rows.length, client.bytesRead - before > 20_000_000]).toEqual([20_000, true])
  await client.close()
}, 180_000)

test('one that says nothing, or half of it, is told 08006 when the handshake is over', async () => {
  const packet = startup(CONNECTION)
  const said = [Buffer.alloc(0), packet.subarray(0, 3), packet.subarray(0, 20), packet]
  const before = descriptorsOf(place.gateway.pid)
  for (const bytes of said) {
    const client = new PostgresClient(place.gateway.port)
    const since = performance.now()
    if (bytes.length > 0) client.socket.write(bytes)
    expect((await client.answer()).error).toBe('08006')
    const ms = performance.now() - since
    expect(ms).toBeGreaterThan(HANDSHAKE_MS - 100)
    expect(ms).toBeLessThan(HANDSHAKE_MS + 1500)
    await client.closed
  }
  await expectAllGone(before)
}, 180_000)

test('one that sends a byte at a time is served', async () => {
  const client = new PostgresClient(place.gateway.port)
  const drip = async (bytes: Buffer): Promise<void> => {
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte))
      await pause(1)
    }
  }
  await drip(startup(CONNECTION))
  await client.next()
  await drip(frame('p', `${place.token}\0`))
  expect((await client.answer()).error).toBe(undefined)
  await drip(frame('Q', 'SELECT 6\0'))
  expect((await client.answer()).rows).toEqual(['6'])
  await client.close()
}, 180_000)

test('one that sends a byte now and then has no longer for its handshake than anybody else', async () => {
  const client = new PostgresClient(place.gateway.port)
  const since = performance.now()
  let at = 0
  const packet = startup(CONNECTION)
  const timer = setInterval(() => {
    if (!client.isClosed) client.socket.write(Buffer.of(packet[at++ % packet.length]!))
  }, 250)
  expect((await client.answer()).error).toBe('08006')
  clearInterval(timer)
  expect(performance.now() - since).toBeLessThan(HANDSHAKE_MS + 1500)
  await client.closed
}, 180_000)

test('those that vanish while a result comes leave nothing behind', async () => {
  const before = descriptorsOf(place.gateway.pid)
  const clients = await Promise.all(Array.from({ length: 5 }, () => place.client()))
  for (const client of clients) {
    client.send(`COPY (${LARGE}) TO STDOUT`)
    expect((await client.next())?.kind).toBe('H')
    client.socket.resetAndDestroy()
  }
  await expectAllGone(before)
}, 180_000)

test('one that vanishes in mid-COPY leaves nothing behind', async () => {
  const before = descriptorsOf(place.gateway.pid)
  const client = await place.client()
  client.send('COPY chaos FROM STDIN')
  expect((await client.next())?.kind).toBe('G')
  for (let i = 0; i < 100; i++) client.socket.write(frame('d', '1\n'.repeat(1000)))
  await pause(100)
  client.socket.resetAndDestroy()
  await expectAllGone(before)
  expect(await ask(place.server, 'SELECT count(*) FROM chaos')).toBe('0')
  const sql = `SELECT count() AS n FROM events WHERE kind = 'outcome' AND (session_id, action_id) IN
    (SELECT session_id, action_id FROM events WHERE statement = 'COPY chaos FROM STDIN')`
  const rows = await place.gateway.eventually(sql, ([row]) => Number(row?.n) === 1)
  expect(Number(rows[0]?.n)).toBe(1)
}, 180_000)

test('one that closes its half after a statement is ended in order', async () => {
  const before = descriptorsOf(place.gateway.pid)
  const client = await place.client()
  client.send('INSERT INTO chaos VALUES (7)')
  client.socket.end()
  await client.closed
  await expectAllGone(before)
  expect(await ask(place.server, 'SELECT count(*) FROM chaos WHERE marker = 7')).toBe('1')
}, 180_000)

test('one that resets in mid-handshake costs nothing', async () => {
  const before = descriptorsOf(place.gateway.pid)
  for (let i = 0; i < 50; i++) {
    const client = new PostgresClient(place.gateway.port)
    client.socket.write(startup(CONNECTION))
    if (i % 2 === 0) await client.next()
    client.socket.resetAndDestroy()
  }
  await expectAllGone(before)
  expect(await neighbour()).toBeLessThan(1000)
}, 180_000)
