/**
 * IO. A relay that reads nothing and keeps bytes of a server back for a while, some of them: what clients see of a
 * server on a machine that has much else to do, without keeping this one busy.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LateRelay {
  readonly port: number
  stop(): Promise<void>
}

/** Every other piece of what the server sends, on average, comes up to `ms` later; never before the one in front. */
export async function startLateRelay(to: number, ms: number): Promise<LateRelay> {
  const sockets = new Set<Socket>()
  const relay = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    for (const one of [client, server]) {
      one.setNoDelay(true)
      one.on('error', () => {})
      sockets.add(one)
      one.once('close', () => sockets.delete(one))
    }
    client.pipe(server)
    let due = 0
    const later = (act: () => void): void => {
      const wait = Math.random() < 0.5 ? 0 : Math.random() * ms
      due = Math.max(due, performance.now() + wait)
      setTimeout(act, due - performance.now())
    }
    server.on('data', (bytes) => later(() => client.write(bytes)))
    server.once('close', () => later(() => client.end()))
    client.once('close', () => server.destroy())
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  return {
    port: (relay.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const one of sockets) one.destroy()
        relay.close(() => resolve())
      }),
  }
}
