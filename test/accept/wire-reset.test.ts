/** Peers that reset while what is written to them waits in Node's own queue, in clear and under TLS. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SocketWire } from '../../src/accept/wire.ts'
import { type Certificate, makeCertificate } from '../lib/certificate.ts'

const servers: Server[] = []
const sockets: Socket[] = []
let files: Certificate
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-wire-'))
  files = makeCertificate(folder, 'near.test')
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function dialled(isSecure: boolean) {
  const server = createServer({ allowHalfOpen: true })
  servers.push(server)
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const wire = await SocketWire.dial({ host: '127.0.0.1', port }, 5000)
  const peer = await accepted
  sockets.push(peer)
  if (!isSecure) return { wire, peer, speaker: peer }
  const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)]
  const speaker = new TLSSocket(peer, { isServer: true, cert, key })
  const secured = wire.secure((plain) => connectTls({ socket: plain, rejectUnauthorized: false }))
  await new Promise((resolve) => secured.once('secureConnect', resolve))
  return { wire, peer, speaker }
}

function listening(wire: SocketWire) {
  const heard = { bytes: 0, ends: 0, drained: 0, closed: [] as unknown[] }
  wire.listen({
    bytes: (_, start, end) => {
      heard.bytes += end - start
    },
    end: () => {
      heard.ends += 1
    },
    closed: (error) => heard.closed.push(error),
    drained: () => {
      heard.drained += 1
    },
  })
  return heard
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2))
}

for (const isSecure of [false, true])
  describe(isSecure ? 'under TLS' : 'in clear', () => {
    test('what one that was dialled said before it reset is heard to its end', async () => {
      const { wire, peer, speaker } = await dialled(isSecure)
      const heard = listening(wire)
      await new Promise((resolve) => setTimeout(resolve, 20))
      wire.pause()
      const words = Buffer.alloc(30_000, 'w')
      await new Promise<unknown>((resolve) => speaker.write(words, resolve))
      // It takes nothing any more: what kernels do not keep waits here.
      speaker.pause()
      const chunk = Buffer.alloc(16 << 20)
      wire.write(chunk, 0, chunk.length)
      expect(wire.isFull).toBe(true)
      const before = heard.drained
      const closed = new Promise((resolve) => peer.once('close', resolve))
      peer.resetAndDestroy()
      await closed
      // Who waited for room here need not any more: nothing is kept.
      await until(() => heard.drained > before)
      expect([wire.isFull, wire.heldBytes, heard.closed]).toEqual([false, 0, []])
      wire.write(chunk, 0, chunk.length)
      expect(wire.heldBytes).toBe(0)
      wire.resume()
      await until(() => heard.closed.length === 1)
      expect(heard.bytes).toBe(words.length)
    }, 10_000)

    test('one that ended before it reset is closed, though reading tells of it no more', async () => {
      const { wire, peer, speaker } = await dialled(isSecure)
      const heard = listening(wire)
      speaker.pause()
      const chunk = Buffer.alloc(16 << 20)
      wire.write(chunk, 0, chunk.length)
      speaker.end()
      await until(() => heard.ends === 1)
      expect(heard.closed).toEqual([])
      peer.resetAndDestroy()
      await until(() => heard.closed.length === 1)
    }, 10_000)
  })
