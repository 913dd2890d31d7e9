/** IO. Reads the header that a trusted proxy must send before the client's first byte; what it means: proxy-header.ts. */
import { GatewayError } from '../base/errors.ts'
import type { Handshake } from './handshake.ts'
import {
  PROXY_START_BYTES,
  PROXY_V1_BYTES_MAX,
  PROXY_V2_BODY_BYTES_MAX,
  PROXY_V2_HEAD_BYTES,
  type ProxyHeader,
  proxyV2Size,
  proxyVersion,
  readProxyV1,
  readProxyV2,
} from './proxy-header.ts'
import type { AddressSeats } from './seats.ts'

/** Where a connection is from. */
export interface Origin {
  /** Index into `config.listeners`. */
  readonly listener: number
  /** The socket's. */
  readonly peer: string
  /** The client's: the peer's, or what a trusted proxy says. */
  readonly address: string
}

/**
 * `seat`: set for a trusted proxy's connection. Rejects with GW_MALFORMED, or GW_TOO_MANY_FROM_ADDRESS where the
 * proxy's client has `max` connections already.
 */
export async function originOf(
  client: Handshake,
  task: { readonly listener: number; readonly address: string; readonly seat: number | undefined },
  count: { readonly seats: AddressSeats; readonly max: number },
): Promise<Origin> {
  const { listener, address: peer, seat } = task
  const address = seat === undefined ? peer : await takeProxyHeader(client)
  if (seat === undefined || address === undefined) return { listener, peer, address: peer }
  if (!count.seats.take(seat, address, count.max))
    throw new GatewayError('GW_TOO_MANY_FROM_ADDRESS', 'connections of an address behind a proxy')
  return { listener, peer, address }
}

/** The client's address; undefined where the proxy speaks for itself. Rejects with GW_MALFORMED. */
export async function takeProxyHeader(client: Handshake): Promise<string | undefined> {
  const start = await client.take(PROXY_START_BYTES)
  const version = proxyVersion(start)
  const header =
    version === 2
      ? await takeV2(client)
      : version === 1
        ? await takeV1(client, start.toString('latin1'))
        : 'malformed'
  if (header !== 'malformed') return header.address
  throw new GatewayError('GW_MALFORMED', 'no PROXY header from an address that must send one', {
    say: 'An address in proxy_protocol_from must begin with a PROXY header.',
  })
}

async function takeV1(client: Handshake, start: string): Promise<ProxyHeader> {
  let line = start
  // The end is not known before it is there, and what follows it is the client's.
  while (!line.endsWith('\r\n')) {
    if (line.length >= PROXY_V1_BYTES_MAX) return 'malformed'
    line += (await client.take(1)).toString('latin1')
  }
  return readProxyV1(line.substring(0, line.length - 2))
}

async function takeV2(client: Handshake): Promise<ProxyHeader> {
  const head = await client.take(PROXY_V2_HEAD_BYTES)
  const size = proxyV2Size(head)
  if (size > PROXY_V2_BODY_BYTES_MAX) return 'malformed'
  return readProxyV2(head, await client.take(size))
}
