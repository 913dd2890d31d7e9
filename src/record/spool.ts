/**
 * IO (files). The writer's side of the spool: one open segment per session worker, closed by size
 * or age.
 *
 *   <instance>-<thread>-<n>.open   is being written by a live thread
 *   <instance>-<thread>-<n>.seg    is complete; the ship thread owns it from here on
 *   <instance>-<thread>-<n>.bad    could not be stored; kept for a person (ship.ts)
 *
 * A block is in the kernel's hands when `write` returns: a killed process loses nothing. When it
 * throws, nothing of the block counts as written; the caller keeps the bytes and may try again. A
 * folder over its quota is a full disk.
 */
import {
  closeSync,
  fdatasyncSync,
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
import { GatewayError } from '../base/errors.ts'
import { segmentHeader } from './segment.ts'

/** A segment that has grown to this many bytes is closed. */
export const SEGMENT_BYTES_MAX = 16 << 20
/** A segment is closed this long after its first event. */
export const SEGMENT_AGE_MS = 300
/** How long a folder over its quota is taken for full before it is measured again. */
const MEASURE_MS = 100

export interface SpoolOptions {
  readonly folder: string
  readonly instance: string
  readonly thread: number
  /** Most bytes that the folder may hold, all threads together. */
  readonly bytesMax: number
  /** Waits for the disk (fdatasync) at every write. */
  readonly strict: boolean
  /** A segment is complete. */
  readonly announce: () => void
}

export class Spool {
  readonly #options: SpoolOptions
  #descriptor = -1
  #path = ''
  #size = 0
  #number = 0
  #timer: NodeJS.Timeout | undefined
  #usage: SpoolUsage = { bytes: 0, files: 0, segments: 0, oldestMs: 0 }
  #measuredMs = -MEASURE_MS

  constructor(options: SpoolOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  }

  /** Throws GatewayError GW_RECORDING_LOST; a torn block is cut off again. */
  write(block: Buffer): void {
    try {
      if (this.#descriptor < 0) this.#open()
      this.#checkQuota(block.length)
      writeWhole(this.#descriptor, block, this.#size)
      if (this.#options.strict) fdatasyncSync(this.#descriptor)
    } catch (cause) {
      this.#cut()
      if (cause instanceof GatewayError) throw cause
      throw new GatewayError('GW_RECORDING_LOST', 'the spool cannot be written', { cause })
    }
    this.#size += block.length
    if (this.#size >= SEGMENT_BYTES_MAX) this.close()
    else if (this.#timer === undefined) this.#startTimer()
  }

  /**
   * Completes the open segment; the next write opens another. Never throws: a file left `.open` is
   * recovered.
   */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#descriptor < 0) return
    try {
      renameSync(this.#path, this.#path.replace(/\.open$/, '.seg'))
    } catch {
      // Stays `.open`; the ship thread takes it once no descriptor is open on it.
    }
    closeSync(this.#descriptor)
    this.#descriptor = -1
    this.#options.announce()
  }

  #open(): void {
    const { folder, instance, thread } = this.#options
    // A number is used once, even where opening fails: a name that is taken must not be waited for.
    const name = segmentName({ instance, thread, number: ++this.#number })
    const path = join(folder, `${name}.open`)
    const descriptor = openSync(path, 'wx', 0o600)
    this.#path = path
    this.#descriptor = descriptor
    this.#size = 0
    this.#measure()
    const header = segmentHeader(thread, instance)
    writeWhole(descriptor, header, 0)
    this.#size = header.length
  }

  /** Our own growth is known exactly; what others do is measured when a segment is opened. */
  #checkQuota(more: number): void {
    const fits = () => this.#usage.bytes + this.#size + more <= this.#options.bytesMax
    if (fits()) return
    if (performance.now() - this.#measuredMs >= MEASURE_MS) this.#measure()
    if (fits()) return
    throw new GatewayError('GW_RECORDING_LOST', 'the spool folder is over recorder.spool.bytes_max')
  }

  #measure(): void {
    this.#measuredMs = performance.now()
    this.#usage = spoolUsage(this.#options.folder, this.#path)
  }

  /** Where the ship thread is behind, longer segments keep the number of files small. */
  #startTimer(): void {
    const behind = this.#usage.segments
    const age = behind < 64 ? SEGMENT_AGE_MS : behind < 1024 ? 5000 : 60_000
    this.#timer = setTimeout(() => this.close(), age)
    this.#timer.unref()
  }

  #cut(): void {
    if (this.#descriptor < 0) return
    try {
      ftruncateSync(this.#descriptor, this.#size)
      if (this.#size > 0) return
      // A segment without its header cannot be told from noise: the next write starts another.
      unlinkSync(this.#path)
      closeSync(this.#descriptor)
      this.#descriptor = -1
    } catch {
      // The next write goes to the same offset, and the reader drops a block that does not check.
    }
  }
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

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  }
}
