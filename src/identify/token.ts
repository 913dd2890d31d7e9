/**
 * Pure. The text of a gateway token, and how its secret is compared.
 *
 *   slc_<id>_<secret>      id: 26 characters of Crockford's base 32 (base/id.ts), public, names it in records
 *                          secret: 256 random bits, 43 characters of base64url, kept only as SHA-256
 *
 * A plain SHA-256 is enough because the secret is random, not chosen: there is no dictionary to try.
 */
import { createHash, timingSafeEqual } from 'node:crypto'

export interface TokenParts {
  readonly id: string
  readonly secret: string
}

/** What is stored of a token. Times in milliseconds since 1970. */
export interface TokenRecord {
  readonly id: string
  /** SHA-256 of the secret's text, 32 bytes. */
  readonly secretHash: Uint8Array
  readonly subject: string
  readonly kind: 'human' | 'workload'
  readonly groups: readonly string[]
  /** undefined: not narrowed. */
  readonly roles: readonly string[] | undefined
  readonly connections: readonly string[] | undefined
  readonly owner: string
  readonly job: string
  readonly run: string
  readonly agent: string
  /** CIDR block that it may be used from; undefined: anywhere. */
  readonly from: string | undefined
  readonly expiresAt: number
  readonly issuedBy: string
  readonly createdAt: number
  readonly revokedAt: number | undefined
}

/** The id of the host operator's own token, which is a file and not a row. No ULID looks like it. */
export const OPERATOR_ID = 'operator'

const SHAPE = /^slc_([0-9A-HJKMNP-TV-Z]{26}|operator)_([A-Za-z0-9_-]{43})$/
const NOBODY = new Uint8Array(32)

/** undefined: not of the shape of a gateway token. */
export function parseToken(text: string): TokenParts | undefined {
  // No quadratic surprise on a 16 KiB password: the length is fixed by the shape.
  if (text.length > 100) return undefined
  const found = SHAPE.exec(text)
  return found === null ? undefined : { id: found[1]!, secret: found[2]! }
}

/** `secret`: 32 random bytes. */
export function tokenText(id: string, secret: Uint8Array): string {
  return `slc_${id}_${Buffer.from(secret).toString('base64url')}`
}

export function hashSecret(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

/** In constant time. `stored` undefined (no such token) does the same work and is false. */
export function secretMatches(secret: string, stored: Uint8Array | undefined): boolean {
  const same = timingSafeEqual(hashSecret(secret), stored ?? NOBODY)
  return same && stored !== undefined
}
