/** Targets that reset, restart or hang: the client hears it, can cancel, and the gateway keeps nothing. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startPostgres } from '../lib/postgres.ts'
import { cancelRequest, frame, PostgresClient } from './client.ts'
import { pause, runs, until } from './load.ts'
import { descriptorsOf, type Place, startPlace } from './place.ts'

/** Between gateway and PostgreSQL; what it does to answers is changed while connections are open. */
class Fault {
  readonly server: Server
  readonly #pairs = new Set<{ near: Socket; far: Socket }>()
  /** Bytes of answers that still pass; then each connection is reset. */
  bytesLeft = Number.POSITIVE_INFINITY

  constructor(target: () => number) {
    // Half-open, so that a target that hangs does not answer a close either.
    this.server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect(target(), '127.0.0.1')
      const pair = { near, far }
      this.#pairs.add(pair)
      near.on('error', () => far.destroy())
      far.on('error', () => near.destroy())
      near.on('close', () => this.#pairs.delete(pair) && far.destroy())
      near.pipe(far)
      far.on('end', () => near.end())
      far.on('data', (bytes: Buffer) => {
        near.write(bytes.subarray(0, this.bytesLeft))
        this.bytesLeft -= bytes.length
        if (this.bytesLeft > 0) return
        far.destroy()
        // After what was written is on its way.
        setTimeout(() => near.resetAndDestroy(), 50)
      })
    })
  }

  get port(): number {
    return (this.server.address() as { port: number }).port
  }

  hang(isHanging: boolean): void {
    for (const { far } of this.#pairs) {
      if (isHanging) far.pause()
      else far.resume()
    }
  }

  /** While true nothing is taken of what the gateway sends. */
  deaf(isDeaf: boolean): void {
    for (const { near, far } of this.#pairs) {
      if (isDeaf) near.unpipe(far).pause()
      else near.pipe(far)
    }
  }
}

let place: Place
let targetPort = 0
const fault = new Fault(() => targetPort)
beforeAll(async () => {
  await new Promise<void>((listening) => fault.server.listen(0, '127.0.0.1', listening))
  place = await startPlace({ target: { host: '127.0.0.1', port: fault.port } })
  targetPort = place.server.port
  // What is opened once, and stays, is open from here on.
  for (const client of [await place.client(), await place.client()]) {
    await client.query('SELECT 1')
    await client.close()
  }
  const count = 'SELECT count() AS n FROM events'
  await place.gateway.eventually(count, ([row]) => Number(row?.n) > 0)
})
beforeEach(() => {
  fault.bytesLeft = Number.POSITIVE_INFINITY
})
afterAll(async () => {
  await place?.stop()
  fault.server.close()
})

test('a reset in mid-result never looks like an end', async () => {
  const before = descriptorsOf(place.gateway.pid)
  for (const bytes of [1000, 200_000, 3_000_017]) {
    const client = await place.client()
    await client.query('SELECT 1')
    fault.bytesLeft = bytes
    const { rows, error } = await client.query('SELECT n FROM generate_series(1, 1000000) n')
    expect(['08006', 'closed']).toContain(error)
    expect(rows.length).toBeLessThan(1_000_000)
    expect(rows).toEqual(rows.map((_, at) => String(at + 1)))
    fault.bytesLeft = Number.POSITIVE_INFINITY
    await client.closed
  }
  await until(() => descriptorsOf(place.gateway.pid) <= before + 3, 'descriptors')
}, 180_000)

test('a shutdown of PostgreSQL in mid-query reaches the client; then the connection cannot be reached', async () => {
  const other = await startPostgres({ auth: 'trust' })
  other.sql('CREATE USER app')
  const before = targetPort
  targetPort = other.port
  const [busy, idle] = [await place.client(), await place.client()]
  const asked = busy.query('SELECT pg_sleep(30)')
  await runs(other, 'SELECT pg_sleep(30)')
  await other.stop()
  expect(['57P01', '08006']).toContain((await asked).error)
  expect(['57P01', '08006']).toContain((await idle.answer()).error)
  await expect(place.client()).rejects.toThrow(/08/)
  targetPort = before
  const again = await place.client()
  expect((await again.query('SELECT 2')).rows).toEqual(['2'])
  await again.close()
}, 180_000)

test('a statement that hangs can be cancelled, and the session goes on', async () => {
  const client = await place.client()
  const asked = client.query('SELECT pg_sleep(60)')
  await runs(place.server, 'SELECT pg_sleep(60)')
  const cancel = new PostgresClient(place.gateway.port)
  cancel.socket.write(cancelRequest(client.key))
  await cancel.closed
  expect((await asked).error).toBe('57014')
  expect((await client.query('SELECT 2')).rows).toEqual(['2'])
  await client.close()
}, 180_000)

test('a target that answers nothing holds nobody who wants to leave', async () => {
  const before = descriptorsOf(place.gateway.pid)
  // More than the gateway's own descriptors come and go by.
  const all = await Promise.all(Array.from({ length: 8 }, () => place.client()))
  fault.hang(true)
  for (const client of all) client.send('SELECT 1')
  await pause(200)
  const since = performance.now()
  const [leavers, terminators] = [all.filter((_, at) => at < 4), all.filter((_, at) => at >= 4)]
  for (const client of leavers) client.socket.destroy()
  await Promise.all(terminators.map((client) => client.close()))
  await until(() => descriptorsOf(place.gateway.pid) <= before + 3, 'descriptors')
  // Not when the gateway gives the target up.
  expect(performance.now() - since).toBeLessThan(15_000)
  fault.hang(false)
}, 180_000)

/** Sends rows of a COPY until kernels and gateway keep as much as they can. */
async function fill(client: PostgresClient): Promise<void> {
  const row = frame('d', `${'7'.repeat(60_000)}\n`)
  for (let isTaken = true; isTaken; isTaken = client.socket.writableLength === 0) {
    while (client.socket.write(row));
    for (let look = 0; look < 10 && client.socket.writableLength > 0; look++) await pause(50)
  }
}

/** Exactly: descriptors of the gateway's own come and go by more than one session holds. */
async function sessionsOpen(): Promise<number> {
  const text = await (await fetch(`${place.gateway.controlUrl}/metrics`)).text()
  return Number(/^sluice_sessions_open\{protocol="postgres"\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

test('a target that takes nothing holds nobody who leaves', async () => {
  await until(async () => (await sessionsOpen()) === 0, 'sessions of other tests to end')
  const before = descriptorsOf(place.gateway.pid)
  const all = await Promise.all(Array.from({ length: 4 }, () => place.client()))
  for (const client of all) {
    client.send('COPY chaos FROM STDIN')
    expect((await client.next())?.kind).toBe('G')
  }
  fault.deaf(true)
  for (const client of all) await fill(client)
  const since = performance.now()
  const [ended, reset] = [all.slice(0, 2), all.slice(2)]
  // Its end stands behind bytes that nobody takes of its kernel.
  for (const client of ended) client.socket.destroy()
  for (const client of reset) client.socket.resetAndDestroy()
  await until(async () => (await sessionsOpen()) === 0, 'sessions to end', 40_000)
  expect(performance.now() - since).toBeLessThan(25_000)
  await until(() => descriptorsOf(place.gateway.pid) <= before + 3, 'descriptors')
  fault.deaf(false)
}, 180_000)

test('a target that accepts and says nothing ends the login with 08001, not the gateway', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((listening) => silent.once('listening', listening))
  const before = targetPort
  targetPort = (silent.address() as { port: number }).port
  await expect(place.client()).rejects.toThrow(/^08/)
  targetPort = before
  silent.close()
}, 180_000)
