/**
 * IO (files, time). Records the sessions of one worker: encodes events into one buffer and hands it
 * to the kernel with one write per turn, before what they describe is forwarded.
 *
 * Does not ship (ship.ts) and does not mask: texts, parameters and payloads arrive masked.
 *
 * `job_seq` is the time in microseconds, made strictly rising per worker: unique within a worker,
 * and between workers as good as the clock that they share.
 */
import { createHmac } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import {
  momentSpan,
  RowBuffer,
  type RowHead,
  type ShapeSpans,
  sessionSpan,
  shapeSpans,
} from './encode.ts'
import type {
  ActionShape,
  ActionTimes,
  Moment,
  MomentKind,
  Outcome,
  Recorder,
  Recording,
  SessionFacts,
  Shape,
} from './event.ts'
import { BLOCK_HEAD, sealBlock } from './segment.ts'
import { Spool } from './spool.ts'
import type { RunKey } from './spool-cipher.ts'

/** Buffered rows beyond this are written at once, not at the end of the turn. */
const BUFFER_BYTES = 4 << 20
/** While the spool cannot be written, at most this much is kept; then events are refused. */
const BUFFER_BYTES_MAX = 64 << 20

export interface RecorderOptions {
  readonly spoolFolder: string
  readonly instance: string
  readonly thread: number
  /** Key of `statement_hash`; 32 bytes. */
  readonly recordKey: Uint8Array
  /** Quota of the whole spool folder. */
  readonly bytesMax: number
  readonly clock: Clock
  /** `durability: strict`: every flush waits for the disk. */
  readonly strict?: boolean
  /** `recorder.ratchet`: what is written is sealed until a head is signed. */
  readonly ratchet?: boolean
  /** `recorder.spool.encrypt`: what is written is encrypted. */
  readonly encrypt?: RunKey | undefined
  /** The disk did not take what was written once (`strict`). */
  readonly onSyncFailed?: () => void
}

/** One per session worker. */
export function openRecorder(options: RecorderOptions): Recorder {
  return new SpoolRecorder(options)
}

class SpoolRecorder implements Recorder {
  readonly #options: RecorderOptions
  readonly #channel = new BroadcastChannel('sluice')
  readonly #spool: Spool
  readonly #rows = new RowBuffer(BLOCK_HEAD, BUFFER_BYTES + (1 << 20))
  #jobSeq = 0
  #flushAt = BUFFER_BYTES

  constructor(options: RecorderOptions) {
    this.#options = options
    // Only ever posts; must not keep the thread alive.
    this.#channel.unref()
    this.#spool = new Spool({
      folder: options.spoolFolder,
      instance: options.instance,
      thread: options.thread,
      bytesMax: options.bytesMax,
      strict: options.strict ?? false,
      ratchet: options.ratchet ?? false,
      encrypt: options.encrypt,
      onSyncFailed: options.onSyncFailed,
      announce: () => this.#channel.postMessage({ type: 'segment' }),
    })
  }

  get pending(): boolean {
    return this.#rows.rows > 0
  }

  open(facts: SessionFacts): Recording {
    return new SessionRecording(this, this.#rows, facts)
  }

  shape(shape: ActionShape): Shape {
    const hash = shape.exact === '' ? '' : this.hash(shape.exact)
    return shapeSpans(shape, hash) as ShapeSpans & Shape
  }

  /**
   * The moment of an event and its number within the job. Throws GW_RECORDING_LOST where no room is
   * left.
   */
  stamp(seq: number, action: number): RowHead {
    if (this.#rows.size > this.#flushAt) this.#makeRoom()
    const at = this.#options.clock.microseconds()
    this.#jobSeq = Math.max(at, this.#jobSeq + 1)
    return { at, seq, action, job: this.#jobSeq }
  }

  flush(): void {
    const rows = this.#rows
    if (rows.rows === 0) return
    const block = rows.bytes.subarray(0, rows.size)
    sealBlock(block, rows.rows)
    this.#spool.write(block)
    rows.clear()
    this.#flushAt = BUFFER_BYTES
  }

  hash(text: string): string {
    const digest = createHmac('sha256', this.#options.recordKey).update(text).digest('hex')
    return digest.substring(0, 32)
  }

  close(): void {
    try {
      this.flush()
    } finally {
      this.#spool.close()
      this.#channel.close()
    }
  }

  /**
   * A failing disk is tried again only after as much more has come: sealing a large block takes
   * time.
   */
  #makeRoom(): void {
    if (this.#rows.size > BUFFER_BYTES_MAX) {
      throw new GatewayError('GW_RECORDING_LOST', 'the spool cannot be written for too long')
    }
    try {
      this.flush()
    } catch {
      this.#flushAt = this.#rows.size + BUFFER_BYTES
    }
  }
}

const moments = new Map<MomentKind, Buffer>()

class SessionRecording implements Recording {
  readonly sessionId: string
  readonly #recorder: SpoolRecorder
  readonly #rows: RowBuffer
  readonly #session: Buffer
  #seq = 0

  constructor(recorder: SpoolRecorder, rows: RowBuffer, facts: SessionFacts) {
    this.sessionId = facts.sessionId
    this.#recorder = recorder
    this.#rows = rows
    this.#session = sessionSpan(facts)
  }

  action(shape: Shape, times: ActionTimes): number {
    const number = ++this.#seq
    const head = this.#recorder.stamp(number, number)
    this.#rows.action([this.#session, spans(shape).action], head, times)
    return number
  }

  outcome(shape: Shape, action: number, outcome: Outcome): void {
    const head = this.#recorder.stamp(++this.#seq, action)
    this.#rows.outcome([this.#session, spans(shape).outcome], head, outcome)
  }

  response(shape: Shape, action: number, payload: Uint8Array): void {
    const head = this.#recorder.stamp(++this.#seq, action)
    this.#rows.response([this.#session, spans(shape).outcome], head, payload)
  }

  moment(moment: Moment): void {
    let span = moments.get(moment.kind)
    if (span === undefined) {
      span = momentSpan(moment.kind)
      moments.set(moment.kind, span)
    }
    const head = this.#recorder.stamp(++this.#seq, 0)
    this.#rows.moment([this.#session, span], head, moment)
  }
}

/** What `Recorder.shape` returned, seen from inside. */
function spans(shape: Shape): ShapeSpans {
  return shape as unknown as ShapeSpans
}
