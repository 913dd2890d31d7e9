/**
 * IO (files). The writer's side of the spool of sealed originals, `<spool>/sealed`: what spool.ts is for events, and with
 * the same names of files. Written by ordinary writes: there is one a turn at most, and only where masks replaced something.
 *
 * A write that fails leaves nothing behind that counts, ends its segment, and may be tried again. May hold as much as the
 * spool of events.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { writeThrough } from '../base/disk.ts'
import { GatewayError } from '../base/errors.ts'
import { RecordsEncryptor, SEALED_FRAME_BYTES } from './sealed-cipher.ts'
import { SEALED_HEADER } from './sealed-segment.ts'
import { segmentName, spoolUsage, syncFolder, writeWhole } from './spool.ts'
import type { RunKey } from './spool-cipher.ts'

const SEGMENT_BYTES_MAX = 4 << 20
const SEGMENT_AGE_MS = 300
const MEASURE_MS = 100

export interface SealedSpoolOptions {
  /** Of the events; ours is in it. */
  readonly spoolFolder: string
  readonly instance: string
  readonly thread: number
  readonly bytesMax: number
  /** Waits for the disk at every write. */
  readonly strict: boolean
  /** Set: every segment is encrypted. */
  readonly encrypt?: RunKey | undefined
  /** The disk did not take what was written, which is tried again in another segment. */
  readonly onSyncFailed?: (() => void) | undefined
}

export function sealedFolder(spoolFolder: string): string {
  return join(spoolFolder, 'sealed')
}

export class SealedSpool {
  readonly #options: SealedSpoolOptions
  readonly #folder: string
  #descriptor = -1
  #path = ''
  #cipher: RecordsEncryptor | undefined
  #begin = 0
  #size = 0
  #number = 0
  #timer: NodeJS.Timeout | undefined
  #others = 0
  #measuredMs = -MEASURE_MS

  constructor(options: SealedSpoolOptions) {
    this.#options = options
    this.#folder = sealedFolder(options.spoolFolder)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
  }

  /** Throws GatewayError GW_RECORDING_LOST; nothing of it counts then. */
  write(records: Buffer): void {
    const length = records.length + (this.#options.encrypt === undefined ? 0 : SEALED_FRAME_BYTES)
    try {
      if (this.#size + length > SEGMENT_BYTES_MAX) this.close()
      this.#checkQuota(length)
      if (this.#descriptor < 0) this.#open()
      writeWhole(this.#descriptor, this.#cipher?.encrypt(records) ?? records, this.#size)
      if (this.#options.strict) writeThrough(this.#descriptor, this.#options.onSyncFailed)
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      // The next one has another key, and no fdatasync before it that failed.
      this.close()
      throw new GatewayError('GW_RECORDING_LOST', 'originals cannot be sealed', { cause })
    }
    this.#size += length
    this.#timer ??= setTimeout(() => this.close(), SEGMENT_AGE_MS).unref()
  }

  /** Completes the open segment; never throws: what stays `.open` is recovered. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#descriptor < 0) return
    try {
      // What a failed write has left behind the last record.
      ftruncateSync(this.#descriptor, this.#size)
      if (this.#size === this.#begin) rmSync(this.#path)
      else renameSync(this.#path, this.#path.replace(/\.open$/, '.seg'))
    } catch {
      // The ship thread takes it once no descriptor is open on it.
    }
    closeSync(this.#descriptor)
    this.#descriptor = -1
    this.#size = 0
  }

  #open(): void {
    const { instance, thread, encrypt } = this.#options
    const name = segmentName({ instance, thread, number: ++this.#number })
    const path = join(this.#folder, `${name}.open`)
    const descriptor = openSync(path, 'wx', 0o600)
    const cipher = encrypt === undefined ? undefined : new RecordsEncryptor(encrypt)
    const header = cipher?.header ?? SEALED_HEADER
    try {
      writeWhole(descriptor, header, 0)
      if (this.#options.strict) syncFolder(this.#folder)
    } catch (cause) {
      // Records behind half a header would be a segment that nobody can read.
      closeSync(descriptor)
      rmSync(path, { force: true })
      throw cause
    }
    this.#path = path
    this.#descriptor = descriptor
    this.#cipher = cipher
    this.#begin = header.length
    this.#size = header.length
  }

  /** A folder over its quota is a full disk. */
  #checkQuota(more: number): void {
    const now = monotonicMs()
    if (this.#descriptor < 0 || now - this.#measuredMs >= MEASURE_MS) {
      this.#measuredMs = now
      this.#others = spoolUsage(this.#folder, this.#path).bytes
    }
    if (this.#others + this.#size + more <= this.#options.bytesMax) return
    throw new GatewayError(
      'GW_RECORDING_LOST',
      'sealed originals are over recorder.spool.bytes_max',
    )
  }
}
