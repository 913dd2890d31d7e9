/**
 * IO (files, time). Records the sessions of one worker: encodes events into one buffer and hands it
 * to the kernel with one write per turn, before what they describe is forwarded.
 *
 * Does not ship (ship.ts) and does not mask: texts, parameters and payloads arrive masked.
 *
 * `job_seq` is the time in microseconds, made strictly rising per worker: unique within a worker,
 * and between workers as good as the clock that they share.
 */
import { BroadcastChannel } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { KeyedHash } from '../base/keyed-hash.ts'
import {
  momentSpan,
  RowBuffer,
  type RowHead,
  responseSpan,
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
import { Name } from './named-rows.ts'
import { BLOCK_HEAD, sealBlock } from './segment.ts'
import { Spool } from './spool.ts'
import type { RunKey } from './spool-cipher.ts'

/** Buffered rows beyond this are written at once, not at the end of the turn. */
const BUFFER_BYTES = 4 << 20
/** Of this thread, so that a shape means the same whoever records it. */
let numbers = 0
let blocks = 0

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
  readonly #keyed: KeyedHash
  readonly #rows = new RowBuffer(BLOCK_HEAD, BUFFER_BYTES + (1 << 20))
  /** What the buffered rows name, counted by hand: cutting an array's length is slow, and this is every block. */
  readonly #named: (Name | undefined)[] = []
  #names = 0
  /** Bytes that they stand for, each time they are named. */
  #shared = 0
  readonly #byColumns = new WeakMap<Buffer, Name>()
  readonly #moments = new Map<MomentKind, Name>()
  #block = ++blocks
  /** What the last block said first, and in which stretch: the next one says it again, so that either may be damaged. */
  #again: Name[] = []
  #said = -1
  /** What the block that is made has to say, in bytes. */
  #more = 0
  #jobSeq = 0
  #flushAt = BUFFER_BYTES

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#keyed = new KeyedHash(options.recordKey)
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
    const { action, outcome } = shapeSpans(shape, hash)
    return new NamedShape(new Name(action), this.#outcome(outcome)) as NamedShape & Shape
  }

  session(facts: SessionFacts): Name {
    return new Name(sessionSpan(facts), ++numbers)
  }

  /** Many shapes have the same memory here. */
  #outcome(columns: Buffer): Name {
    let name = this.#byColumns.get(columns)
    if (name === undefined) {
      name = new Name(columns)
      this.#byColumns.set(columns, name)
    }
    return name
  }

  moment(kind: MomentKind): Name {
    let name = this.#moments.get(kind)
    if (name === undefined) {
      name = new Name(momentSpan(kind))
      this.#moments.set(kind, name)
    }
    return name
  }

  /** As it stands in the row that is buffered next: by its columns the first time, by a number from then on. */
  reference(name: Name): Buffer {
    if (name.number === 0) {
      if (!name.isKnown) {
        name.isKnown = true
        return name.columns
      }
      name.call(++numbers)
    }
    if (name.block !== this.#block) {
      name.block = this.#block
      this.#named[this.#names++] = name
    }
    this.#shared += name.columns.length
    return name.reference
  }

  /**
   * The moment of an event and its number within the job. Throws GW_RECORDING_LOST where no room is
   * left.
   */
  stamp(seq: number, action: number): RowHead {
    if (this.#rows.size + this.#shared > this.#flushAt) this.#makeRoom()
    const at = this.#options.clock.microseconds()
    this.#jobSeq = Math.max(at, this.#jobSeq + 1)
    return { at, seq, action, job: this.#jobSeq }
  }

  flush(): void {
    const rows = this.#rows
    if (rows.rows === 0) return
    const stretch = this.#stretch()
    const block = this.#blockIn(stretch)
    sealBlock(block, rows.rows)
    this.#spool.write(block, this.#shared)
    this.#noteSaid(stretch)
    this.#shared = 0
    this.#block = ++blocks
    rows.clear()
    this.#flushAt = BUFFER_BYTES
  }

  #noteSaid(stretch: number): void {
    if (this.#again.length > 0) this.#again = []
    for (let i = 0; i < this.#names; i++) {
      const name = this.#named[i]!
      // A session that is gone must not be kept by what was once said of it.
      this.#named[i] = undefined
      if (name.stretch === stretch) continue
      name.stretch = stretch
      this.#again.push(name)
    }
    this.#said = stretch
    this.#names = 0
  }

  /** Where the block will stand: another segment may begin because of what it has to say there. */
  #stretch(): number {
    const { size } = this.#rows
    let stretch = this.#spool.stretchFor(size, this.#shared)
    for (;;) {
      this.#more = this.#unsaid(stretch)
      if (this.#more === 0) return stretch
      const found = this.#spool.stretchFor(size + this.#more, this.#shared)
      if (found === stretch) return stretch
      stretch = found
    }
  }

  /** Size of what has to be said in this stretch before the rows. */
  #unsaid(stretch: number): number {
    let size = 0
    for (let i = 0; i < this.#names; i++)
      if (this.#named[i]!.stretch !== stretch) size += this.#named[i]!.size
    if (this.#said === stretch) for (const name of this.#again) size += name.size
    return size
  }

  /** In memory of its own only where something has to be said. */
  #blockIn(stretch: number): Buffer {
    const { bytes, start, size } = this.#rows
    if (this.#more === 0) return bytes.subarray(0, size)
    const block = Buffer.allocUnsafeSlow(size + this.#more)
    let at = start
    for (let i = 0; i < this.#names; i++)
      if (this.#named[i]!.stretch !== stretch) at = this.#named[i]!.say(block, at)
    if (this.#said === stretch) for (const name of this.#again) at = name.say(block, at)
    bytes.copy(block, at, start, size)
    return block
  }

  hash(text: string): string {
    return this.#keyed.hex(text).substring(0, 32)
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
    const size = this.#rows.size + this.#shared
    if (size > BUFFER_BYTES_MAX) {
      throw new GatewayError('GW_RECORDING_LOST', 'the spool cannot be written for too long')
    }
    try {
      this.flush()
    } catch {
      this.#flushAt = size + BUFFER_BYTES
    }
  }
}

/** What a shape is called in rows of each kind. */
class NamedShape {
  readonly action: Name
  readonly outcome: Name
  /** Few have one. */
  response: Name | undefined

  constructor(action: Name, outcome: Name) {
    this.action = action
    this.outcome = outcome
  }
}

class SessionRecording implements Recording {
  readonly sessionId: string
  readonly #recorder: SpoolRecorder
  readonly #rows: RowBuffer
  readonly #session: Name
  #seq = 0

  constructor(recorder: SpoolRecorder, rows: RowBuffer, facts: SessionFacts) {
    this.sessionId = facts.sessionId
    this.#recorder = recorder
    this.#rows = rows
    this.#session = recorder.session(facts)
  }

  action(shape: Shape, times: ActionTimes): number {
    const number = ++this.#seq
    const head = this.#recorder.stamp(number, number)
    this.#rows.action(this.#names(named(shape).action), head, times)
    return number
  }

  outcome(shape: Shape, action: number, outcome: Outcome): void {
    const head = this.#recorder.stamp(++this.#seq, action)
    this.#rows.outcome(this.#names(named(shape).outcome), head, outcome)
  }

  response(shape: Shape, action: number, payload: Uint8Array): void {
    const head = this.#recorder.stamp(++this.#seq, action)
    const names = named(shape)
    names.response ??= new Name(responseSpan(names.outcome.columns))
    this.#rows.response(this.#names(names.response), head, payload)
  }

  moment(moment: Moment): void {
    const head = this.#recorder.stamp(++this.#seq, 0)
    this.#rows.moment(this.#names(this.#recorder.moment(moment.kind)), head, moment)
  }

  /** What a row begins with. */
  #names(shape: Name): readonly [Buffer, Buffer] {
    return [this.#recorder.reference(this.#session), this.#recorder.reference(shape)]
  }
}

/** What `Recorder.shape` returned, seen from inside. */
function named(shape: Shape): NamedShape {
  return shape as unknown as NamedShape
}
