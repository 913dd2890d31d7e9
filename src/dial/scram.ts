/**
 * Pure. The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as PostgreSQL uses it.
 *
 *   C: n,,n=,r=<ours>      S: r=<ours><theirs>,s=<salt>,i=<rounds>
 *   C: c=biws,r=…,p=…      S: v=<signature>, or e=<error>
 *
 * Bound to TLS the first begins `p=tls-server-end-point,,`, and `c` holds that and the certificate's hash.
 *
 * The user name in the message is empty, as libpq sends it: PostgreSQL takes the one of the start-up packet. The salted
 * password comes from outside (vault.ts), because computing it is slow on purpose. The target is not trusted: every field
 * is bounded before it is used.
 */
import { createHash, createHmac } from 'node:crypto'
import type { ChannelBinding } from '../threads/messages.ts'

const MESSAGE_CHARACTERS_MAX = 4096
const NONCE_CHARACTERS_MAX = 1024
const SALT_BYTES_MAX = 1024
/** PostgreSQL's default is 4096; a hostile target could otherwise buy hours of our processor. */
export const ROUNDS_MAX = 1_000_000

const GS2_HEADER = { n: 'n,,', y: 'y,,', p: 'p=tls-server-end-point,,' } as const

/** RFC 3454 tables B.1 (dropped), C.1.2 (become a space) and C.2 to C.9 (prohibited). */
const DROPPED = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Cn}]|\u0340|\u0341|\u200e|\u200f|[\u2028-\u202e]|[\u2061-\u206f]|[\u2ff0-\u2ffb]|[\ufff9-\uffff]|[\u{e0001}-\u{e007f}]/u

export interface ServerFirst {
  readonly text: string
  /** Ours followed by the target's. */
  readonly nonce: string
  readonly salt: Buffer
  readonly rounds: number
}

export interface ClientFinal {
  readonly message: string
  /** What the target must answer if it knows the password: `v=…`. */
  readonly serverFinal: string
}

/** `nonce`: printable ASCII without a comma. */
export function clientFirst(nonce: string, { flag }: ChannelBinding): string {
  return `${GS2_HEADER[flag]}${clientFirstBare(nonce)}`
}

/** A string says what is wrong with the message; it never quotes it. */
export function readServerFirst(text: string, clientNonce: string): ServerFirst | string {
  if (text.length > MESSAGE_CHARACTERS_MAX) return 'the first message is too long'
  const [first, second, third] = text.split(',')
  if (!first?.startsWith('r=')) return 'the nonce is missing'
  const nonce = first.substring(2)
  if (nonce.length > NONCE_CHARACTERS_MAX) return 'the nonce is too long'
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce)) return 'the nonce is not printable'
  // RFC 5802 §5.1: it must extend ours, and by something.
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length)
    return 'the nonce does not extend ours'
  if (!second?.startsWith('s=')) return 'the salt is missing'
  const salt = base64(second.substring(2))
  if (salt === undefined || salt.length === 0) return 'the salt is malformed'
  if (salt.length > SALT_BYTES_MAX) return 'the salt is too long'
  if (!third?.startsWith('i=')) return 'the number of rounds is missing'
  if (!/^[1-9]\d{0,9}$/.test(third.substring(2))) return 'the number of rounds is malformed'
  const rounds = Number(third.substring(2))
  if (rounds > ROUNDS_MAX) return 'the number of rounds is too high'
  // What follows are optional extensions, which a client ignores; a mandatory one stands first (m=).
  return { text, nonce, salt, rounds }
}

/** `saltedPassword`: PBKDF2-HMAC-SHA-256 of the prepared password, the salt and the rounds, 32 bytes. */
export function clientFinal(
  saltedPassword: Uint8Array,
  client: { readonly nonce: string; readonly binding: ChannelBinding },
  server: ServerFirst,
): ClientFinal {
  const { nonce: clientNonce, binding } = client
  const bound = Buffer.concat([Buffer.from(GS2_HEADER[binding.flag]), binding.data])
  const withoutProof = `c=${bound.toString('base64')},r=${server.nonce}`
  const authMessage = `${clientFirstBare(clientNonce)},${server.text},${withoutProof}`
  const clientKey = hmac(saltedPassword, 'Client Key')
  const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage)
  const proof = Buffer.alloc(32)
  for (let at = 0; at < 32; at++) proof[at] = clientKey[at]! ^ signature[at]!
  const expected = hmac(hmac(saltedPassword, 'Server Key'), authMessage)
  return {
    message: `${withoutProof},p=${proof.toString('base64')}`,
    serverFinal: `v=${expected.toString('base64')}`,
  }
}

/**
 * SASLprep (RFC 4013) as PostgreSQL applies it: plain ASCII as it is; a text with prohibited characters or a forbidden
 * mixture of directions as it is too, instead of an error.
 */
export function preparePassword(password: string): string {
  if (/^[\x00-\x7f]*$/.test(password)) return password
  const prepared = password.replace(SPACES, ' ').replace(DROPPED, '').normalize('NFKC')
  if (prepared === '' || PROHIBITED.test(prepared) || mixesDirections(prepared)) return password
  return prepared
}

/** The answer to AuthenticationMD5Password: https://www.postgresql.org/docs/current/protocol-flow.html */
export function md5Answer(login: { user: string; password: string }, salt: Uint8Array): string {
  const inner = createHash('md5').update(login.password).update(login.user).digest('hex')
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`
}

/** RFC 3454 §6: with any right-to-left character, none may run left-to-right, and both ends must run right-to-left. */
function mixesDirections(text: string): boolean {
  const rightToLeft =
    /[\u05be\u05c0\u05c3\u05d0-\u05f4\u061b-\u064a\u066d-\u06d5\u06fa-\u0710\u0712-\u07b1\ufb1d-\ufdfc\ufe70-\ufefc]/
  if (!rightToLeft.test(text)) return false
  const characters = [...text]
  const ends = [characters[0]!, characters.at(-1)!]
  const leftToRight = characters.some((one) => /\p{L}/u.test(one) && !rightToLeft.test(one))
  return leftToRight || !ends.every((one) => rightToLeft.test(one))
}

function clientFirstBare(nonce: string): string {
  return `n=,r=${nonce}`
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Strict: Node itself would skip what it does not know. */
function base64(text: string): Buffer | undefined {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? Buffer.from(text, 'base64')
    : undefined
}
