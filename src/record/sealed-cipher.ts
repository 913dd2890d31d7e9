/**
 * IO (randomness). A segment of sealed originals (sealed-segment.ts) that is encrypted as a whole, since whose originals they are,
 * and when, stands in its rows readable: frames (spool-cipher.ts), each with the records of one write.
 *
 *   ┌────────────┬─────────┬─────────────┐   ┌──────┬───────┬────────┬────────────┬─────┐
 *   │ "SLUICESE" │ version │ key id, run │   │ size │ crc32 │ number │ ciphertext │ tag │   repeated; size and crc32 are
 *   │ 8 bytes    │ u16 = 2 │ key, salt   │   │ u32  │ u32   │ u32    │ of records │ 16  │   of what follows them
 *   └────────────┴─────────┴─────────────┘   └──────┴───────┴────────┴────────────┴─────┘
 *
 * A frame at the end that does not check was torn. One whose checksum holds and whose tag does not was changed.
 */
import { crc32 } from 'node:zlib'
import { readSealedSegment, SEALED_HEADER, type SealedContent } from './sealed-segment.ts'
import {
  CIPHER_FRAME_BYTES,
  CIPHER_HEAD_BYTES,
  FrameDecryptor,
  FrameEncryptor,
  type RunKey,
  type SpoolKeys,
  type Unlocked,
} from './spool-cipher.ts'

const HEADER = Buffer.from('SLUICESE\0\x02', 'latin1')
const HEADER_BYTES = HEADER.length + CIPHER_HEAD_BYTES
const HEAD_BYTES = 8
const NOTHING = Buffer.alloc(0)

/** What an encrypted write is longer by. */
export const SEALED_FRAME_BYTES = HEAD_BYTES + CIPHER_FRAME_BYTES

/** The writer's side; one per segment. */
export class RecordsEncryptor {
  readonly #frames: FrameEncryptor

  constructor(run: RunKey) {
    this.#frames = new FrameEncryptor(run, HEADER)
  }

  get header(): Buffer {
    return this.#frames.header
  }

  encrypt(records: Buffer): Buffer {
    const bytes = Buffer.allocUnsafe(records.length + SEALED_FRAME_BYTES)
    const frame = bytes.subarray(HEAD_BYTES)
    this.#frames.encrypt(records, NOTHING, frame)
    bytes.writeUInt32BE(frame.length, 0)
    bytes.writeUInt32BE(crc32(frame) >>> 0, 4)
    return bytes
  }
}

export interface SealedFile extends SealedContent {
  /** Bytes behind `end`. */
  readonly torn: number
  /** Something before `end` is not as it was written. */
  readonly isDamaged: boolean
}

/**
 * A segment of either kind. `locked`: encrypted with the key of this id, which is not there. A clear one that bears the `name` of
 * a run that encrypts was written by somebody else.
 */
export function readSealedFile(
  bytes: Buffer,
  { keys, name }: { readonly keys: SpoolKeys; readonly name: string },
): SealedFile | 'foreign' | { readonly locked: string } {
  const unlocked = unlockSealed(bytes, keys)
  if (unlocked === undefined) {
    const content = readSealedSegment(bytes)
    if (content === 'foreign' || !keys.mayBeClear(name)) return 'foreign'
    return { ...content, torn: bytes.length - content.end, isDamaged: false }
  }
  if ('forged' in unlocked) return 'foreign'
  return 'locked' in unlocked ? unlocked : opened(bytes, new FrameDecryptor(unlocked.key))
}

/** undefined: it is clear, or its header is not whole. */
export function unlockSealed(bytes: Buffer, keys: SpoolKeys): Unlocked | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, HEADER.length).equals(HEADER))
    return undefined
  return keys.unlock(bytes.subarray(0, HEADER_BYTES))
}

/** A file that is shorter, and begins like this, was torn while it was made. */
export function isSealedBeginning(bytes: Buffer): boolean {
  const isTorn = (whole: Buffer, size: number) =>
    bytes.length < size && bytes.subarray(0, whole.length).equals(whole.subarray(0, bytes.length))
  return isTorn(SEALED_HEADER, SEALED_HEADER.length) || isTorn(HEADER, HEADER_BYTES)
}

function opened(bytes: Buffer, frames: FrameDecryptor): SealedFile {
  let [end, isDamaged, isBad] = [HEADER_BYTES, false, false]
  for (let at = end; at + HEAD_BYTES <= bytes.length; ) {
    const next = at + HEAD_BYTES + bytes.readUInt32BE(at)
    if (next > bytes.length) break
    const frame = bytes.subarray(at + HEAD_BYTES, next)
    const isWhole = crc32(frame) >>> 0 === bytes.readUInt32BE(at + 4)
    if (isWhole) {
      const isOurs = frames.open(NOTHING, frame)
      isDamaged ||= isBad || !isOurs
      end = next
    } else isBad = true
    at = next
  }
  const clear = Buffer.concat([SEALED_HEADER, frames.clear.subarray(0, frames.end)])
  const content = readSealedSegment(clear)
  if (content === 'foreign') throw new Error('unreachable: it begins like a segment')
  // What was encrypted is whole records, or it was not written by this version.
  isDamaged ||= frames.missing > 0 || content.end < clear.length
  return { rows: content.rows, end, torn: bytes.length - end, isDamaged }
}
