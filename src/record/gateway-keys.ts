/**
 * IO (files, randomness). The gateway's own keys around the keys of sealed originals: what a recipient could open is wrapped
 * once more by one of these, so that having the record store and an identity is not enough.
 *
 *   <data>/seal/<id>.key    32 bytes; the newest wraps, all of them open
 *
 * A new one is made after 90 days. An old one is kept as long as sessions are whose keys it wraps: deleting it makes their
 * originals unreadable for ever, and losing the folder all of them.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

export const GATEWAY_KEY_AGE_MS = 90 * 86_400_000
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

interface GatewayKey {
  readonly id: string
  readonly bytes: Buffer
  readonly madeMs: number
}

export class GatewayKeys {
  readonly #folder: string
  #keys: GatewayKey[]

  private constructor(folder: string, keys: GatewayKey[]) {
    this.#folder = folder
    this.#keys = keys
  }

  /** Makes the first key where there is none. Throws where one is there and cannot be read. */
  static open(folder: string, nowMs: number): GatewayKeys {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const names = readdirSync(folder).filter((name) => name.endsWith('.key'))
    const keys = names.map((name) => readKey(folder, name))
    const opened = new GatewayKeys(
      folder,
      keys.sort((one, other) => one.madeMs - other.madeMs),
    )
    if (keys.length === 0) opened.rotate(nowMs)
    return opened
  }

  get current(): string {
    return this.#keys.at(-1)!.id
  }

  isOld(nowMs: number): boolean {
    return nowMs - this.#keys.at(-1)!.madeMs > GATEWAY_KEY_AGE_MS
  }

  /** What is wrapped from now on is wrapped by a new key. */
  rotate(nowMs: number): void {
    const bytes = randomBytes(KEY_BYTES)
    const id = idOf(bytes)
    const path = join(this.#folder, `${id}.key`)
    const file = openSync(`${path}.new`, 'wx', 0o600)
    writeSync(file, bytes)
    fsyncSync(file)
    closeSync(file)
    renameSync(`${path}.new`, path)
    const folder = openSync(this.#folder, 'r')
    fsyncSync(folder)
    closeSync(folder)
    this.#keys = [...this.#keys, { id, bytes, madeMs: nowMs }]
  }

  /** For one session: put under another one's name it does not open. */
  wrap(inner: Uint8Array, session: string): { keyId: string; wrapped: Buffer } {
    const key = this.#keys.at(-1)!
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
    cipher.setAAD(bound(session, key.id))
    const body = cipher.update(inner)
    cipher.final()
    return { keyId: key.id, wrapped: Buffer.concat([nonce, body, cipher.getAuthTag()]) }
  }

  /** What the recipients can open. 'no-key': wrapped by another gateway, or the key is gone. */
  unwrap(wrapped: Uint8Array, session: string, keyId: string): Buffer | 'no-key' | 'changed' {
    const key = this.#keys.find(({ id }) => id === keyId)
    if (key === undefined) return 'no-key'
    if (wrapped.length < NONCE_BYTES + TAG_BYTES) return 'changed'
    try {
      const nonce = wrapped.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(bound(session, keyId))
      decipher.setAuthTag(wrapped.subarray(-TAG_BYTES))
      const body = decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES))
      return Buffer.concat([body, decipher.final()])
    } catch {
      return 'changed'
    }
  }
}

function readKey(folder: string, name: string): GatewayKey {
  const path = join(folder, name)
  const bytes = readFileSync(path)
  const id = name.replace(/\.key$/, '')
  if (bytes.length !== KEY_BYTES || idOf(bytes) !== id)
    throw new Error(`the key ${path} is damaged: what it wraps could not be opened`)
  return { id, bytes, madeMs: statSync(path).mtimeMs }
}

function idOf(key: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from('sluice-gateway-key\0'), key]), 'hex').substring(
    0,
    16,
  )
}

function bound(session: string, keyId: string): Buffer {
  return Buffer.from(`sluice-seal-key-1\0${session}\0${keyId}`)
}
