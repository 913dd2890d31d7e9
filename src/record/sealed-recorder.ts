/**
 * IO (files, time). Seals what masks replace in the sessions of one worker: once a turn, and before anything of that turn
 * is forwarded, what was collected is encrypted, written down, and its digest recorded as an event of the session, which
 * the chain covers. Only made where `recorder.seal` names recipients; without it nothing here exists.
 *
 * The order is what counts: first the ciphertext, then the event that speaks of it, then the masked bytes. What cannot be
 * written is kept, and nothing is forwarded meanwhile (relay/turn.ts).
 */
import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Recorder, Recording } from './event.ts'
import { keyRecord, sealedRecord } from './sealed-segment.ts'
import { SealedSpool, type SealedSpoolOptions } from './sealed-spool.ts'
import { type SealedRow, Sealer, type SealKey } from './sealer.ts'

/** Collected values beyond this are sealed at once, not at the end of the turn. */
const COLLECTED_BYTES = 4 << 20
/** While they cannot be written, at most so much is kept; then sessions end. */
const COLLECTED_BYTES_MAX = 64 << 20

interface Written {
  readonly recording: Recording
  readonly row: SealedRow
  readonly key: SealKey
  /** Of the row, in microseconds. */
  readonly at: number
  /** The wrapped key was written with it. */
  readonly isFirst: boolean
}

export interface SealedRecorderOptions extends SealedSpoolOptions {
  readonly recorder: Pick<Recorder, 'pending' | 'flush'>
  readonly clock: Clock
  /** Of originals of one action. */
  readonly actionBytesMax: number
}

export class SealedRecorder {
  readonly #options: SealedRecorderOptions
  readonly #spool: SealedSpool
  readonly #sessions = new Map<Sealer, Recording>()
  readonly #touched = new Set<Sealer>()
  /** Sessions whose wrapped key is written. */
  readonly #known = new WeakSet<Sealer>()
  /** Encrypted, and not written yet: a batch is never encrypted twice. */
  #waiting: Buffer[] = []
  #rows: Written[] = []
  #collected = 0
  #collectedMax = COLLECTED_BYTES

  constructor(options: SealedRecorderOptions) {
    this.#options = options
    this.#spool = new SealedSpool(options)
  }

  open(key: SealKey, recording: Recording): Sealer {
    const sealer = new Sealer(key, this.#options.actionBytesMax, this.#onTouch)
    this.#sessions.set(sealer, recording)
    return sealer
  }

  /** Before the session's last event, behind which none may come. */
  finish(sealer: Sealer): void {
    const recording = this.#sessions.get(sealer)
    try {
      this.#write()
    } catch {
      // Is written later, or nothing of this turn is forwarded.
      for (const written of this.#rows.splice(0))
        if (written.recording === recording) say(written)
        else this.#rows.push(written)
    }
    this.#sessions.delete(sealer)
  }

  get pending(): boolean {
    if (this.#touched.size > 0 || this.#waiting.length > 0 || this.#rows.length > 0) return true
    return this.#options.recorder.pending
  }

  /** Throws GatewayError GW_RECORDING_LOST; nothing is lost then, and calling again tries again. */
  flush(): void {
    this.#write()
    this.#options.recorder.flush()
  }

  close(): void {
    try {
      this.#write()
    } finally {
      this.#spool.close()
    }
  }

  #write(): void {
    for (const sealer of this.#touched) this.#seal(sealer)
    this.#touched.clear()
    const [only] = this.#waiting
    if (only !== undefined) {
      this.#spool.write(this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting))
      this.#waiting = []
      this.#collected = 0
      this.#collectedMax = COLLECTED_BYTES
    }
    this.#sayAll()
  }

  /** What cannot be said is kept. */
  #sayAll(): void {
    for (let one = this.#rows[0]; one !== undefined; one = this.#rows[0]) {
      say(one)
      this.#rows.shift()
    }
  }

  #seal(sealer: Sealer): void {
    const recording = this.#sessions.get(sealer)
    if (recording === undefined) return
    const at = this.#options.clock.microseconds()
    const { key } = sealer
    const isFirst = !this.#known.has(sealer)
    if (isFirst) {
      this.#known.add(sealer)
      this.#waiting.push(keyRecord(key, at))
    }
    const row = sealer.seal()
    this.#waiting.push(sealedRecord(key, row, at))
    this.#rows.push({ recording, row, key, at, isFirst })
  }

  readonly #onTouch = (sealer: Sealer, bytes: number): void => {
    this.#touched.add(sealer)
    this.#collected += bytes
    if (this.#collected > this.#collectedMax) this.#makeRoom()
  }

  /** In the middle of a turn: nothing of it has been forwarded, so it may be written early. */
  #makeRoom(): void {
    if (this.#collected > COLLECTED_BYTES_MAX)
      throw new GatewayError('GW_RECORDING_LOST', 'originals could not be sealed for too long')
    try {
      this.#write()
    } catch {
      this.#collectedMax = this.#collected + COLLECTED_BYTES
    }
  }
}

function say(written: Written): void {
  written.recording.moment({ kind: 'sealed', status: '', text: textOf(written) })
}

/** Of the event; numbers and digests, no value. Every column of the rows that it speaks of is bound by it (replay/verifier.mjs). */
function textOf({ row, key, at, isFirst }: Written): string {
  const { batch, values, cut, ciphertext, digest, action } = row
  const of = { batch, values, cut: cut.values, bytes: ciphertext.length, sha256: digest }
  const { keyId, wrapped, recipients } = key
  const wrap = isFirst ? { wrap: { sha256: hash('sha256', wrapped, 'hex'), recipients } } : {}
  return JSON.stringify({ ...of, action, at, key: keyId, ...wrap })
}
