/**
 * Pure apart from what it is handed. The record of each action: one event before it goes up, one when its end is
 * known, with what the client saw of its result.
 *
 * What the client receives between two results (ReadyForQuery, ParseComplete, a refusal …) goes with the next one, or at
 * the end with the last: all payloads of a session, in order, are what it received.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { Shape } from '../../record/event.ts'
import type { Sealer } from '../../record/sealer.ts'
import type { Conversation } from './conversation.ts'
import type { Running } from './entry.ts'
import type { Judged } from './judge.ts'
import type { Made } from './meanings.ts'
import { cutForRecord } from './params.ts'
import type { SessionMasks } from './session-masks.ts'
import type { Statement } from './sql/analysis.ts'

/** A longer response is recorded in parts while it goes: a client that does not read must not make us keep it. */
const SLICE_BYTES = 64 << 10
const PAYLOAD_KEPT_BYTES = 16 << 10

export class Actions {
  readonly #talk: Conversation
  readonly #masks: SessionMasks
  /** Values masked in the present result, by column or detector. */
  readonly tally = new Map<string, number>()
  #payload = new ByteSink(0)
  /** Bytes of the present result for the record, those in parts that are recorded included. */
  #kept = 0
  payloadCut = false
  /** The action that was recorded last: what belongs to none is recorded with it. */
  #lastShape: Shape | undefined
  #last = 0
  /** Bytes and rows of the present result. */
  bytes = 0
  rows = 0
  /** Time spent on texts since the last action, and on masking the present result; microseconds. */
  parseUs = 0
  maskUs = 0

  constructor(talk: Conversation, masks: SessionMasks) {
    this.#talk = talk
    this.#masks = masks
  }

  /** Bytes of a result that go to the client as they are. */
  note(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start
    this.keep(bytes, start, end)
  }

  /** Keeps bytes for the record up to the configured most; what is cut off is said in the outcome. */
  keep(bytes: Buffer, start: number, end: number): void {
    if (this.payloadCut) return
    this.#kept += end - start
    if (this.#kept > this.#talk.parts.worker.responseBytesMax) this.#cut(bytes, start, end)
    else if (this.#payload.size + end - start <= SLICE_BYTES)
      this.#payload.append(bytes, start, end)
    else this.#record(bytes, start, end)
  }

  /** Memory that waits for the end of a result. */
  get heldBytes(): number {
    return this.#payload.bytes.length
  }

  get #running(): Running | undefined {
    const first = this.#talk.ledger.first()
    return first?.running[first.done]
  }

  /** The cap is a result's own: what comes between results must not use it up. */
  #cut(bytes: Buffer, start: number, end: number): void {
    const running = this.#running
    if (running === undefined) {
      this.#record(bytes, start, end)
      return
    }
    this.payloadCut = true
    // Nothing is added any more, and the result may stand still for hours: what was kept goes now.
    const payload = this.#payload
    if (payload.size === 0) return
    this.#talk.parts.recording.response(running.shape, running.action, payload.view())
    this.#payload = new ByteSink(0)
  }

  /** Records what was kept so far, and what does not fit behind it. */
  #record(bytes: Buffer, start: number, end: number): void {
    const { recording } = this.#talk.parts
    const running = this.#running
    const shape = running?.shape ?? this.#lastShape
    const payload = this.#payload
    // Of no action at all: there is no row that it could stand in.
    if (shape === undefined) payload.clear()
    else {
      const action = running?.action ?? this.#last
      if (payload.size > 0) recording.response(shape, action, payload.view())
      payload.clear()
      if (end - start >= SLICE_BYTES) {
        recording.response(shape, action, bytes.subarray(start, end))
        return
      }
    }
    if (running === undefined) this.#kept = end - start
    payload.append(bytes, start, end)
  }

  /** The session is over: what came behind the last result is recorded with it. */
  end(): void {
    const payload = this.#payload
    if (payload.size > 0 && this.#lastShape !== undefined)
      this.#talk.parts.recording.response(this.#lastShape, this.#last, payload.view())
    payload.clear()
  }

  /** Rows behind `row` are those of the result that is coming. undefined: originals are not kept. */
  sealRows(row: number): Sealer | undefined {
    const { seal } = this.#talk.parts
    seal?.begin(this.#running?.action ?? 0, row)
    return seal
  }

  /** An error or notice that the record shows otherwise. */
  sealNotice(frame: Buffer): void {
    this.#talk.parts.seal?.text('notice', { action: this.#running?.action ?? 0, row: 0 }, frame)
  }

  /** What the record of an action shows otherwise: its text, and those parameters that were replaced. */
  #sealTexts(
    action: number,
    judged: Judged,
    about: { readonly params: readonly string[]; readonly statement: Statement },
  ): void {
    const { seal } = this.#talk.parts
    if (seal === undefined) return
    const { original } = judged
    if (original !== undefined) seal.text('statement', { action, row: 0 }, Buffer.from(original))
    if (about.params.length === 0) return
    const shown = this.#masks.recordedParams(about.params, about.statement)
    for (const [at, param] of about.params.entries())
      if (param !== shown[at]) seal.text('param', { action, row: at + 1 }, Buffer.from(param))
  }

  /** Records an action that goes up now. */
  open(
    statement: Statement,
    judged: Judged,
    about: { params: readonly string[]; bytesUp: number },
    made: Made | undefined,
  ): Running {
    const { recording, live, worker, grant } = this.#talk.parts
    const now = worker.now()
    const gatewayUs = Math.round((now - live.lastActive) * 1000)
    const parseUs = this.#parsed(gatewayUs)
    const action = recording.action(judged.shape, {
      params: this.#recordedParams(about.params, statement),
      bytesUp: about.bytesUp,
      parseUs,
      decideUs: gatewayUs - parseUs,
      waitUs: 0,
    })
    this.#sealTexts(action, judged, { params: about.params, statement })
    live.context.statements += 1
    worker.count.action(grant.connection.name, 'allow')
    return {
      shape: judged.shape,
      action,
      effect: statement.effect,
      made,
      startedAt: now,
      gatewayUs,
      // A plan holds no row of what it plans.
      touchesMasked: statement.mask.touches && statement.verb !== 'EXPLAIN',
      outputs: statement.mask.outputs,
    }
  }

  /** What of `gatewayUs` went into parsing. */
  #parsed(gatewayUs: number): number {
    const { count } = this.#talk.parts.worker
    const parseUs = Math.min(gatewayUs, Math.round(this.parseUs))
    this.parseUs = 0
    if (parseUs > 0) count.latency('parse', parseUs)
    count.latency('decide', gatewayUs - parseUs)
    return parseUs
  }

  /** Records an action that was refused, with its end; answers its id. */
  refused(
    judged: Judged,
    statement: Statement,
    about: { bytesUp: number; params: readonly string[] },
  ): string {
    const { recording, live, worker, grant } = this.#talk.parts
    const gatewayUs = Math.round((this.#talk.parts.worker.now() - live.lastActive) * 1000)
    const parseUs = this.#parsed(gatewayUs)
    const action = recording.action(judged.shape, {
      params: this.#recordedParams(about.params, statement),
      bytesUp: about.bytesUp,
      parseUs,
      decideUs: gatewayUs - parseUs,
      waitUs: 0,
    })
    this.#sealTexts(action, judged, { params: about.params, statement })
    recording.outcome(judged.shape, action, {
      status: 'refused',
      error: '',
      rows: 0,
      bytesDown: 0,
      upstreamUs: 0,
      gatewayUs,
      masked: undefined,
      payload: undefined,
      payloadCut: false,
    })
    this.#lastShape = judged.shape
    this.#last = action
    this.#talk.parts.turn.schedule()
    const { verdict } = judged
    worker.count.action(grant.connection.name, verdict.verdict === 'deny' ? verdict.kind : 'denied')
    return `${recording.sessionId}-${action}`
  }

  #recordedParams(params: readonly string[], statement: Statement): readonly string[] {
    return params.length === 0
      ? params
      : cutForRecord(this.#masks.recordedParams(params, statement))
  }

  /** Records the end of an action; what was kept of its result goes with it. */
  close(
    running: Running,
    end: { readonly status: string; readonly error: string; readonly rows: number },
  ): void {
    const { recording, live, worker, grant } = this.#talk.parts
    const { context } = live
    if (running.effect.transaction === 'begin') this.#talk.beginsAsked -= 1
    if (running.made !== undefined && end.status !== 'ok') this.#talk.unmade(running.made)
    const now = worker.now()
    const downUs = Math.round((now - live.lastActive) * 1000)
    const gatewayUs = running.gatewayUs + downUs
    const upstreamUs = Math.max(0, Math.round((now - running.startedAt) * 1000) - downUs)
    const rows = this.rows > 0 ? this.rows : end.rows
    recording.outcome(running.shape, running.action, {
      status: end.status,
      error: end.error,
      rows,
      bytesDown: this.bytes,
      upstreamUs,
      gatewayUs,
      masked: this.tally.size > 0 ? this.tally : undefined,
      payload: this.#payload.size > 0 ? this.#payload.view() : undefined,
      payloadCut: this.payloadCut,
    })
    this.#lastShape = running.shape
    this.#last = running.action
    this.#talk.parts.turn.schedule()
    worker.count.latency('total', gatewayUs)
    worker.count.upstream(upstreamUs)
    if (this.maskUs > 0) worker.count.latency('mask', Math.round(this.maskUs))
    this.maskUs = 0
    context.rows += this.rows
    context.bytes += this.bytes
    for (const [name, count] of this.tally) {
      context.maskedValues += count
      worker.count.masked(name, grant.connection.name, count)
    }
    if (this.tally.size > 0) this.tally.clear()
    this.#payload.clear()
    // A result that was large once must not cost its memory for ever.
    if (this.#payload.bytes.length > PAYLOAD_KEPT_BYTES) this.#payload = new ByteSink(0)
    this.#kept = 0
    this.payloadCut = false
    this.bytes = 0
    this.rows = 0
  }
}
