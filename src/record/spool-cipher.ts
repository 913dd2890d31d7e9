/**
 * IO (randomness). Encryption of the spool at rest: AES-256-GCM, a key for each segment, a number for each frame.
 *
 *   configured key ──wraps──▶ run key ──HKDF-SHA-256, salt and header──▶ segment key ──▶ frames 0, 1, 2 …
 *   main and ship alone       threads that write                         one segment
 *
 *   ┌────────┬─────────────────────────────────┬──────────┐
 *   │ key id │ wrapped run key                 │ salt     │   behind the header of a segment, which is no secret, and which
 *   │ 8      │ nonce 12, key 32, tag 16        │ 32 bytes │   its key depends on: changed, it opens no frame
 *   └────────┴─────────────────────────────────┴──────────┘
 *   ┌────────┬────────────────────┬─────┐
 *   │ number │ ciphertext         │ tag │   a frame; what stands before it (`spoken`) and its number are authenticated
 *   │ u32    │ as long as clear   │ 16  │
 *   └────────┴────────────────────┴─────┘
 *
 * The nonce is the number. A segment key is never used by two writers (its salt is random), and a number never twice under
 * it: it rises with each try, whether or not what was encrypted was written. So a frame that is missing between two is seen.
 * A thread that reads what clients send holds the run key, and can open what its own run wrote and nothing else.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { KEY_ID_BYTES, type SpoolKey } from './spool-key.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const NUMBER_BYTES = 4
const TAG_BYTES = 16
const SALT_BYTES = 32
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
const NUMBER_MAX = 2 ** 32 - 1

/** What an encrypted segment's header is longer by. */
export const CIPHER_HEAD_BYTES = KEY_ID_BYTES + WRAPPED_BYTES + SALT_BYTES
/** What a frame is longer by than what it holds. */
export const CIPHER_FRAME_BYTES = NUMBER_BYTES + TAG_BYTES

/** What one run of the gateway encrypts its segments with. Plain data: it is cloned. */
export interface RunKey {
  readonly key: Uint8Array
  /** The id of the configured key, and this one wrapped by it. */
  readonly wrapped: Uint8Array
}

export function makeRunKey({ id, key }: SpoolKey): RunKey {
  const run = randomBytes(KEY_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(wrapLabel(id))
  const wrapped = Buffer.concat([cipher.update(run), cipher.final()])
  return { key: run, wrapped: Buffer.concat([id, nonce, wrapped, cipher.getAuthTag()]) }
}

/** The writer's side; one per segment. */
export class FrameEncryptor {
  /** The whole header of the segment. */
  readonly header: Buffer
  readonly #key: KeyObject
  readonly #nonce = Buffer.alloc(NONCE_BYTES)
  #number = 0

  constructor(run: RunKey, header: Uint8Array) {
    this.header = Buffer.concat([header, run.wrapped, randomBytes(SALT_BYTES)])
    this.#key = segmentKey(run.key, this.header)
  }

  /** Fills `frame`, which is longer than `clear` by CIPHER_FRAME_BYTES. */
  encrypt(clear: Uint8Array, spoken: Uint8Array, frame: Buffer): void {
    if (this.#number === NUMBER_MAX) throw new Error('a segment has no number left for a frame')
    this.#nonce.writeUInt32BE(this.#number, NONCE_BYTES - NUMBER_BYTES)
    frame.writeUInt32BE(this.#number, 0)
    this.#number++
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce)
    cipher.setAAD(spoken)
    frame.set(cipher.update(clear), NUMBER_BYTES)
    cipher.final()
    frame.set(cipher.getAuthTag(), frame.length - TAG_BYTES)
  }
}

/** The reader's side of one segment. What it opens stands one behind the other in `clear`, until the next one needs more room. */
export class FrameDecryptor {
  readonly #key: KeyObject
  readonly #nonce = Buffer.alloc(NONCE_BYTES)
  #clear: Buffer
  #end = 0
  #next = 0
  #missing = 0

  /** `memory` is written over. */
  constructor(key: KeyObject, memory: Buffer = Buffer.alloc(0)) {
    this.#key = key
    this.#clear = memory
  }

  get clear(): Buffer {
    return this.#clear
  }

  /** Where in `clear` the last frame that was opened ends. */
  get end(): number {
    return this.#end
  }

  /** Frames that stood between those that were opened, and do not any more. */
  get missing(): number {
    return this.#missing
  }

  /** False: it is not as it was written, or not in its place. */
  open(spoken: Uint8Array, frame: Buffer): boolean {
    if (frame.length < CIPHER_FRAME_BYTES) return false
    const number = frame.readUInt32BE(0)
    if (number < this.#next) return false
    frame.copy(this.#nonce, NONCE_BYTES - NUMBER_BYTES, 0, NUMBER_BYTES)
    const cipher = createDecipheriv(CIPHER, this.#key, this.#nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(spoken)
    cipher.setAuthTag(frame.subarray(frame.length - TAG_BYTES))
    const clear = cipher.update(frame.subarray(NUMBER_BYTES, frame.length - TAG_BYTES))
    try {
      cipher.final()
    } catch {
      return false
    }
    this.#room(clear.length)
    this.#clear.set(clear, this.#end)
    this.#end += clear.length
    this.#missing += number - this.#next
    this.#next = number + 1
    return true
  }

  #room(more: number): void {
    if (this.#end + more <= this.#clear.length) return
    let size = Math.max(64 << 10, this.#clear.length)
    while (size < this.#end + more) size *= 2
    const grown = Buffer.allocUnsafeSlow(size)
    this.#clear.copy(grown, 0, 0, this.#end)
    this.#clear = grown
  }
}

/** Which key opens a segment: `locked`, none that is there, and its id; `forged`: its header is not as it was written. */
export type Unlocked =
  | { readonly key: KeyObject }
  | { readonly locked: string }
  | { readonly forged: true }

/** All configured keys; the ship thread's. Without any, every encrypted segment is locked. */
export class SpoolKeys {
  readonly #keys: ReadonlyMap<string, Uint8Array>
  readonly #run: string | undefined

  /** `run`: the instance that encrypts all that it writes. */
  constructor(
    keys: readonly { readonly id: Uint8Array; readonly key: Uint8Array }[] = [],
    run?: string | undefined,
  ) {
    this.#run = run
    this.#keys = new Map(keys.map(({ id, key }) => [Buffer.from(id).toString('hex'), key]))
  }

  /** False: a clear segment of that name was not written by us, whatever it says. */
  mayBeClear(name: string): boolean {
    return this.#run === undefined || !name.startsWith(this.#run)
  }

  /** Why a segment of that name is foreign, for whoever sets it aside. */
  whyForeign(name: string): string {
    return this.mayBeClear(name)
      ? 'it was not written by this version'
      : 'it is not encrypted as this run encrypts'
  }

  /** `header`: of the segment, to its last byte. */
  unlock(header: Buffer): Unlocked {
    const head = header.subarray(header.length - CIPHER_HEAD_BYTES)
    const id = head.subarray(0, KEY_ID_BYTES)
    const key = this.#keys.get(id.toString('hex'))
    if (key === undefined) return { locked: id.toString('hex') }
    const run = unwrap(key, id, head.subarray(KEY_ID_BYTES, KEY_ID_BYTES + WRAPPED_BYTES))
    return run === undefined ? { forged: true } : { key: segmentKey(run, header) }
  }
}

function unwrap(key: Uint8Array, id: Buffer, wrapped: Buffer): Buffer | undefined {
  const nonce = wrapped.subarray(0, NONCE_BYTES)
  const cipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(wrapLabel(id))
  cipher.setAuthTag(wrapped.subarray(WRAPPED_BYTES - TAG_BYTES))
  try {
    const run = cipher.update(wrapped.subarray(NONCE_BYTES, WRAPPED_BYTES - TAG_BYTES))
    cipher.final()
    return run
  } catch {
    return undefined
  }
}

function segmentKey(run: Uint8Array, header: Buffer): KeyObject {
  const salt = header.subarray(header.length - SALT_BYTES)
  const digest = hash('sha256', header, 'buffer')
  const info = Buffer.concat([Buffer.from('sluice-spool-segment-1\0'), digest])
  return createSecretKey(Buffer.from(hkdfSync('sha256', run, salt, info, KEY_BYTES)))
}

function wrapLabel(id: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('sluice-spool-run-1\0'), id])
}
