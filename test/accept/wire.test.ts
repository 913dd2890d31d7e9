import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { SocketWire, WINDOW_BYTES, type WireSink } from '../../src/accept/wire.ts'
import { makeCertificate } from '../lib/certificate.ts'

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A wire that was dialled, and the peer's socket. */
async function dialled(): Promise<{ wire: SocketWire; peer: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  servers.push(server)
  const peer = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const wire = await SocketWire.dial({ host: '127.0.0.1', port }, 5000)
  const socket = await peer
  sockets.push(socket)
  return { wire, peer: socket }
}

/** Keeps what a sink is told, by copy as a sink must. */
function listening(wire: SocketWire) {
  const heard = { bytes: Buffer.alloc(0), ends: 0, drained: 0, closed: [] as unknown[] }
  const sink: WireSink = {
    bytes: (bytes, start, end) => {
      heard.bytes = Buffer.concat([heard.bytes, bytes.subarray(start, end)])
    },
    end: () => {
      heard.ends += 1
    },
    closed: (error) => {
      heard.closed.push(error)
    },
    drained: () => {
      heard.drained += 1
    },
  }
  wire.listen(sink)
  return heard
}
const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2))
}

test('bytes come and go, and nothing is heard before somebody listens', async () => {
  const { wire, peer } = await dialled()
  peer.write('early')
  const heard = listening(wire)
  await until(() => heard.bytes.length === 5)
  wire.write(Buffer.from('xhellox'), 1, 6)
  const [answer] = await new Promise<Buffer[]>((resolve) =>
    peer.once('data', (...all) => resolve(all)),
  )
  expect([heard.bytes.toString(), answer?.toString()]).toEqual(['early', 'hello'])
  wire.destroy()
})

test('what the kernel does not take is kept in order, by copy, and makes the wire full', async () => {
  const { wire, peer } = await dialled()
  const heard = listening(wire)
  peer.pause()
  const chunk = Buffer.alloc(1 << 20)
  let written = 0
  while (!wire.isFull) {
    chunk.fill(written % 251)
    wire.write(chunk, 0, chunk.length)
    written += 1
  }
  chunk.fill(255)
  expect(written * chunk.length).toBeGreaterThan(WINDOW_BYTES)
  const received: Buffer[] = []
  peer.on('data', (bytes) => received.push(bytes))
  peer.resume()
  await until(() => received.reduce((sum, one) => sum + one.length, 0) === written * chunk.length)
  const all = Buffer.concat(received)
  for (let i = 0; i < written; i++) {
    expect(all.subarray(i << 20, (i + 1) << 20).every((byte) => byte === i % 251)).toBe(true)
  }
  await until(() => heard.drained > 0)
  expect(wire.isFull).toBe(false)
  wire.destroy()
})

test('one that has never read is full with half as much waiting as one that has', async () => {
  const made: Socket[] = []
  const note = (message: unknown) => made.push((message as { socket: Socket }).socket)
  subscribe('net.client.socket', note)
  const { wire, peer } = await dialled()
  unsubscribe('net.client.socket', note)
  const heard = listening(wire)
  const chunk = Buffer.alloc(1024)
  const fill = () => {
    peer.pause()
    while (!wire.isFull) wire.write(chunk, 0, chunk.length)
    return made[0]!.writableLength
  }
  const first = fill()
  expect(first).toBeGreaterThan(64 << 10)
  expect(first).toBeLessThanOrEqual((64 << 10) + chunk.length)
  peer.resume()
  await until(() => heard.drained === 1)
  const later = fill()
  expect(later).toBeGreaterThan(WINDOW_BYTES / 2)
  expect(later).toBeLessThanOrEqual(WINDOW_BYTES / 2 + chunk.length)
  peer.resume()
  await until(() => heard.drained === 2)
  wire.destroy()
})

test('a paused wire is not read, and goes on where it stopped', async () => {
  const { wire, peer } = await dialled()
  const heard = listening(wire)
  await new Promise((resolve) => setImmediate(resolve))
  wire.pause()
  peer.write('later')
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(heard.bytes.length).toBe(0)
  wire.resume()
  await until(() => heard.bytes.length === 5)
  wire.destroy()
})

test('the end of either half is told, and the close once, with the error that made it', async () => {
  const { wire, peer } = await dialled()
  const heard = listening(wire)
  peer.end('bye')
  await until(() => heard.ends === 1)
  expect(heard.bytes.toString()).toBe('bye')
  wire.end()
  await until(() => heard.closed.length > 0)
  expect(heard.closed).toEqual([undefined])
  expect(wire.isClosed).toBe(true)
  wire.write(Buffer.from('x'), 0, 1)
  const late = listening(wire)
  expect(late.closed).toHaveLength(1)
})

test('writing to a peer that has reset does not throw', async () => {
  const { wire, peer } = await dialled()
  const heard = listening(wire)
  peer.resetAndDestroy()
  await until(() => heard.closed.length === 1)
  wire.write(Buffer.from('x'), 0, 1)
  wire.end()
  expect(wire.isClosed).toBe(true)
})

test('what one that was dialled said before it reset is heard to its end, though it is written to meanwhile', async () => {
  const { wire, peer } = await dialled()
  const heard = listening(wire)
  await new Promise((resolve) => setImmediate(resolve))
  wire.pause()
  const words = Buffer.alloc(20_000, 'w')
  await new Promise<unknown>((resolve) => peer.write(words, resolve))
  const closed = new Promise((resolve) => peer.once('close', resolve))
  peer.resetAndDestroy()
  await closed
  for (let round = 0; round < 3; round++) wire.write(Buffer.from('x'), 0, 1)
  wire.resume()
  await until(() => heard.closed.length === 1)
  expect(heard.bytes.equals(words)).toBe(true)
  wire.write(Buffer.from('x'), 0, 1)
})

test('nobody at the address rejects with the socket’s own error', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const dial = SocketWire.dial({ host: '127.0.0.1', port }, 5000)
  await expect(dial).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('two that send at full speed are read in turn', async () => {
  const size = 1 << 20
  const both = [await dialled(), await dialled()]
  for (const { peer } of both) peer.write(Buffer.alloc(size))
  await new Promise((resolve) => setTimeout(resolve, 20))
  const order: number[] = []
  const left = [size, size]
  both.forEach(({ wire }, at) => {
    const bytes = (_: Buffer, start: number, end: number) => {
      if (left.every((rest) => rest > 0)) order.push(at)
      left[at]! -= end - start
    }
    wire.listen({ bytes, end() {}, closed() {}, drained() {} })
  })
  await until(() => left.every((rest) => rest === 0))
  const runs =
    order
      .join('')
      .match(/0+|1+/g)
      ?.map((run) => run.length) ?? []
  expect(order.length).toBeGreaterThan(8)
  // One that has less than a full buffer at hand is read twice in a row now and then.
  expect(Math.max(...runs)).toBeLessThanOrEqual(3)
  for (const { wire } of both) wire.destroy()
})

/** The same, and what it is told while it is not read. */
function unreadListening(wire: SocketWire) {
  const looks: boolean[] = []
  const sink = { bytes() {}, end() {}, closed() {}, drained() {} }
  wire.listen({ ...sink, unread: (hasLeft) => looks.push(hasLeft) })
  return looks
}

test('a paused wire is looked at each second, and a peer that has left behind unread bytes is seen', async () => {
  const [stays, leaves] = [await dialled(), await dialled()]
  const looks = [stays, leaves].map(({ wire, peer }) => {
    const heard = unreadListening(wire)
    wire.pause()
    peer.write('unread')
    return heard
  })
  leaves.peer.end()
  await until(() => looks.every((one) => one.length > 0))
  expect(looks.map((one) => one[0])).toEqual([false, true])
  // Read again, and gone: neither is looked at.
  stays.wire.resume()
  leaves.wire.destroy()
  const before = looks.map((one) => one.length)
  await new Promise((resolve) => setTimeout(resolve, 1200))
  expect(looks.map((one) => one.length)).toEqual(before)
  stays.wire.pause()
  stays.peer.destroy()
  await until(() => looks[0]!.at(-1) === true)
  stays.wire.destroy()
})

test('what the peer has not taken is counted wherever it waits', async () => {
  const { wire, peer } = await dialled()
  listening(wire)
  peer.pause()
  expect(wire.unsentBytes).toBe(0)
  const chunk = Buffer.alloc(1 << 20)
  while (!wire.isFull) wire.write(chunk, 0, chunk.length)
  expect(wire.unsentBytes).toBeGreaterThan(chunk.length)
  expect(wire.heldBytes).toBeGreaterThan(0)
  expect(wire.heldBytes).toBeLessThan(wire.unsentBytes)
  peer.resume()
  await until(() => wire.unsentBytes === 0)
  expect(wire.heldBytes).toBe(0)
  wire.destroy()
  expect(wire.unsentBytes).toBe(0)
})

test('under TLS too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-wire-'))
  const files = makeCertificate(folder, 'near.test')
  const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)]
  rmSync(folder, { recursive: true })
  const { wire, peer } = await dialled()
  const looks = unreadListening(wire)
  wire.pause()
  const server = new TLSSocket(peer, { isServer: true, cert, key })
  const secured = wire.secure((plain) => connectTls({ socket: plain, rejectUnauthorized: false }))
  await new Promise((resolve) => secured.once('secureConnect', resolve))
  // More than is read ahead of a pause.
  server.write(Buffer.alloc(1 << 20))
  await until(() => looks.length > 0)
  expect(looks[0]).toBe(false)
  server.on('error', () => {})
  peer.resetAndDestroy()
  await until(() => looks.at(-1) === true)
  wire.destroy()
})
