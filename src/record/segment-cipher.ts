/**
 * IO (randomness). Blocks of an encrypted segment: a frame (spool-cipher.ts) where a clear block (segment.ts) has its rows.
 * The number of rows stays readable, and is authenticated with the frame.
 *
 *   ┌──────┬────────┬──────┬────────┬────────────┬─────┐
 *   │ size │ crc32  │ rows │ number │ ciphertext │ tag │   size and crc32 are of what stands in the file
 *   └──────┴────────┴──────┴────────┴────────────┴─────┘
 *
 * A torn block fails its checksum, as in a clear segment. A block whose checksum holds and whose tag does not was changed.
 */
import { SEAL_BYTES } from './ratchet.ts'
import { BLOCK_HEAD, type BlockOpener, encryptedHeader, sealBlock } from './segment.ts'
import {
  CIPHER_FRAME_BYTES,
  CIPHER_HEAD_BYTES,
  FrameDecryptor,
  FrameEncryptor,
  type RunKey,
  type SpoolKeys,
  type Unlocked,
} from './spool-cipher.ts'

/** Where the number of rows stands in a block. */
const ROWS_AT = BLOCK_HEAD - 4

/** The writer's side; one per segment, whose header says that it is encrypted. */
export class BlockEncryptor {
  readonly #frames: FrameEncryptor

  constructor(run: RunKey, header: Buffer) {
    this.#frames = new FrameEncryptor(run, header)
  }

  get header(): Buffer {
    return this.#frames.header
  }

  /** `into` is longer than the clear block by CIPHER_FRAME_BYTES, and nothing of the clear one comes there. */
  encrypt(block: Buffer, into: Buffer): void {
    const spoken = block.subarray(ROWS_AT, BLOCK_HEAD)
    this.#frames.encrypt(block.subarray(BLOCK_HEAD), spoken, into.subarray(BLOCK_HEAD))
    // Last, so that who reads meanwhile finds the end of the segment here, or the whole block.
    sealBlock(into, block.readUInt32BE(ROWS_AT))
  }

  /** In memory of its own. */
  encrypted(block: Buffer): Buffer {
    const into = Buffer.allocUnsafe(block.length + CIPHER_FRAME_BYTES)
    this.encrypt(block, into)
    return into
  }
}

class CipherOpener implements BlockOpener {
  readonly begin: number
  readonly #frames: FrameDecryptor
  start = 0

  constructor(begin: number, frames: FrameDecryptor) {
    this.begin = begin
    this.#frames = frames
  }

  get clear(): Buffer {
    return this.#frames.clear
  }

  get end(): number {
    return this.#frames.end
  }

  get missing(): number {
    return this.#frames.missing
  }

  open(block: Buffer): boolean {
    // Seals are not encrypted: whatever else says that it has no rows was a block of rows.
    if (block.readUInt32BE(ROWS_AT) === 0) return block.length === SEAL_BYTES
    const start = this.#frames.end
    const spoken = block.subarray(ROWS_AT, BLOCK_HEAD)
    if (!this.#frames.open(spoken, block.subarray(BLOCK_HEAD))) return false
    this.start = start
    return true
  }
}

/** What a segment is opened with: nothing (it is clear, or none), an opener, or the id of a key that is not there. */
export type Opening = { readonly opener: BlockOpener | undefined } | { readonly locked: string }

/** undefined: it is clear, or its header is not whole. */
export function unlockSegment(bytes: Buffer, keys: SpoolKeys): Unlocked | undefined {
  const header = encryptedHeader(bytes, CIPHER_HEAD_BYTES)
  return header === undefined ? undefined : keys.unlock(header)
}

/** `memory`: to decrypt into, where it is large enough. */
export function openingOf(bytes: Buffer, keys: SpoolKeys, memory?: Buffer): Opening {
  const header = encryptedHeader(bytes, CIPHER_HEAD_BYTES)
  if (header === undefined) return { opener: undefined }
  const unlocked = keys.unlock(header)
  if ('locked' in unlocked) return unlocked
  // Without an opener an encrypted segment is foreign, and set aside.
  if ('forged' in unlocked) return { opener: undefined }
  return { opener: new CipherOpener(header.length, new FrameDecryptor(unlocked.key, memory)) }
}
