/** IO. TLS on both legs: towards clients as a listener says, towards targets as a connection says. */
import { constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { GatewayError } from '../base/errors.ts'
import type { ConnectionConfig, ListenerConfig, SecretReference } from '../config/shape.ts'
import type { Wire } from './wire.ts'

/**
 * Who is agreed with stays agreed with: TLS 1.2 would let a peer ask for another handshake in the middle, as dear as the
 * first. As PostgreSQL itself.
 */
const OPTIONS = constants.SSL_OP_NO_RENEGOTIATION

/** undefined: this listener speaks no TLS. Throws when certificate and key cannot be read or do not fit. */
export function serverContext(
  listener: ListenerConfig,
  read: (key: SecretReference) => string,
): SecureContext | undefined {
  if (listener.tls === undefined) return undefined
  const { cert, key } = listener.tls
  return createSecureContext({
    cert: readFileSync(cert),
    key: read(key),
    minVersion: 'TLSv1.2',
    secureOptions: OPTIONS,
  })
}

export interface ClientTls {
  readonly context: SecureContext
  /** Name of the protocol inside, by ALPN: a client that offers names must offer this one. */
  readonly protocol: string
  /** The client began without asking: what it sent so far. It must say by ALPN what it wants then. */
  readonly begun?: Buffer
}

/**
 * Takes the client's side of the handshake; resolves once it is done. ALPN keeps a connection that was meant for
 * another protocol, and redirected, from being understood here.
 */
export function secureClient(client: Wire, { context, protocol, begun }: ClientTls): Promise<void> {
  const offer = Buffer.from(`${String.fromCharCode(protocol.length)}${protocol}`)
  return new Promise((resolve, reject) => {
    const secured = client.secure((plain) => {
      if (begun !== undefined) plain.unshift(begun)
      return new TLSSocket(plain, { isServer: true, secureContext: context, ALPNProtocols: offer })
    })
    const failed = (error?: Error) =>
      reject(
        new GatewayError('GW_MALFORMED', `TLS: ${error?.message ?? 'closed'}`, { cause: error }),
      )
    const done = () => {
      if (begun === undefined || secured.alpnProtocol === protocol) resolve()
      else reject(new GatewayError('GW_MALFORMED', `TLS without ALPN ${protocol}`))
    }
    shake(secured, 'secure', { failed, done })
  })
}

/**
 * `require` encrypts; `verify-full` also checks the certificate's chain and name. Answers the certificate, DER.
 * `host`: as configured. `key`: PEM, with `tls.cert`: what is shown to a target that asks for it.
 */
export function secureTarget(
  target: Wire,
  connection: ConnectionConfig,
  to: { readonly host: string; readonly key: string | undefined },
): Promise<Uint8Array> {
  const { host, key } = to
  const { ca, cert } = connection.tls
  const verified = connection.tls.mode === 'verify-full'
  return new Promise((resolve, reject) => {
    const failed = (error?: NodeJS.ErrnoException) =>
      reject(
        // The message of a wrong name holds the address, which does not belong in the log.
        new GatewayError('GW_UPSTREAM_UNREACHABLE', `TLS: ${error?.code ?? 'closed'}`, {
          cause: error,
          say: `No TLS with the target of "${connection.name}" as \`tls: ${connection.tls.mode}\` asks.`,
        }),
      )
    const secured = target.secure((plain) =>
      connect({
        socket: plain,
        minVersion: 'TLSv1.2',
        secureOptions: OPTIONS,
        rejectUnauthorized: verified,
        // Names only: an address is no server name (RFC 6066 §3); its check goes by `host`.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        host,
        ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
        ...(cert === undefined ? {} : { cert: readFileSync(cert), key }),
      }),
    )
    const done = () => {
      const { raw } = secured.getPeerCertificate(true)
      if (raw === undefined) failed()
      else resolve(raw)
    }
    shake(secured, 'secureConnect', { failed, done })
  })
}

/** Calls `done` on the event that ends the handshake, or `failed` when the socket ends first; never both. */
function shake(
  secured: TLSSocket,
  event: 'secure' | 'secureConnect',
  then: { done: () => void; failed: (error?: Error) => void },
): void {
  secured.once('error', then.failed)
  secured.once('close', then.failed)
  secured.once(event, () => {
    secured.removeListener('error', then.failed)
    secured.removeListener('close', then.failed)
    then.done()
  })
  secured.resume()
}
