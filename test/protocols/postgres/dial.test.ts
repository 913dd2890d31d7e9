/** Against targets on the loopback that say what a test says. */
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { PlaceNotes } from '../../../src/accept/place-notes.ts'
import { dial } from '../../../src/protocols/postgres/dial.ts'
import { ControlPort } from '../../../src/threads/control-port.ts'
import { framed } from '../../contract/frames.ts'
import { CLAIM, grantWith } from '../../fuzz/grants.ts'

const opened: Server[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(opened.splice(0).map((one) => new Promise((done) => one.close(done))))
})

/** Answers the start-up packet of each connection. */
async function target(answer: (socket: Socket, startup: Buffer) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (bytes) => answer(socket, bytes))
  })
  opened.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return (server.address() as { port: number }).port
}

function dialled(ports: readonly number[], options: Parameters<typeof dial>[3]) {
  const grant = grantWith({ auth: 'trust' })
  const addresses = ports.map((port) => ({ host: '127.0.0.1', port }))
  const connection = { ...grant.connection, addresses, tls: { ...grant.connection.tls } }
  const plain = { ...connection, tls: { ...connection.tls, mode: 'disable' as const } }
  const claim = { ...CLAIM, parameters: new Map() }
  return dial(claim, { ...grant, connection: plain }, new ControlPort(1000), options)
}

const starting = framed('E', Buffer.from('SFATAL\0VFATAL\0C57P03\0Mstarting\0\0'))
const READY = Buffer.concat([
  framed('R', Buffer.alloc(4)),
  framed('K', Buffer.alloc(8, 1)),
  framed('Z', Buffer.from('I')),
])

test('all addresses together have one time, however many say that they will be there soon', async () => {
  let asked = 0
  const slow = (socket: Socket) => {
    asked += 1
    setTimeout(() => socket.end(starting), 300)
  }
  const ports = await Promise.all(Array.from({ length: 6 }, () => target(slow)))
  const begun = performance.now()
  await expect(dialled(ports, { waitMsMax: 700 })).rejects.toThrow(/./)
  expect(performance.now() - begun).toBeLessThan(1500)
  expect(asked).toBeLessThan(5)
})

test('a target that knows only the oldest version is asked for the newest again after a while', async () => {
  let now = 0
  const onlyOldest = new PlaceNotes({ forMs: 1000, placesMax: 10, now: () => now })
  const minors: number[] = []
  const port = await target((socket, startup) => {
    const minor = startup.readUInt16BE(6)
    minors.push(minor)
    if (minor > 0) socket.end()
    else socket.write(READY)
  })
  for (const at of [0, 900, 1100]) {
    now = at
    const { wire } = await dialled([port], { onlyOldest })
    wire.destroy()
  }
  expect(minors).toEqual([2, 0, 0, 2, 0])
})

test('is given up in each step when the client has left, with the reason of that', async () => {
  for (const step of ['connected', 'settling']) {
    const gone = new AbortController()
    let closed = () => {}
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve
    })
    const port = await target((socket) => {
      socket.once('close', closed)
      if (step === 'settling') socket.write(READY.subarray(0, READY.length - 6))
      setImmediate(() => gone.abort(new Error('the client has left')))
    })
    await expect(dialled([port], { left: gone.signal })).rejects.toThrow('the client has left')
    await isClosed
  }
})

test('a target that is ready in no state that there is has not let us in', async () => {
  for (const state of ['X', '\0']) {
    const said = Buffer.concat([framed('R', Buffer.alloc(4)), framed('Z', Buffer.from(state))])
    const port = await target((socket) => socket.write(said))
    const dial = dialled([port], { waitMsMax: 5000 })
    await expect(dial).rejects.toMatchObject({ code: 'GW_UPSTREAM_MALFORMED' })
  }
})
