/**
 * IO. The bare Node splice: accepts, dials, copies bytes both ways and knows nothing. What Node itself costs; whatever the
 * gateway adds is seen beside it. A process of its own: `node splice.js <listen port> <target port> <workers>`.
 *
 * Not a proxy to use: it can lose the last bytes when one side closes while the other still writes.
 */
import cluster from 'node:cluster'
import { connect, createServer } from 'node:net'

const [port = 0, target = 0, workers = 2] = process.argv.slice(2).map(Number)

if (cluster.isPrimary) {
  let ready = 0
  cluster.on('listening', () => {
    if (++ready === workers) process.stdout.write('splice ready\n')
  })
  cluster.on('exit', () => process.exit(1))
  for (let i = 0; i < workers; i++) cluster.fork()
} else {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.on('data', (chunk) => upstream.write(chunk))
    upstream.on('data', (chunk) => client.write(chunk))
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('end', end).on('close', end).on('error', end)
  })
  server.listen({ port, host: '127.0.0.1', backlog: 4096 })
}
