/**
 * Pure. HMAC-SHA-256 (RFC 2104) under one key that stays, for many short texts: two calls that hash a whole buffer,
 * where Node's `createHmac` makes an object of each text and takes twice as long.
 */
import { createHmac, hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** Longer texts are hashed as Node does: what making an object costs is no matter then. */
const TEXT_BYTES_MAX = 8 << 10

export class KeyedHash {
  readonly #key: Uint8Array
  /** The key's block, and the text behind it. */
  readonly #inner = Buffer.allocUnsafeSlow(BLOCK_BYTES + TEXT_BYTES_MAX)
  readonly #outer = Buffer.allocUnsafeSlow(BLOCK_BYTES + DIGEST_BYTES)

  /** `key`: 64 bytes at most. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError('a key of more than a block')
    this.#key = key
    this.#inner.fill(0x36, 0, BLOCK_BYTES)
    this.#outer.fill(0x5c, 0, BLOCK_BYTES)
    for (let at = 0; at < key.length; at++) {
      this.#inner[at]! ^= key[at]!
      this.#outer[at]! ^= key[at]!
    }
  }

  /** Of the text's UTF-8, in hex. */
  hex(text: string): string {
    // A character of a string is three bytes at most.
    if (text.length * 3 > TEXT_BYTES_MAX)
      return createHmac('sha256', this.#key).update(text).digest('hex')
    const end = BLOCK_BYTES + this.#inner.write(text, BLOCK_BYTES, 'utf8')
    // As a string of bytes: a Buffer of each costs as much as the hash.
    const inside = hash('sha256', this.#inner.subarray(0, end), 'binary')
    this.#outer.write(inside, BLOCK_BYTES, 'latin1')
    return hash('sha256', this.#outer, 'hex')
  }
}
