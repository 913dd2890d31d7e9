/**
 * IO. The client's side of a PostgreSQL login: start-up packets, TLS, password; and the answers that end it.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 *
 * Nothing that came in clear is looked at after TLS began (the CVE-2021-23222 class): bytes that stand behind an
 * SSLRequest end the session.
 */

import type { Handshake } from '../../accept/handshake.ts'
import { secureClient } from '../../accept/tls.ts'
import { isWithin } from '../../base/cidr.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Claim, Door } from '../protocol.ts'
import {
  CANCEL_REQUEST,
  GSSENC_REQUEST,
  readStartup,
  readText,
  SSL_REQUEST,
  type Startup,
} from './read.ts'
import { CLEARTEXT_PASSWORD, negotiateProtocolVersion } from './write.ts'

/** As PostgreSQL itself (MAX_STARTUP_PACKET_LENGTH). */
const STARTUP_BYTES_MAX = 10_000
/** A TLS record of a handshake begins with it; no start-up packet does, for it would be too long. */
const TLS_HANDSHAKE = 0x16
/** The name of the protocol inside TLS (ALPN, registered with IANA). */
const ALPN = 'postgresql'
/** Room for a JWT. */
const PASSWORD_BYTES_MAX = 16 << 10
/** The newest minor version that is spoken; clients that ask for more are told. */
const MINOR_VERSION = 2
/** Bytes of the cancel keys that clients get: those of 3.2 and newer, and the older ones. */
const CANCEL_KEY_BYTES = { long: 32, short: 4 }

/**
 * Reads until the client has said who it is and where it wants to go. undefined: it was a cancel request, which
 * `door.cancel` was told. Rejects with what to tell the client.
 */
export async function hello(client: Handshake, door: Door): Promise<Claim | undefined> {
  const startup = await firstPacket(client, door)
  if (startup === undefined) return undefined
  const { parameters } = startup
  const minor = Math.min(startup.minor, MINOR_VERSION)
  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  if (startup.minor > MINOR_VERSION || unknown.length > 0) {
    client.send(negotiateProtocolVersion(minor, unknown))
  }
  const target = targetOf(parameters.get('database'))
  if (!client.wire.isSecure && !isWithin(door.peer, door.plaintextFrom)) {
    throw new GatewayError('GW_PLAINTEXT', 'password over plaintext')
  }
  client.send(CLEARTEXT_PASSWORD)
  const credential = await readPassword(client)
  return {
    ...target,
    credential,
    claimedUser: parameters.get('user') ?? '',
    claimedJob: jobOf(parameters.get('application_name')),
    parameters,
    cancelKeyBytes: minor >= 2 ? CANCEL_KEY_BYTES.long : CANCEL_KEY_BYTES.short,
  }
}

async function firstPacket(client: Handshake, door: Door): Promise<Startup | undefined> {
  let tlsAsked = false
  let gssAsked = false
  await takeDirectTls(client, door)
  while (true) {
    const size = (await client.take(4)).readInt32BE(0)
    if (size < 8 || size > STARTUP_BYTES_MAX) {
      throw new GatewayError('GW_MALFORMED', `start-up packet of ${size} bytes`)
    }
    const body = await client.take(size - 4)
    const code = body.readInt32BE(0)
    if (code === SSL_REQUEST && size === 8 && !tlsAsked && !client.wire.isSecure) {
      tlsAsked = true
      await answerTls(client, door)
    } else if (code === GSSENC_REQUEST && size === 8 && !gssAsked && !client.wire.isSecure) {
      gssAsked = true
      noneBuffered(client)
      client.send(Buffer.from('N'))
    } else if (code === CANCEL_REQUEST) {
      const key = Buffer.from(body.subarray(8))
      const isOurs = Object.values(CANCEL_KEY_BYTES).includes(key.length)
      // Who asked takes our close for the sign that what it runs next is safe from this cancel.
      if (isOurs) await door.cancel(body.readInt32BE(4), key)
      return undefined
    } else if (code >>> 16 === 3) {
      return complete(body, size)
    } else if (code >>> 16 === 1234 || code >>> 16 < 3) {
      throw new GatewayError('GW_MALFORMED', `start-up code ${code}`)
    } else {
      throw new GatewayError('GW_UNSUPPORTED', `protocol ${code >>> 16}.${code & 0xffff}`, {
        say: 'The gateway speaks protocol 3.',
      })
    }
  }
}

function complete(body: Buffer, size: number): Startup {
  const packet = Buffer.alloc(size)
  packet.writeInt32BE(size, 0)
  body.copy(packet, 4)
  const startup = readStartup(packet)
  if (startup === undefined) throw new GatewayError('GW_MALFORMED', 'start-up packet')
  return startup
}

/** `sslnegotiation=direct`: TLS from the first byte on, without asking. */
async function takeDirectTls(client: Handshake, door: Door): Promise<void> {
  const first = await client.peek()
  if (first !== TLS_HANDSHAKE) return
  if (door.tls === undefined) {
    throw new GatewayError('GW_MALFORMED', 'TLS on a listener that has no `tls`')
  }
  client.wire.pause()
  const begun = client.rest()
  await client.meanwhile(secureClient(client.wire, { context: door.tls, protocol: ALPN, begun }))
}

async function answerTls(client: Handshake, door: Door): Promise<void> {
  noneBuffered(client)
  if (door.tls === undefined) {
    client.send(Buffer.from('N'))
    return
  }
  client.wire.pause()
  client.send(Buffer.from('S'))
  await client.meanwhile(secureClient(client.wire, { context: door.tls, protocol: ALPN }))
}

function noneBuffered(client: Handshake): void {
  if (client.keptBytes > 0) {
    throw new GatewayError('GW_MALFORMED', 'bytes behind a request for encryption')
  }
}

async function readPassword(client: Handshake): Promise<string> {
  const head = await client.take(5)
  const size = head.readInt32BE(1)
  if (head[0] !== 0x70 || size < 5 || size > PASSWORD_BYTES_MAX) {
    throw new GatewayError('GW_MALFORMED', 'no password message where one was asked for')
  }
  const frame = Buffer.concat([head, await client.take(size - 4)])
  const text = readText(frame, 0, frame.length)
  if (text === undefined) throw new GatewayError('GW_MALFORMED', 'password message')
  return text
}

/** `connection`, or `connection/database`. */
function targetOf(database: string | undefined): {
  connection: string
  database: string | undefined
} {
  if (database === undefined || database === '') {
    throw new GatewayError('GW_NOT_ALLOWED', 'start-up without database')
  }
  const slash = database.indexOf('/')
  if (slash < 0) return { connection: database, database: undefined }
  return { connection: database.substring(0, slash), database: database.substring(slash + 1) }
}

/** `job=…;run=…;agent=…` in the application's name: a claim, good for grouping records. */
function jobOf(name: string | undefined): Claim['claimedJob'] {
  const said = new Map<string, string>()
  for (const part of (name ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) said.set(part.substring(0, equals).trim(), part.substring(equals + 1).trim())
  }
  return { id: said.get('job') ?? '', run: said.get('run') ?? '', agent: said.get('agent') ?? '' }
}
