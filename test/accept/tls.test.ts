import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { expect, test } from 'vitest'
import { secureClient, serverContext } from '../../src/accept/tls.ts'
import { SocketWire } from '../../src/accept/wire.ts'
import type { ListenerConfig } from '../../src/config/shape.ts'
import { makeCertificate } from '../lib/certificate.ts'

/** A TLS client of a wire that takes the server's part, and what the wire received and how it ended. */
async function secured(options: ConnectionOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  const { cert, key } = makeCertificate(folder, 'near.test')
  const listener = { tls: { cert, key: { file: key } } } as unknown as ListenerConfig
  const context = serverContext(listener, () => readFileSync(key, 'utf8'))!
  rmSync(folder, { recursive: true })
  let accepted = (_: Socket) => {}
  const peer = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const server = createServer((socket) => accepted(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const wire = await SocketWire.dial({ host: '127.0.0.1', port }, 5000)
  const client = connect({ socket: await peer, rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  server.close()
  const done = secureClient(wire, { context, protocol: 'postgresql' })
  return { wire, client, done }
}

test('a client that agreed on TLS 1.2 cannot ask for another handshake in the middle', async () => {
  const { wire, client, done } = await secured({ maxVersion: 'TLSv1.2' })
  await Promise.all([done, new Promise((resolve) => client.once('secureConnect', resolve))])
  let received = ''
  wire.listen({
    bytes: (bytes, start, end) => {
      received += bytes.toString('latin1', start, end)
    },
    end() {},
    drained() {},
    closed() {},
  })
  const renegotiated = await new Promise<boolean>((resolve) => {
    client.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null))
    client.once('close', () => resolve(false))
    client.once('error', () => resolve(false))
  })
  expect(renegotiated).toBe(false)
  expect(received).toBe('')
  client.destroy()
  wire.destroy()
})

test('a client that offers another protocol by ALPN gets no handshake', async () => {
  const { wire, client, done } = await secured({ ALPNProtocols: ['h2', 'http/1.1'] })
  await expect(done).rejects.toThrow('TLS')
  client.destroy()
  wire.destroy()
})
