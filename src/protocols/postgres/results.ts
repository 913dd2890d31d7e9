/**
 * Pure apart from what it is handed. Results on their way down: which rows are masked and how, what of them is
 * recorded, and the end of each action.
 */
import { ByteSink, copy, same } from '../../base/bytes.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Field, RowPlan } from '../../mask/plan.ts'
import { FORWARD, type Held, HOLD, NOTE, RUN, STOP, TAKEN } from '../../relay/lane.ts'
import { Actions } from './actions.ts'
import type { Conversation } from './conversation.ts'
import { CopyResults } from './copy-results.ts'
import { type Entry, EXECUTE, type Running } from './entry.ts'
import { DOWN } from './frame.ts'
import { RowMasker } from './mask.ts'
import { type ErrorMasks, maskError, maskNotification } from './mask-error.ts'
import { formatAt, readFields, readRowDescription } from './read.ts'
import { notedFrame } from './record-frames.ts'
import type { PostgresShared } from './session-masks.ts'
import { SessionMasks } from './session-masks.ts'
import type { Described, Portal } from './statements.ts'

/** Maskers for one row description under one set of masks; undefined ones have nothing to do. */
interface Maskers {
  readonly described: Described
  readonly formats: readonly number[] | undefined
  readonly masksKey: string
  readonly touchesMasked: boolean
  readonly outputs: Running['outputs']
  readonly client: RowMasker | undefined
  /** Set where the record hides more than the client is denied (`mode: monitor`). */
  readonly record: RowMasker | undefined
  /** The description for the record, where the client did not get one with these rows. */
  noted: Buffer | undefined
}

/** One a thread: what stands in it is sent and recorded before anything else happens. */
const sink = new ByteSink(0)

export class Results {
  readonly masks: SessionMasks
  readonly copies: CopyResults
  readonly actions: Actions
  readonly #talk: Conversation
  /** Those used last, which fit most results that come next. */
  #maskers: Maskers | undefined
  /** Those of the result that is coming now; undefined before it is described. */
  #current: Maskers | undefined

  constructor(talk: Conversation, shared: PostgresShared) {
    this.#talk = talk
    this.masks = new SessionMasks(talk, shared)
    this.actions = new Actions(talk, this.masks)
    this.copies = new CopyResults(talk, this)
  }

  /** An entry became the first that is owed: decides how rows are treated before the first can come. */
  headChanged(head: Entry | undefined): void {
    const { down } = this.#talk
    // Rows of a simple query follow their description (`queryDescribed`); all others would be a breach.
    down.setCourse(DOWN.dataRow, HOLD)
    down.setCourse(DOWN.copyData, HOLD)
    this.#current = undefined
    this.copies.forget()
    if (head?.kind === EXECUTE) this.#executes(head)
  }

  #executes(head: Entry): void {
    const { portal } = head
    const runs = portal?.prepared.statement?.effect.runs !== undefined
    const described = portal?.result ?? (runs ? undefined : portal?.prepared.result)
    if (described !== undefined) {
      const formats = portal?.result === undefined ? portal?.resultFormats : undefined
      const { described: frame, noted } = this.#use(described, formats, head.running[0])
      const kept = noted ?? this.#noted(frame.frame, formats)
      this.actions.keep(kept, 0, kept.length)
    } else {
      // Without a description no row can be masked: rows may come only where nothing is.
      this.#talk.down.setCourse(DOWN.dataRow, this.masks.now.idle ? NOTE : HOLD)
    }
  }

  /** The gateway must ask for the portal's description itself, because the client did not. */
  needsDescription(portal: Portal): boolean {
    const { statement } = portal.prepared
    if (statement === undefined || !statement.returnsRows || this.masks.now.idle) return false
    // What EXECUTE and FETCH name may be another by now than the one that the client had described.
    if (statement.effect.runs !== undefined) return !portal.fixed
    return !portal.described && !portal.prepared.described
  }

  /** RowDescription that answers Describe. */
  described(head: Entry, bytes: Buffer, start: number, end: number): boolean {
    const owner = head.portal ?? head.prepared
    if (owner === undefined || head.portal?.fixed === true) return true
    const known = head.portal?.prepared.result ?? owner.result
    const described = this.#read(bytes, start, end, known)
    if (described === undefined) return false
    owner.result = described
    // The next portal of the statement will be described alike, and is then recognised by its bytes.
    if (head.portal !== undefined) {
      if (head.portal.prepared.statement?.effect.runs !== undefined) head.portal.fixed = head.silent
      else head.portal.prepared.result = described
    }
    return true
  }

  /** RowDescription in the answer to a simple query. */
  queryDescribed(head: Entry, bytes: Buffer, start: number, end: number): boolean {
    const described = this.#read(bytes, start, end, this.#maskers?.described)
    if (described === undefined) return false
    this.#use(described, undefined, head.running[head.done])
    this.actions.note(described.frame, 0, end - start)
    return true
  }

  #noted(described: Buffer, formats: readonly number[] | undefined): Buffer {
    const noted = notedFrame(described, formats)
    this.#current!.noted = noted
    return noted
  }

  #read(
    bytes: Buffer,
    start: number,
    end: number,
    known: Described | undefined,
  ): Described | undefined {
    if (known !== undefined && same(known.frame, bytes, start, end)) return known
    const fields = readRowDescription(bytes, start, end)
    if (fields === undefined) {
      this.#talk.malformed('target', 'RowDescription')
      return undefined
    }
    return { frame: copy(bytes, start, end), fields }
  }

  #use(
    described: Described,
    formats: readonly number[] | undefined,
    running: Running | undefined,
  ): Maskers {
    const touchesMasked = running?.touchesMasked ?? false
    const outputs = running?.outputs
    const { now } = this.masks
    const last = this.#maskers
    if (
      last === undefined ||
      last.described !== described ||
      last.formats !== formats ||
      last.masksKey !== now.key ||
      last.touchesMasked !== touchesMasked ||
      last.outputs !== outputs
    ) {
      const fields = formats === undefined ? described.fields : formatted(described.fields, formats)
      const plan = now.idle ? undefined : this.masks.plan(fields, touchesMasked, outputs)
      const masksKey = now.key
      const { client, record } = this.#maskersOf(plan)
      const noted = undefined
      this.#maskers = {
        described,
        formats,
        masksKey,
        touchesMasked,
        outputs,
        client,
        record,
        noted,
      }
    }
    const current = this.#maskers!
    this.#current = current
    const { client, record } = current
    const passes = client === undefined && record === undefined
    this.#talk.down.setCourse(DOWN.dataRow, passes ? NOTE : RUN)
    return current
  }

  #maskersOf(plan: RowPlan): Pick<Maskers, 'client' | 'record'> {
    if (plan === undefined) return { client: undefined, record: undefined }
    const { now } = this.masks
    const { detectors } = now
    const key = this.#talk.parts.worker.maskKey
    const make = (applies: 'enforced' | 'all', tally: Map<string, number>) => {
      // Of what the record does not show: where it is masked apart, that masker knows all of it.
      const seal = now.monitors === (applies === 'all') ? this.#talk.parts.seal : undefined
      const masker = new RowMasker(plan, { detectors, key, tally, applies, seal })
      return masker.idle ? undefined : masker
    }
    const client = make('enforced', this.actions.tally)
    return { client, record: now.monitors ? make('all', new Map()) : undefined }
  }

  /** Rows that pass unread, in whatever pieces they come. */
  note(bytes: Buffer, start: number, end: number, first: boolean): void {
    if (first) this.actions.rows += 1
    this.actions.note(bytes, start, end)
  }

  /** Whole rows under a plan. */
  rows(bytes: Buffer, start: number, end: number): Held {
    const maskers = this.#current
    if (maskers === undefined) {
      this.#talk.malformed('target', 'a row that was not described')
      return STOP
    }
    this.actions.bytes += end - start
    if (this.#talk.parts.seal !== undefined) this.actions.sealRows(this.actions.rows)
    for (let at = start; at < end; at += 1 + bytes.readInt32BE(at + 1)) this.actions.rows += 1
    const { client, record } = maskers
    if (record !== undefined) this.#toPayloadMasked(record, bytes, start, end)
    if (client === undefined || !client.mayChange(bytes, start, end)) {
      if (record === undefined) this.actions.keep(bytes, start, end)
      return FORWARD
    }
    sink.clear()
    const { worker } = this.#talk.parts
    const began = worker.now()
    const stopped = client.maskRows(bytes, { start, end }, sink)
    this.actions.maskUs += (worker.now() - began) * 1000
    if (stopped !== end) {
      this.#talk.malformed('target', 'DataRow')
      return STOP
    }
    client.settle()
    if (record === undefined) this.actions.keep(sink.bytes, 0, sink.size)
    this.#talk.toClient(sink.view())
    shrink(sink)
    return TAKEN
  }

  #toPayloadMasked(record: RowMasker, bytes: Buffer, start: number, end: number): void {
    if (this.actions.payloadCut) return
    sink.clear()
    if (record.maskRows(bytes, { start, end }, sink) === end) {
      this.actions.keep(sink.bytes, 0, sink.size)
    } else this.actions.payloadCut = true
    shrink(sink)
  }

  copyOut(head: Entry, bytes: Buffer, start: number, end: number): boolean {
    return this.copies.begin(head, bytes, start, end)
  }

  copyData(bytes: Buffer, start: number, end: number): Held {
    return this.copies.data(bytes, start, end)
  }

  copyDone(): Held {
    return this.copies.done()
  }

  /** Counts bytes of a result that were not rows, and keeps them for the record while there is room. */
  noteEnd(bytes: Buffer, start: number, end: number): void {
    this.actions.note(bytes, start, end)
  }

  /** ErrorResponse or NoticeResponse: hidden where it could quote what a mask hides. */
  notice(bytes: Buffer, start: number, end: number): Held {
    const { now } = this.masks
    if (now.idle) {
      this.noteEnd(bytes, start, end)
      return FORWARD
    }
    const frame = bytes.subarray(start, end)
    const { tally } = this.actions
    const recorded = this.#hidden(frame, {
      columns: now.all !== undefined,
      detectors: now.detectors,
      quotes: true,
      tally: now.monitors ? tally : new Map(),
    })
    if (recorded === 'malformed') return this.#malformed('error or notice')
    if (recorded === 'same') this.noteEnd(bytes, start, end)
    else {
      this.actions.sealNotice(frame)
      this.noteEnd(recorded, 0, recorded.length)
    }
    const told = this.#hidden(frame, {
      columns: now.hides,
      detectors: now.detectors?.enforced,
      tally,
    })
    if (told === 'malformed') return this.#malformed('error or notice')
    if (told === 'same') return FORWARD
    this.#talk.toClient(told)
    return TAKEN
  }

  #hidden(frame: Buffer, masks: Omit<ErrorMasks, 'key'>): ReturnType<typeof maskError> {
    return maskError(frame, { ...masks, key: this.#talk.parts.worker.maskKey })
  }

  /** What the gateway itself says to the client; it may quote the statement, as the parser's message does. */
  told(frame: Buffer): void {
    const { now } = this.masks
    const mayQuote = !now.idle && frame[0] === DOWN.error
    const recorded = mayQuote
      ? maskError(frame, {
          columns: now.all !== undefined && quotesText(frame),
          detectors: now.detectors,
          key: this.#talk.parts.worker.maskKey,
          tally: new Map(),
        })
      : 'same'
    if (recorded === 'malformed') return
    if (recorded !== 'same') this.actions.sealNotice(frame)
    const kept = recorded === 'same' ? frame : recorded
    this.actions.keep(kept, 0, kept.length)
  }

  notification(bytes: Buffer, start: number, end: number): Held {
    const { now } = this.masks
    const told = now.idle ? 'same' : maskNotification(bytes.subarray(start, end))
    if (told === 'malformed') return this.#malformed('NotificationResponse')
    if (told === 'same') this.actions.keep(bytes, start, end)
    else {
      this.actions.sealNotice(bytes.subarray(start, end))
      this.actions.keep(told, 0, told.length)
    }
    if (told === 'same' || !now.hides) return FORWARD
    this.#talk.toClient(told)
    return TAKEN
  }

  #malformed(what: string): Held {
    this.#talk.malformed('target', what)
    return STOP
  }

  /** A row or copy frame too large for the plan. */
  tooLarge(): Held {
    this.#talk.fail(
      new GatewayError('GW_UPSTREAM_MALFORMED', 'a row to be masked is too large', {
        say: 'A row to be masked is larger than the gateway holds.',
      }),
    )
    return STOP
  }
}

/** Formats of a Bind in place of those of a described statement, which says text for all. */
function formatted(fields: readonly Field[], formats: readonly number[]): readonly Field[] {
  return fields.map((field, i) => ({ ...field, format: formatAt(formats, i) }))
}

/** The parser's message quotes what it did not understand, literals too. */
function quotesText(frame: Buffer): boolean {
  return readFields(frame, 0, frame.length)?.get('C') === '42601'
}

/** A sink that was large once must not cost its memory for ever. */
function shrink(sink: ByteSink): void {
  if (sink.bytes.length > 256 << 10) sink.bytes = Buffer.allocUnsafeSlow(4096)
}
