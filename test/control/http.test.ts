/** The real listener, spoken to by bare sockets. */
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { text } from '../../src/control/answer.ts'
import { type Listener, type ListenOptions, listen } from '../../src/control/http.ts'

const opened: Listener[] = []
afterEach(() => {
  for (const listener of opened.splice(0)) listener.close()
})

/** What each request was, as its handler saw it. */
async function serving(options: Partial<ListenOptions> = {}) {
  const seen: string[] = []
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    bodyBytesMax: () => 1000,
    handle: ({ method, path, body }) => {
      seen.push(`${method} ${path} ${body.toString()}`)
      return Promise.resolve(text(200, 'done'))
    },
    ...options,
  })
  opened.push(listener!)
  return { seen, port: listener!.port }
}

/** All that comes up to the close, or to the given number of answers. */
function said(port: number, bytes: string, answers = Number.POSITIVE_INFINITY): Promise<string[]> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const statuses = () => [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      if (statuses().length >= answers) socket.destroy()
    })
    socket.on('close', () => resolve(statuses()))
  })
}

const head = (...lines: string[]) =>
  `${['POST /a HTTP/1.1', 'Host: h', ...lines].join('\r\n')}\r\n\r\n`
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n'

test('requests come one behind the other, with the bodies that they say', async () => {
  const { seen, port } = await serving()
  const chunked = `${head('Transfer-Encoding: chunked')}2\r\nhi\r\n0\r\n\r\n`
  const all = `${head('Content-Length: 2')}ho${chunked}${HIDDEN}`
  expect(await said(port, all, 3)).toEqual(['200', '200', '200'])
  expect(seen).toEqual(['POST /a ho', 'POST /a hi', 'GET /hidden '])
})

test.each([
  ['two lengths', ['Content-Length: 2', `Content-Length: ${HIDDEN.length + 2}`]],
  ['the same length twice', ['Content-Length: 2', 'Content-Length: 2']],
  ['an encoding that is unknown', ['Transfer-Encoding: xchunked']],
  ['an encoding behind the chunks', ['Transfer-Encoding: chunked, identity']],
  ['two encodings', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']],
  ['a length and an encoding', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
  ['a length below nothing', ['Content-Length: -2']],
  ['a length beyond all numbers', [`Content-Length: ${'9'.repeat(30)}`]],
])('a request with %s is refused, and nothing behind it is read', async (_, lines) => {
  const { seen, port } = await serving()
  expect(['', '400']).toContain((await said(port, `${head(...lines)}{}${HIDDEN}`)).join())
  expect(seen).toEqual([])
})

test('a body beyond the limit is refused before it is there', async () => {
  const { seen, port } = await serving()
  expect(await said(port, `${head('Content-Length: 5000')}${'x'.repeat(1001)}`)).toEqual(['413'])
  expect(seen).toEqual([])
})

test('connections beyond the limit are closed, and room is there again when others end', async () => {
  const { port } = await serving({ connectionsMax: 2 })
  const idle = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  await Promise.all(idle.map((one) => new Promise((resolve) => one.once('connect', resolve))))
  expect(await said(port, HIDDEN)).toEqual([])
  for (const one of idle) one.destroy()
  await expect.poll(() => said(port, HIDDEN, 1)).toEqual(['200'])
})
