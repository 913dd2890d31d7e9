/**
 * Targets that do in the login what no PostgreSQL does: ask for less than `auth` lists, lie about lengths, leave out,
 * repeat and reorder messages, or go quiet. The client reads an error of class 08, nothing is given away, and the
 * gateway keeps nothing. What they may do after the login is played in test/contract.
 */
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { WireClient } from '../lib/wire-client.ts'
import { frame, PostgresClient, startup } from './client.ts'
import { pause, until } from './load.ts'
import { descriptorsOf } from './place.ts'

const PASSWORD = 'never-in-clear-5309'

/** What the target does with a connection, from the start-up packet on. */
let behave: (socket: Socket) => void = () => {}
const received: Buffer[] = []
const target = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', () => behave(socket))
  socket.on('data', (bytes) => received.push(bytes))
})

let gateway: Gateway
let token: string
let before = 0
beforeAll(async () => {
  await new Promise<void>((listening) => target.listen(0, '127.0.0.1', listening))
  const { port } = target.address() as { port: number }
  const server = { host: '127.0.0.1' as const, port }
  gateway = await startGateway({
    connections: {
      c: { server, database: 'd', user: 'u', password: PASSWORD },
      open: { server, database: 'd', user: 'u', auth: ['trust'] },
      older: { server, database: 'd', user: 'u', password: PASSWORD, auth: ['md5'] },
    },
  })
  token = await gateway.token({ subject: 'ci' })
  behave = (socket) => socket.destroy()
  expect(await login()).toMatch(/^08/)
  before = descriptorsOf(gateway.pid)
}, 180_000)
beforeEach(() => {
  received.length = 0
})
afterAll(async () => {
  await gateway?.stop()
  target.close()
})

const auth = (code: number, more: string | Buffer = ''): Buffer => {
  const body = Buffer.concat([Buffer.alloc(4), Buffer.from(more as string)])
  body.writeInt32BE(code, 0)
  return Buffer.concat([head('R', body.length + 4), body])
}
function head(kind: string, size: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.write(kind, 0, 'latin1')
  bytes.writeInt32BE(size, 1)
  return bytes
}
const READY = frame('Z', 'I')
const SASL = auth(10, 'SCRAM-SHA-256\0\0')

/** The target's half of SCRAM up to its first message, with our nonce as it must be. */
function scram(socket: Socket, rounds: number, then: () => void): void {
  socket.write(SASL)
  socket.once('data', (first) => {
    const nonce = /r=([^,\0]+)/.exec(first.toString('latin1'))![1]
    socket.write(auth(11, `r=${nonce}theirs,s=c2FsdHNhbHQ=,i=${rounds}`))
    socket.once('data', then)
  })
}

async function login(connection = 'c'): Promise<string> {
  try {
    const client = await WireClient.login(gateway.url(token, connection))
    client.end()
    return 'in'
  } catch (error) {
    return (error as Error).message
  }
}

describe('asked for less than it lists, the gateway gives nothing', () => {
  const asks: Record<string, Buffer> = {
    'a password in clear': auth(3),
    md5: auth(5, 'salt'),
    'nothing at all': Buffer.concat([auth(0), READY]),
    'another SASL': auth(10, 'OAUTHBEARER\0\0'),
    GSS: auth(7),
    'a method of its own': auth(99),
  }
  for (const [name, bytes] of Object.entries(asks))
    test(name, async () => {
      behave = (socket) => socket.write(bytes)
      expect(await login()).toBe(
        '08004: The target of "c" asks for a way of authentication that `auth` does not list.',
      )
      expect(Buffer.concat(received).includes(PASSWORD)).toBe(false)
    })

  test('a password that the target does not know itself', async () => {
    behave = (socket) =>
      scram(socket, 4096, () => {
        // Who lets us in without the proof has only watched.
        socket.write(Buffer.concat([auth(12, 'v=AAAA'), auth(0), READY]))
      })
    expect(await login()).toMatch(/^08004/)
  })

  test('rounds of SCRAM that would cost hours', async () => {
    behave = (socket) => scram(socket, 2_000_000_000, () => {})
    const since = performance.now()
    expect(await login()).toMatch(/^08004/)
    expect(performance.now() - since).toBeLessThan(5000)
  })
})

describe('messages that no PostgreSQL sends in a login', () => {
  const sends: Record<string, Buffer> = {
    'a length below its own size': head('R', 3),
    'a negative length': head('R', -1),
    'a length beyond every bound': head('R', 0x7fffffff),
    'no authentication first': READY,
    'rows before anything': frame('D', 'x'),
    'an unknown kind': frame('?', ''),
    'SASL continued before it began': auth(11, 'r=x,s=x,i=1'),
    'SASL final before it began': auth(12, 'v=x'),
    'SASL with a nonce that is not ours': Buffer.concat([SASL, auth(11, 'r=x,s=eA==,i=4096')]),
    'authentication in half a message': auth(10).subarray(0, 7),
  }
  for (const [name, bytes] of Object.entries(sends))
    test(name, async () => {
      behave = (socket) => {
        socket.write(bytes)
        // What else it wanted to say is never waited for.
        setTimeout(() => socket.end(), 300)
      }
      expect(await login()).toMatch(/^08/)
    })
})

describe('messages that no PostgreSQL leaves out, repeats, or sends behind its authentication', () => {
  const version = (minor: number) => {
    const body = Buffer.alloc(8)
    body.writeInt32BE(0x30000 + minor, 0)
    return frame('v', body)
  }
  const sends: Record<string, readonly Buffer[]> = {
    'everything but its authentication': [frame('S', 'a\0b\0'), READY, READY],
    'authentication that is over': [auth(0), auth(0), READY],
    'a password, when it has let the gateway in': [auth(0), auth(3), READY],
    'a row': [auth(0), frame('D', 'x'), READY],
    'the end of a statement that nobody sent': [auth(0), frame('C', 'SELECT 1\0'), READY],
    'an unknown kind': [auth(0), frame('?', ''), READY],
    'that it is ready, in two words': [auth(0), frame('Z', 'II')],
    'a cancel key without a key': [auth(0), frame('K', Buffer.alloc(4)), READY],
    'a cancel key that has no end': [auth(0), frame('K', Buffer.alloc(5000)), READY],
    'parameters without end': [auth(0), ...Array(300).fill(frame('S', 'a\0b\0')), READY],
    'another version than was asked for': [version(7), auth(0), READY],
    'two versions, one after the other': [version(1), version(0), auth(0), READY],
    'a version when the authentication is over': [auth(0), version(0), READY],
  }
  for (const [name, messages] of Object.entries(sends))
    test(name, async () => {
      behave = (socket) => socket.write(Buffer.concat(messages))
      const since = performance.now()
      expect(await login('open')).toMatch(/^08P01/)
      expect(performance.now() - since).toBeLessThan(5000)
    })

  test('a proof that it has got is asked for again, and not given', async () => {
    const proofs: string[] = []
    behave = (socket) => {
      socket.write(auth(5, 'salt'))
      socket.on('data', (bytes) => {
        proofs.push(String.fromCharCode(bytes[0]!))
        socket.write(proofs.length < 3 ? auth(5, 'pine') : Buffer.concat([auth(0), READY]))
      })
    }
    expect(await login('older')).toMatch(/^08P01/)
    expect(proofs).toEqual(['p'])
  })
})

test('a target that goes quiet right after the login ends it, and says who was too slow', async () => {
  behave = (socket) => socket.write(Buffer.concat([auth(0), READY]))
  const client = new PostgresClient(gateway.port)
  client.socket.write(startup('open'))
  await client.next()
  client.socket.write(frame('p', `${token}\0`))
  // It is let in, as without the gateway; the end of the welcome is that it is ready.
  let message = await client.next()
  while (message !== undefined && message.kind !== 'E') message = await client.next()
  expect(message?.body.toString()).toContain('C08004')
  expect(message?.body.toString()).toContain('did not answer for 20 s after the login')
  await client.closed
}, 180_000)

test('after all of it the gateway holds nothing, serves, and has said no password in its log', async () => {
  await until(() => descriptorsOf(gateway.pid) <= before + 3, 'descriptors')
  expect(gateway.output()).not.toContain(PASSWORD)
  expect(gateway.output()).not.toContain('GW_INTERNAL')
  behave = (socket) => socket.end(frame('E', 'SFATAL\0C57P03\0Mstarting\0\0'))
  expect(await login()).toBe(
    '08004: The target of "c" refused the gateway\'s login (SQLSTATE 57P03).',
  )
})

test('a token that is revoked while its target is asked to let us in opens no session', async () => {
  let letIn = () => {}
  const asked = new Promise<void>((resolve) => {
    behave = (socket) => {
      letIn = () => socket.write(Buffer.concat([auth(0), frame('K', Buffer.alloc(8)), READY]))
      resolve()
    }
  })
  const stolen = await gateway.token({ subject: 'ci' })
  const session = PostgresClient.open({ port: gateway.port, database: 'open', password: stolen })
  const refused = session.then(
    (client) => client.closed.then(() => 'ended'),
    (error: Error) => error.message,
  )
  await asked
  expect((await gateway.cli(['token', 'revoke', stolen.split('_')[1]!])).code).toBe(0)
  letIn()
  expect(await Promise.race([refused, pause(10_000).then(() => 'lives')])).not.toBe('lives')
}, 60_000)
