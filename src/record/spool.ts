/**
 * IO (files). The writer's side of the spool: one open segment per session worker, closed by size
 * or age.
 *
 *   <instance>-<thread>-<n>.open   is being written by a live thread
 *   <instance>-<thread>-<n>.seg    is complete; the ship thread owns it from here on
 *   <instance>-<thread>-<n>.bad    could not be stored; kept for a person (ship.ts)
 *
 * The open segment is seen through a window of memory (base/libc.ts): a block is in the kernel's
 * hands once it is copied there, without a call, and a killed process loses nothing. Room on the
 * disk is reserved when the segment is opened, so a copy cannot fail; opening can, and then nothing
 * counts as written: the caller keeps the bytes and may try again. Behind the last block an open
 * segment holds zeros. A folder over its quota is a full disk.
 *
 * A segment that the disk did not take once (fdatasync) gets nothing more: what was not written is
 * forgotten by the kernel then, and the next fdatasync says that all is well.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { writeThrough } from '../base/disk.ts'
import { GatewayError } from '../base/errors.ts'
import { FileWindow } from '../base/libc.ts'
import { Ratchet, ratchetPath, SEAL_BYTES, SEAL_MS, SEALED_BYTES_MAX } from './ratchet.ts'
import { segmentHeader } from './segment.ts'
import { BlockEncryptor } from './segment-cipher.ts'
import { CIPHER_FRAME_BYTES, type RunKey } from './spool-cipher.ts'

/**
 * A segment has room for this many bytes; a block that is larger gets one of its own. Where much is recorded, the store
 * needs less than two thirds of the time for each row when 16 MiB come at once that it needs for 4: it merges less.
 */
export const SEGMENT_BYTES_MAX = 16 << 20
/** With all of their columns, rows of a segment are this many times as long as its room, at most: who stores it has them all in memory. */
const SHARED_TIMES_MAX = 4
/** Under a small quota, segments take at most this part of it, so that several fit. */
const QUOTA_PART = 16
const SEGMENT_BYTES_LEAST = 64 << 10
/** A segment is closed this long after its first event. */
export const SEGMENT_AGE_MS = 300
/** One that has this much by then is filled for longer. */
const BUSY_BYTES = 128 << 10
const BUSY_AGE_MS = 1200
/** How long a folder over its quota is taken for full before it is measured again. */
const MEASURE_MS = 100

/** Of this thread: none is of two segments. */
let stretches = 0

export interface SpoolOptions {
  readonly folder: string
  readonly instance: string
  readonly thread: number
  /** Most bytes that the folder may hold, all threads together. */
  readonly bytesMax: number
  /** Waits for the disk (fdatasync) at every write. */
  readonly strict: boolean
  /** Seals what is written (ratchet.ts): a few microseconds every 50 ms or 256 KiB. */
  readonly ratchet: boolean
  /** Set: every segment is encrypted. */
  readonly encrypt?: RunKey | undefined
  /** A segment is complete. */
  readonly announce: () => void
  /** The disk did not take what was written, which is tried again in another segment. */
  readonly onSyncFailed?: (() => void) | undefined
}

export class Spool {
  readonly #options: SpoolOptions
  readonly #window: FileWindow
  #descriptor = -1
  #path = ''
  #size = 0
  #number = 0
  #timer: NodeJS.Timeout | undefined
  readonly #ratchet: Ratchet | undefined
  readonly #sealRoom: number
  /** What a block is longer by where it is encrypted. */
  readonly #cipherRoom: number
  #cipher: BlockEncryptor | undefined
  /** Length of the open segment's header. */
  #begin = 0
  #sealTimer: NodeJS.Timeout | undefined
  /** Up to here the segment is sealed. */
  #sealed = 0
  /** Here the stretch begins in which the next block will stand. */
  #stretchAt = 0
  /** Bytes that names in the segment stand for. */
  #shared = 0
  #stretch = 0
  #usage: SpoolUsage = { bytes: 0, files: 0, segments: 0, oldestMs: 0 }
  #measuredMs = -MEASURE_MS

  constructor(options: SpoolOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    const writer = `${options.instance}-${String(options.thread).padStart(4, '0')}`
    this.#ratchet = options.ratchet ? new Ratchet(ratchetPath(options.folder, writer)) : undefined
    this.#sealRoom = options.ratchet ? SEAL_BYTES : 0
    this.#cipherRoom = options.encrypt === undefined ? 0 : CIPHER_FRAME_BYTES
    const part = Math.floor(options.bytesMax / QUOTA_PART)
    const size = Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_LEAST, part))
    // Windows are made of pages.
    this.#window = new FileWindow(size & ~0xffff)
  }

  /**
   * The stretch in which a block of this length will stand that is written next: what was said in it before is known
   * (named-rows.ts). `shared`: bytes that its names stand for. Throws as `write` does.
   */
  stretchFor(length: number, shared: number): number {
    this.#begun(length, shared)
    return this.#stretch
  }

  /** Throws GatewayError GW_RECORDING_LOST; nothing of the block is kept then. */
  write(block: Buffer, shared = 0): void {
    const length = block.length + this.#cipherRoom
    this.#begun(block.length, shared)
    try {
      this.#checkQuota(length)
      if (this.#size + length + this.#sealRoom > this.#window.bytes.length) {
        this.#writeLarge(this.#cipher?.encrypted(block) ?? block)
        return
      }
      this.#window.reach(this.#size + length)
      if (this.#cipher === undefined) this.#window.bytes.set(block, this.#size)
      else this.#cipher.encrypt(block, this.#window.bytes.subarray(this.#size, this.#size + length))
      if (this.#options.strict) this.#sync(length)
    } catch (cause) {
      throw lost(cause)
    }
    this.#size += length
    this.#shared += shared
    if (this.#size - this.#stretchAt > SEALED_BYTES_MAX) this.#beginStretch()
    if (this.#timer === undefined) this.#startTimer()
    if (this.#ratchet === undefined) return
    if (this.#size - this.#sealed > SEALED_BYTES_MAX) this.#seal()
    else this.#sealTimer ??= setTimeout(() => this.#seal(), SEAL_MS).unref()
  }

  /** A segment is open that has room for the block, or nothing in it. */
  #begun(length: number, shared: number): void {
    const most = this.#window.bytes.length
    const room = length + this.#cipherRoom + this.#sealRoom
    const isFull = this.#size + room > most || this.#shared + shared > most * SHARED_TIMES_MAX
    if (isFull && this.#size > this.#begin) this.close()
    if (this.#descriptor >= 0) return
    try {
      this.#open()
    } catch (cause) {
      throw lost(cause)
    }
  }

  #beginStretch(): void {
    this.#stretch = ++stretches
    this.#stretchAt = this.#size
  }

  /** What cannot be written through is taken back, and the segment ends with what was acknowledged. */
  #sync(length: number): void {
    try {
      writeThrough(this.#descriptor, this.#options.onSyncFailed)
    } catch (cause) {
      this.#window.bytes.fill(0, this.#size, this.#size + length)
      if (this.#size === this.#begin) this.#discard()
      else this.close('unsound')
      throw cause
    }
  }

  /**
   * Completes the open segment; the next write opens another. Never throws: a file left `.open` is
   * recovered. `unsound`: nothing that the disk says of it is believed any more.
   */
  close(how: 'sound' | 'unsound' = 'sound'): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#descriptor < 0) return
    this.#seal()
    try {
      // A complete segment whose last bytes a loss of power had taken would look damaged.
      if (this.#options.strict && how === 'sound') writeThrough(this.#descriptor)
      this.#window.hide()
      ftruncateSync(this.#descriptor, this.#size)
      renameSync(this.#path, this.#path.replace(/\.open$/, '.seg'))
    } catch {
      // Stays `.open`; the ship thread takes it once no descriptor is open on it.
    }
    closeSync(this.#descriptor)
    this.#descriptor = -1
    this.#size = 0
    this.#sealed = 0
    this.#options.announce()
  }

  /** There is room for it: each write leaves some. */
  #seal(): void {
    clearTimeout(this.#sealTimer)
    this.#sealTimer = undefined
    if (this.#ratchet === undefined || this.#size === this.#sealed) return
    const { bytes } = this.#window
    const seal = this.#ratchet.seal([bytes.subarray(this.#sealed, this.#size)])
    this.#window.reach(this.#size + seal.length)
    bytes.set(seal, this.#size)
    this.#ratchet.advance()
    this.#size += seal.length
    this.#sealed = this.#size
    this.#beginStretch()
  }

  /** A block that the window is too small for, alone in its segment by ordinary writes. */
  #writeLarge(block: Buffer): void {
    const header = Buffer.from(this.#window.bytes.subarray(0, this.#size))
    this.#window.hide()
    const seal = this.#ratchet?.seal([header, block])
    try {
      writeWhole(this.#descriptor, block, this.#size)
      if (seal !== undefined) writeWhole(this.#descriptor, seal, this.#size + block.length)
      if (this.#options.strict) writeThrough(this.#descriptor, this.#options.onSyncFailed)
    } catch (cause) {
      this.#discard()
      throw cause
    }
    this.#ratchet?.advance()
    this.#size += block.length + (seal?.length ?? 0)
    this.#sealed = this.#size
    this.close()
  }

  #open(): void {
    const { folder, instance, thread, encrypt } = this.#options
    // A number is used once, even where opening fails: a name that is taken must not be waited for.
    const name = segmentName({ instance, thread, number: ++this.#number })
    const path = join(folder, `${name}.open`)
    this.#descriptor = openSync(path, 'wx+', 0o600)
    this.#path = path
    this.#size = 0
    this.#measure()
    try {
      this.#window.show(this.#descriptor)
      if (this.#options.strict) syncFolder(folder)
    } catch (cause) {
      this.#discard()
      throw cause
    }
    // A key for each segment: whatever became of the one before, no nonce comes again.
    this.#cipher =
      encrypt === undefined
        ? undefined
        : new BlockEncryptor(encrypt, segmentHeader(thread, instance, 'namedEncrypted'))
    const header = this.#cipher?.header ?? segmentHeader(thread, instance, 'named')
    this.#window.bytes.set(header)
    this.#begin = header.length
    this.#shared = 0
    this.#size = header.length
    this.#sealed = 0
    this.#beginStretch()
  }

  /** Takes back a segment that holds nothing yet. */
  #discard(): void {
    try {
      unlinkSync(this.#path)
    } catch {
      // A file without a whole block holds no event: whoever finds it may throw it away.
    }
    closeSync(this.#descriptor)
    this.#descriptor = -1
    this.#size = 0
  }

  /** Our own growth is known exactly; what others do is measured when a segment is opened. */
  #checkQuota(more: number): void {
    const fits = () => this.#usage.bytes + this.#size + more <= this.#options.bytesMax
    if (fits()) return
    if (monotonicMs() - this.#measuredMs >= MEASURE_MS) this.#measure()
    if (fits()) return
    throw new GatewayError('GW_RECORDING_LOST', 'the spool folder is over recorder.spool.bytes_max')
  }

  #measure(): void {
    this.#measuredMs = monotonicMs()
    this.#usage = spoolUsage(this.#options.folder, this.#path)
  }

  /** Where the ship thread is behind, longer segments keep the number of files small. */
  #startTimer(): void {
    const behind = this.#usage.segments
    const age = behind < 64 ? SEGMENT_AGE_MS : behind < 1024 ? 5000 : 60_000
    this.#timer = setTimeout(() => this.#aged(), age).unref()
  }

  #aged(): void {
    if (this.#size < BUSY_BYTES) this.close()
    else this.#timer = setTimeout(() => this.close(), BUSY_AGE_MS - SEGMENT_AGE_MS).unref()
  }
}

function lost(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  return new GatewayError('GW_RECORDING_LOST', 'the spool cannot be written', { cause })
}

export interface SegmentName {
  readonly instance: string
  readonly thread: number
  readonly number: number
}

/** Names of one thread sort in the order of writing. */
export function segmentName({ instance, thread, number }: SegmentName): string {
  return `${instance}-${String(thread).padStart(4, '0')}-${String(number).padStart(10, '0')}`
}

export interface SpoolUsage {
  readonly bytes: number
  readonly files: number
  /** Complete segments that wait to be shipped. */
  readonly segments: number
  /** Modification time of the oldest that waits, milliseconds since 1970; 0 where none does. */
  readonly oldestMs: number
}

/** How long the oldest segment has waited. */
export function lagSeconds({ oldestMs }: SpoolUsage): number {
  return oldestMs === 0 ? 0 : Math.max(0, (Date.now() - oldestMs) / 1000)
}

/** What lies in the folder, without the file at `except`. A folder that is not there is empty. */
export function spoolUsage(folder: string, except = ''): SpoolUsage {
  let bytes = 0
  let files = 0
  let segments = 0
  let oldestMs = 0
  for (const name of spoolFiles(folder)) {
    const path = join(folder, name)
    if (path === except) continue
    const status = statSync(path, { throwIfNoEntry: false })
    if (status === undefined) continue
    files++
    bytes += status.size
    if (!name.endsWith('.seg')) continue
    segments++
    if (oldestMs === 0 || status.mtimeMs < oldestMs) oldestMs = status.mtimeMs
  }
  return { bytes, files, segments, oldestMs }
}

/** Names of the spool's files, oldest instance first. */
export function spoolFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(open|seg|bad)$/.test(name))
      .sort()
  } catch {
    return []
  }
}

/** Of a segment in any of its states. */
export function baseName(name: string): string {
  return name.replace(/\.(open|seg|bad)$/, '')
}

/** The name of a file is on the disk only when its folder is. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** At that place, in as many writes as it takes. */
export function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  }
}
