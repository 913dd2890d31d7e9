/**
 * Pure. Channel binding for SCRAM: what ties a login to the TLS connection it runs in (RFC 5929 §4.1,
 * tls-server-end-point): a hash of the target's certificate, by the hash of the certificate's own signature.
 *
 * Whoever stands between with another certificate sees a proof that is good for nothing; and a target that could
 * bind but is made to look as if it could not finds the flag `y`, and refuses.
 */
import { createHash } from 'node:crypto'
import type { ChannelBinding } from '../threads/messages.ts'

export const UNBOUND: ChannelBinding = { flag: 'n', data: new Uint8Array(0) }

/**
 * `certificate`: DER, undefined without TLS. `isOffered`: the target names SCRAM-SHA-256-PLUS. `isVerified`: the
 * certificate is known to be the target's own. undefined: nothing shows that nobody stands between.
 */
export function bindingFor(
  certificate: Uint8Array | undefined,
  offer: { readonly isOffered: boolean; readonly isVerified: boolean },
): ChannelBinding | undefined {
  if (certificate === undefined) return UNBOUND
  // Who stands between chooses the certificate: that we could bind is said whatever it is.
  if (!offer.isOffered) return { flag: 'y', data: UNBOUND.data }
  const data = endPointHash(certificate)
  if (data !== undefined) return { flag: 'p', data }
  // A certificate without such a hash (Ed25519) can be bound by neither side.
  return offer.isVerified ? UNBOUND : undefined
}

/** undefined: the certificate's signature has no hash of its own, or cannot be read. */
export function endPointHash(certificate: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(certificate)
  const outer = element(bytes, 0)
  const signed = outer && element(bytes, outer.start)
  const algorithm = signed && element(bytes, signed.end)
  const name = algorithm && element(bytes, algorithm.start)
  if (name === undefined || name.end > algorithm!.end) return undefined
  const oid = bytes.toString('hex', name.start, name.end)
  const hash = oid === RSA_PSS ? pssHash(bytes, name.end, algorithm!.end) : HASHES.get(oid)
  return hash === undefined ? undefined : createHash(hash).update(bytes).digest()
}

/** Object identifiers as they are encoded. MD5 and SHA-1 count as SHA-256 (RFC 5929). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010104', 'sha256'], // md5WithRSAEncryption
  ['2a864886f70d010105', 'sha256'], // sha1WithRSAEncryption
  ['2a864886f70d01010e', 'sha224'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d0401', 'sha256'], // ecdsa-with-SHA1
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
])
const RSA_PSS = '2a864886f70d01010a'
/** Hashes alone, as the parameters of RSASSA-PSS name them. */
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['2b0e03021a', 'sha256'], // SHA-1
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
])

/** The parameters are SEQUENCE { [0] SEQUENCE { hash … } … }; without a hash it is SHA-1. */
function pssHash(bytes: Buffer, start: number, end: number): string | undefined {
  const parameters = start < end ? element(bytes, start) : undefined
  if (parameters === undefined) return undefined
  if (bytes[parameters.start] !== 0xa0) return 'sha256'
  const tagged = element(bytes, parameters.start)
  const algorithm = tagged && element(bytes, tagged.start)
  const name = algorithm && element(bytes, algorithm.start)
  return name && PSS_HASHES.get(bytes.toString('hex', name.start, name.end))
}

/** Content of the DER element at `at`; undefined where it does not fit. */
function element(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  const first = bytes[at + 1]
  if (first === undefined) return undefined
  const more = first < 0x80 ? 0 : first & 0x7f
  if (more > 3 || first === 0x80 || at + 2 + more > bytes.length) return undefined
  const size = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  const start = at + 2 + more
  return start + size > bytes.length ? undefined : { start, end: start + size }
}
