/**
 * Pure. What is hashed and signed: texts of leaves, heads and keys, each a JSON list whose first member says what it is.
 * The text itself is what counts; nobody needs to make it again from its parts.
 *
 *   leaf  ["sluice-leaf-1", chain, n, at, segment, session, first, last, events, contents, hints, proof, connection]
 *   head  ["sluice-head-1", chain, number, size, root, at, instance, kind, previous, retention, key]
 *   key   ["sluice-key-1", chain, id, public key, at, signed by]
 *
 * `at` is in microseconds since 1970, hashes and digests are hexadecimal, keys base64 (SPKI, DER). `previous` is the
 * SHA-256 of the text of the head before, so that one signature speaks for all heads before it. `retention` is a number
 * of days, or a mapping from connections to theirs, with '' for all others.
 */
import {
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { Run } from './canonical.ts'

/**
 * How it came into the chain: `live` by the run of the gateway that recorded it; `recovered` by a later run, after a
 * crash; `sealed` likewise, and the ratchet of the crashed run holds up to here; `broken` where the ratchet does not hold.
 */
export type Proof = 'live' | 'recovered' | 'sealed' | 'broken'

export interface Leaf {
  readonly chain: string
  readonly n: number
  readonly at: number
  readonly segment: string
  readonly run: Run
  readonly salt: Uint8Array
  readonly proof: Proof
}

export function leafText({ chain, n, at, segment, run, salt, proof }: Leaf): string {
  const { session, first, last, events, contents, connection } = run
  const list = ['sluice-leaf-1', chain, n, at, segment, session, first, last, events, contents]
  return JSON.stringify([...list, hintsDigest(salt, run.hints), proof, connection])
}

/** Salted like the contents, since checksums say something about them. */
export function hintsDigest(salt: Uint8Array, hints: string): string {
  return hash('sha256', Buffer.concat([salt, Buffer.from(hints, 'latin1')]), 'hex')
}

export interface Head {
  readonly chain: string
  readonly number: number
  readonly size: number
  readonly root: string
  readonly at: number
  /** The run of the gateway. */
  readonly instance: string
  /** `start` and `close` of a run of the gateway; a run without `close` was killed. */
  readonly kind: 'start' | 'run' | 'close'
  readonly previous: string
  readonly retention: SignedRetention
  readonly key: string
}

export type SignedRetention = number | Readonly<Record<string, number>>

/** As it is kept and handed on. */
export interface SignedHead {
  readonly text: string
  /** Base64. */
  readonly signature: string
  readonly peaks: readonly string[]
}

export function headText(head: Head): string {
  const { chain, number, size, root, at, instance, kind, previous, retention, key } = head
  return JSON.stringify([
    ...['sluice-head-1', chain, number, size, root, at, instance, kind, previous],
    ...[retention, key],
  ])
}

/** undefined: not the text of a head. Does not judge the signature. */
export function readHead(text: string): Head | undefined {
  const list = readList(text, 'sluice-head-1', 11)
  if (list === undefined) return undefined
  const [, chain, number, size, root, at, instance, kind, previous, retention, key] = list
  const head = { chain, number, size, root, at, instance, kind, previous, retention, key }
  const texts = [chain, root, instance, kind, previous, key]
  const days = typeof retention === 'object' ? Object.values(retention ?? { '': '' }) : [retention]
  const counts = [number, size, at, ...days]
  if (texts.some((one) => typeof one !== 'string')) return undefined
  if (counts.some((one) => !Number.isSafeInteger(one))) return undefined
  return head as Head
}

/** `n` of a leaf's text. */
export function leafNumber(text: string): number | undefined {
  const n = readList(text, 'sluice-leaf-1', 13)?.[2]
  return Number.isSafeInteger(n) ? (n as number) : undefined
}

/** What a leaf says of its run; undefined: it is no leaf. */
export function readLeafDigests(text: string): { events: string; contents: string } | undefined {
  const list = readList(text, 'sluice-leaf-1', 13)
  return list === undefined ? undefined : { events: String(list[8]), contents: String(list[9]) }
}

/** Session of a leaf's text; '' where it is none. */
export function leafSession(text: string): string {
  const session = readList(text, 'sluice-leaf-1', 13)?.[5]
  return typeof session === 'string' ? session : ''
}

function readList(text: string, name: string, length: number): unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list[0] === name && list.length === length ? list : undefined
  } catch {
    return undefined
  }
}

export interface SigningKey {
  readonly id: string
  readonly private: KeyObject
  /** Base64, SPKI. */
  readonly public: string
}

export function newSigningKey(): SigningKey {
  return signingKey(generateKeyPairSync('ed25519').privateKey)
}

export function signingKey(key: KeyObject): SigningKey {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { id: keyId(spki), private: key, public: spki.toString('base64') }
}

/** First half of the SHA-256 of the public key: what people compare. */
export function keyId(spki: Uint8Array): string {
  return hash('sha256', spki, 'hex').substring(0, 32)
}

export function signText(text: string, key: SigningKey): string {
  return sign(null, Buffer.from(text), key.private).toString('base64')
}

export function isSigned(text: string, signature: string, publicKey: string): boolean {
  try {
    const key = createPublicKey({
      key: Buffer.from(publicKey, 'base64'),
      format: 'der',
      type: 'spki',
    })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

export interface SignedKey {
  readonly text: string
  readonly signature: string
}

/** `by` signs: the key before, or for the first one itself. */
export function signKey(
  key: SigningKey,
  by: SigningKey,
  place: { chain: string; at: number },
): SignedKey {
  const { chain, at } = place
  const text = JSON.stringify(['sluice-key-1', chain, key.id, key.public, at, by.id])
  return { text, signature: signText(text, by) }
}

/** Links a head to the one before. */
export function textHash(text: string): string {
  return hash('sha256', text, 'hex')
}
