/**
 * Pure. Rows of `sluice.events` in ClickHouse's MsgPack format: column values one after the other,
 * no row or array around them (https://clickhouse.com/docs/interfaces/formats/MsgPack,
 * https://github.com/msgpack/msgpack).
 *
 * What is constant is packed once by msgpackr into a span; per event only a few numbers are written
 * by hand. Does not read a clock, hash or write to disk (recorder.ts, spool.ts).
 */
import { Packr } from 'msgpackr'
import { copy } from '../base/bytes.ts'
import type { ActionShape, ActionTimes, Moment, Outcome, SessionFacts } from './event.ts'

const packr = new Packr({ useRecords: false })

const OUTCOME = packr.pack('outcome')
const RESPONSE = packr.pack('response')

/** Identity of one row. `job` is the number within the job; `at` is microseconds since 1970. */
export interface RowHead {
  readonly at: number
  readonly seq: number
  readonly action: number
  readonly job: number
}

/** The spans of a shape: one for its action rows, one for its outcome rows. */
export interface ShapeSpans {
  readonly action: Buffer
  readonly outcome: Buffer
}

/** Columns of SESSION_COLUMNS. */
export function sessionSpan(facts: SessionFacts): Buffer {
  return span([
    facts.sessionId,
    facts.instance,
    facts.protocol,
    facts.connection,
    facts.targetDatabase,
    facts.subject,
    facts.kindOfIdentity,
    facts.owner,
    facts.job,
    facts.run,
    facts.agent,
    facts.parentAgent,
    facts.jobVerified,
    facts.clientIp,
    facts.roles,
    facts.groups,
  ])
}

/**
 * Columns of SHAPE_COLUMNS; statement, hash, objects and facts stand in the action row only. Texts that differ in their
 * literals alone come by the thousand: what they share is packed once.
 */
export function shapeSpans(shape: ActionShape, hash: string): ShapeSpans {
  const { statement, facts } = shape
  const { what, decided, outcome } = sharedSpans(shape)
  const statementBytes = Buffer.byteLength(statement)
  const factsBytes = Buffer.byteLength(facts)
  const texts = statementBytes + hash.length + factsBytes + 3 * TEXT_HEAD
  // Kept for long: memory of its own, not a part of a pooled buffer.
  const action = Buffer.allocUnsafeSlow(what.length + decided.length + texts)
  action.set(what)
  let at = text(action, what.length, statement, statementBytes)
  at = text(action, at, hash, hash.length)
  action.set(decided, at)
  text(action, at + decided.length, facts, factsBytes)
  return { action, outcome }
}

interface SharedSpans {
  readonly what: Buffer
  readonly decided: Buffer
  readonly outcome: Buffer
}

/** Begun anew beyond SHARED_MAX. */
const SHARED = new Map<string, SharedSpans>()
/** Whatever is touched, outcomes are the same memory. */
const OUTCOMES = new Map<string, Buffer>()
const SHARED_MAX = 512
/** A str 32's kind and length. */
const TEXT_HEAD = 5

function sharedSpans(shape: ActionShape): SharedSpans {
  const { verb, objects, verdict, rule, policyVersion, requestId } = shape
  // Lengths stand before texts that may hold anything, so that no two shapes have one key.
  let key = `${policyVersion} ${shape.class} ${verdict} `
  key += `${verb.length}:${verb}${rule.length}:${rule}${requestId.length}:${requestId}`
  const asOutcome = key
  for (const object of objects) key += `${object.length}:${object}`
  const known = SHARED.get(key)
  if (known !== undefined) return known
  if (SHARED.size >= SHARED_MAX) {
    SHARED.clear()
    OUTCOMES.clear()
  }
  const by = [verdict, rule, policyVersion, requestId] as const
  const outcome =
    OUTCOMES.get(asOutcome) ?? span(['outcome', shape.class, verb, [], '', '', ...by, ''])
  OUTCOMES.set(asOutcome, outcome)
  const what = span(['action', shape.class, verb, objects])
  const made = { what, decided: span(by), outcome }
  SHARED.set(key, made)
  return made
}

/** Writes a text of `size` bytes as str 32; answers where it ends. */
function text(into: Buffer, at: number, value: string, size: number): number {
  into[at] = 0xdb
  word(into, at + 1, size)
  into.write(value, at + TEXT_HEAD, 'utf8')
  return at + TEXT_HEAD + size
}

/** Those of an outcome, of which only the kind differs. */
export function responseSpan(outcome: Buffer): Buffer {
  return Buffer.concat([RESPONSE, outcome.subarray(OUTCOME.length)])
}

/** Columns of SHAPE_COLUMNS for a row that is no part of an action. */
export function momentSpan(kind: Moment['kind']): Buffer {
  return span([kind, '', '', [], '', '', '', '', 0, '', ''])
}

function span(values: readonly unknown[]): Buffer {
  // Kept for long: memory of its own, not a part of a pooled buffer.
  return copy(Buffer.concat(values.map((value) => packr.pack(value))))
}

/**
 * rows 0, bytes_down 0, upstream_us 0, gateway_us 0, status '', error '', text '', masked {}, cut
 * false, payload ''.
 */
const NO_OUTCOME = Buffer.from([0, 0, 0, 0, 0xa0, 0xa0, 0xa0, 0x80, 0xc2, 0xa0])
/** All of it but the payload. */
const NO_OUTCOME_BUT = NO_OUTCOME.subarray(0, -1)
/** bytes_up 0, parse_us 0, decide_us 0, wait_us 0, params []. */
const NO_ACTION = Buffer.from([0, 0, 0, 0, 0x90])
/** Most bytes that a row's numbers need, beside its spans and texts. */
const NUMBERS_MAX = 192

/**
 * A growing buffer of encoded rows. `bytes.subarray(start, size)` is valid until the next write;
 * the first `start` bytes are room for the header of the block that it becomes.
 */
export class RowBuffer {
  readonly start: number
  bytes: Buffer
  size: number
  rows = 0

  constructor(start: number, capacity: number) {
    this.start = start
    this.size = start
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  clear(): void {
    this.size = this.start
    this.rows = 0
  }

  action(spans: readonly [Buffer, Buffer], head: RowHead, times: ActionTimes): void {
    this.#begin(spans, head)
    this.#uint(times.bytesUp)
    this.#uint(times.parseUs)
    this.#uint(times.decideUs)
    this.#uint(times.waitUs)
    this.#texts(times.params)
    this.#span(NO_OUTCOME)
    this.rows++
  }

  outcome(spans: readonly [Buffer, Buffer], head: RowHead, outcome: Outcome): void {
    this.#begin(spans, head)
    this.#span(NO_ACTION)
    this.#uint(outcome.rows)
    this.#uint(outcome.bytesDown)
    this.#uint(outcome.upstreamUs)
    this.#uint(outcome.gatewayUs)
    this.#text(outcome.status)
    this.#text(outcome.error)
    this.bytes[this.size++] = 0xa0
    this.#counts(outcome.masked)
    this.bytes[this.size++] = outcome.payloadCut ? 0xc3 : 0xc2
    this.#binary(outcome.payload)
    this.rows++
  }

  response(spans: readonly [Buffer, Buffer], head: RowHead, payload: Uint8Array): void {
    this.#begin(spans, head)
    this.#span(NO_ACTION)
    this.#span(NO_OUTCOME_BUT)
    this.#binary(payload)
    this.rows++
  }

  moment(spans: readonly [Buffer, Buffer], head: RowHead, moment: Moment): void {
    this.#begin(spans, head)
    this.#span(NO_ACTION)
    this.bytes.fill(0, this.size, this.size + 4)
    this.size += 4
    this.#text(moment.status)
    this.bytes[this.size++] = 0xa0
    this.#text(moment.text)
    this.bytes[this.size++] = 0x80
    this.bytes[this.size++] = 0xc2
    this.bytes[this.size++] = 0xa0
    this.rows++
  }

  #begin(spans: readonly [Buffer, Buffer], head: RowHead): void {
    this.#reserve(spans[0].length + spans[1].length + NUMBERS_MAX)
    this.#span(spans[0])
    this.#span(spans[1])
    this.#head(head)
  }

  #head(head: RowHead): void {
    this.#uint(head.at)
    this.#uint(head.seq)
    this.#uint(head.action)
    this.#uint(head.job)
  }

  /** Room for `count` bytes and, after them, always the numbers of one row. */
  #reserve(count: number): void {
    const needed = this.size + count + NUMBERS_MAX
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, needed))
    this.bytes.copy(grown, 0, 0, this.size)
    this.bytes = grown
  }

  #span(source: Uint8Array): void {
    if (source.length < 32) {
      for (let i = 0; i < source.length; i++) this.bytes[this.size++] = source[i]!
      return
    }
    this.bytes.set(source, this.size)
    this.size += source.length
  }

  /** Fractions are cut off; what is no count (negative, NaN) is 0. */
  #uint(given: number): void {
    const bytes = this.bytes
    let at = this.size
    const value = given >= 0 ? Math.min(Math.floor(given), Number.MAX_SAFE_INTEGER) : 0
    if (value < 0x80) bytes[at++] = value
    else if (value < 0x10000) {
      bytes[at++] = 0xcd
      bytes[at++] = value >>> 8
      bytes[at++] = value & 255
    } else if (value < 0x100000000) {
      bytes[at++] = 0xce
      at = word(bytes, at, value)
    } else {
      bytes[at++] = 0xcf
      at = word(bytes, at, Math.floor(value / 0x100000000))
      at = word(bytes, at, value >>> 0)
    }
    this.size = at
  }

  /** Short ASCII by hand, everything else by Buffer; ill-formed surrogates become U+FFFD. */
  #text(text: string): void {
    const count = text.length
    if (count < 32) {
      const bytes = this.bytes
      let at = this.size + 1
      let seen = 0
      for (let i = 0; i < count; i++) {
        const code = text.charCodeAt(i)
        seen |= code
        bytes[at++] = code
      }
      if (seen < 0x80) {
        bytes[this.size] = 0xa0 | count
        this.size = at
        return
      }
    }
    this.#reserve(count * 3 + 5)
    const length = this.bytes.write(text, this.size + 5, 'utf8')
    this.bytes[this.size] = 0xdb
    this.size = word(this.bytes, this.size + 1, length) + length
  }

  #texts(texts: readonly string[]): void {
    this.#length(texts.length, { fix: 0x90, long: 0xdd })
    for (const text of texts) {
      this.#reserve(32)
      this.#text(text)
    }
    this.#reserve(0)
  }

  #counts(counts: ReadonlyMap<string, number> | undefined): void {
    this.#length(counts?.size ?? 0, { fix: 0x80, long: 0xdf })
    if (counts === undefined) return
    for (const [name, count] of counts) {
      this.#reserve(48)
      this.#text(name)
      this.#uint(count)
    }
    this.#reserve(0)
  }

  #length(count: number, kind: { fix: number; long: number }): void {
    if (count < 16) {
      this.bytes[this.size++] = kind.fix | count
      return
    }
    this.bytes[this.size++] = kind.long
    this.size = word(this.bytes, this.size, count)
  }

  #binary(payload: Uint8Array | undefined): void {
    if (payload === undefined || payload.length === 0) {
      this.bytes[this.size++] = 0xa0
      return
    }
    this.#reserve(payload.length + 5)
    this.bytes[this.size++] = 0xc6
    this.size = word(this.bytes, this.size, payload.length)
    this.bytes.set(payload, this.size)
    this.size += payload.length
  }
}

function word(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24
  bytes[at + 1] = (value >>> 16) & 255
  bytes[at + 2] = (value >>> 8) & 255
  bytes[at + 3] = value & 255
  return at + 4
}
