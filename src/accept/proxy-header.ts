/**
 * Pure. The PROXY protocol, versions 1 and 2: what a proxy says of the client before the client's own first byte.
 * https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 *
 *   v1:  PROXY TCP4 192.0.2.1 198.51.100.1 56324 5432 CR LF             at most 107 bytes
 *   v2:  ┌──────────────┬─────────────────┬──────────────────┬──────────┬───────────────────────────┐
 *        │ signature 12 │ version 4·cmd 4 │ family 4·proto 4 │ size u16 │ addresses, ports, options │
 *        └──────────────┴─────────────────┴──────────────────┴──────────┴───────────────────────────┘
 *
 * Options of version 2 are skipped: what a proxy saw of TLS is not asked for here. Whether the proxy may say such
 * things is decided before anything is read (gateway.ts).
 */
import { addressBytes } from '../base/cidr.ts'
import { normalAddress } from './address.ts'

/** Enough to tell the versions apart; every header is longer. */
export const PROXY_START_BYTES = 12
/** After the start of version 2. */
export const PROXY_V2_HEAD_BYTES = 4
export const PROXY_V1_BYTES_MAX = 107
/** Addresses take 36; the rest are options. */
export const PROXY_V2_BODY_BYTES_MAX = 4096

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const UNKNOWN = 'PROXY UNKNOWN'

/** `address: undefined`: the proxy speaks for itself, such as to see whether we live. */
export type ProxyHeader = { readonly address: string | undefined } | 'malformed'

export function proxyVersion(start: Buffer): 1 | 2 | undefined {
  if (start.equals(SIGNATURE)) return 2
  return start.toString('latin1').startsWith('PROXY ') ? 1 : undefined
}

/** `line`: without its CR LF. */
export function readProxyV1(line: string): ProxyHeader {
  if (line === UNKNOWN || line.startsWith(`${UNKNOWN} `)) return { address: undefined }
  const [, family, source = '', target = '', ...ports] = line.split(' ')
  const bytes = family === 'TCP4' ? 4 : family === 'TCP6' ? 16 : 0
  const isV6 = bytes === 16
  for (const address of [source, target]) {
    if (address.includes(':') !== isV6 || address.includes('%')) return 'malformed'
    if (addressBytes(address) === undefined) return 'malformed'
  }
  const isPort = (text: string) => /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) < 65_536
  if (bytes === 0 || ports.length !== 2 || !ports.every(isPort)) return 'malformed'
  return { address: normalAddress(source) }
}

/** Bytes that follow the head of version 2. */
export function proxyV2Size(head: Buffer): number {
  return head.readUInt16BE(2)
}

export function readProxyV2(head: Buffer, body: Buffer): ProxyHeader {
  const [version, command] = [head[0]! >> 4, head[0]! & 15]
  const [family, transport] = [head[1]! >> 4, head[1]! & 15]
  if (version !== 2 || command > 1 || family > 3 || transport > 2) return 'malformed'
  // Unspecified, and a Unix socket of the proxy's own: nothing that a limit or a record could name.
  if (command === 0 || family === 0 || family === 3) return { address: undefined }
  const size = family === 1 ? 4 : 16
  if (transport !== 1 || body.length < 2 * size + 4) return 'malformed'
  return { address: normalAddress(family === 1 ? textOfV4(body) : textOfV6(body)) }
}

function textOfV4(body: Buffer): string {
  return Array.from({ length: 4 }, (_, at) => body[at]!).join('.')
}

function textOfV6(body: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => body.readUInt16BE(2 * at).toString(16)).join(':')
}
