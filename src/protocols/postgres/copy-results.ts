/**
 * Pure apart from what it is handed. COPY TO STDOUT on its way down: passed and noted where nothing masks it, else
 * rewritten row by row.
 */
import { ByteSink } from '../../base/bytes.ts'
import type { Field, RowPlan } from '../../mask/plan.ts'
import { FORWARD, type Held, HOLD, NOTE, STOP, TAKEN } from '../../relay/lane.ts'
import type { Conversation } from './conversation.ts'
import { copyOf, type Entry } from './entry.ts'
import { DOWN } from './frame.ts'
import { CopyMasker, type CopyPlan } from './mask-copy.ts'
import { BinaryCopyMasker } from './mask-copy-binary.ts'
import type { MaskContext } from './mask-value.ts'
import type { Results } from './results.ts'
import type { CopyForm, MaskFinding } from './sql/analysis.ts'

const SINK_BYTES_MAX = 256 << 10
/** OID of `text`: COPY in text and csv writes every type as text. */
const TEXT_OID = 25

type AnyMasker = Pick<CopyMasker, 'push' | 'end'>

/** One a thread: what stands in it is sent and recorded before anything else happens. */
const sink = new ByteSink(0)

export class CopyResults {
  readonly #talk: Conversation
  readonly #results: Results
  #client: AnyMasker | undefined
  #record: AnyMasker | undefined
  #isOpen = false
  constructor(talk: Conversation, results: Results) {
    this.#talk = talk
    this.#results = results
  }

  /** CopyOutResponse. False: the session is over. */
  begin(head: Entry, bytes: Buffer, start: number, end: number): boolean {
    const form = copyOf(head)
    if (form?.direction !== 'out') {
      this.#talk.malformed('target', 'COPY data that nothing asked for')
      return false
    }
    const { now } = this.#results.masks
    this.#results.noteEnd(bytes, start, end)
    this.forget()
    this.#isOpen = true
    const touches = head.running[head.done]?.touchesMasked ?? true
    const outputs = head.running[head.done]?.outputs
    const plan = now.idle ? undefined : this.#plan(form, touches, outputs)
    if (plan !== undefined && !isAnnounced(form, plan, bytes.subarray(start, end))) {
      this.#talk.malformed('target', 'COPY in another form than was asked for')
      return false
    }
    if (plan !== undefined) {
      const { detectors } = now
      const key = this.#talk.parts.worker.maskKey
      const { tally } = this.#results.actions
      const seal = this.#results.actions.sealRows(0)
      const isRecord = now.monitors
      this.#client = copyMasker(form, plan, {
        detectors,
        key,
        tally,
        applies: 'enforced',
        seal: isRecord ? undefined : seal,
      })
      if (now.monitors) {
        const context = {
          detectors,
          key,
          tally: new Map<string, number>(),
          applies: 'all' as const,
          seal,
        }
        this.#record = copyMasker(form, plan, context)
      }
    }
    this.#talk.down.setCourse(DOWN.copyData, plan === undefined ? NOTE : HOLD)
    return true
  }

  #plan(form: CopyForm, touches: boolean, outputs: MaskFinding['outputs']) {
    const { masks } = this.#results
    const { names } = this.#talk.keeper
    const every = masks.plan([fieldOf(form, 0, 0)], touches)?.[0]
    const { rowBytesMax } = this.#talk
    if (form.columns === undefined && outputs !== undefined) {
      const fields = outputs.map((one) => fieldOf(form, 0, 0, one?.typeOid))
      const plan = masks.plan(fields, touches, outputs)
      return plan === undefined ? undefined : { fields: plan, every: undefined, rowBytesMax }
    }
    if (form.columns === undefined) {
      return every === undefined ? undefined : { fields: undefined, every, rowBytesMax }
    }
    const fields = form.columns.map((one) => {
      const column = names?.catalogue
        .relation(one.relation)
        ?.columns.find((known) => known.number === one.column)
      return fieldOf(form, one.relation, one.column, column?.typeOid)
    })
    const plan: RowPlan = masks.plan(fields, touches)
    return plan === undefined ? undefined : { fields: plan, every: undefined, rowBytesMax }
  }

  /** One CopyData frame under a plan. */
  data(bytes: Buffer, start: number, end: number): Held {
    const client = this.#client
    if (client === undefined) {
      this.#talk.malformed('target', 'COPY data that nothing asked for')
      return STOP
    }
    return this.#put(client.push(bytes.subarray(start + 5, end), this.#cleared()), {
      record: this.#record?.push.bind(this.#record, bytes.subarray(start + 5, end)),
    })
  }

  done(): Held {
    const client = this.#client
    if (!this.#isOpen) {
      this.#talk.malformed('target', 'the end of a COPY that was none')
      return STOP
    }
    this.#isOpen = false
    this.#talk.down.setCourse(DOWN.copyData, HOLD)
    this.#client = undefined
    if (client === undefined) return FORWARD
    const held = this.#put(client.end(this.#cleared()), {
      record: this.#record?.end.bind(this.#record),
    })
    return held === TAKEN ? FORWARD : held
  }

  /** Whatever was being copied is over. */
  forget(): void {
    this.#isOpen = false
    this.#client = undefined
    this.#record = undefined
  }

  #cleared(): ByteSink {
    sink.clear()
    return sink
  }

  #put(
    result: 'ok' | 'malformed' | 'over_limit',
    also: { record: ((sink: ByteSink) => unknown) | undefined },
  ): Held {
    if (result === 'over_limit') return this.#results.tooLarge()
    if (result === 'malformed') {
      this.#talk.malformed('target', 'COPY data')
      return STOP
    }
    const out = sink
    if (out.size > 0) this.#talk.toClient(out.view())
    if (also.record !== undefined) {
      const recorded = new ByteSink(out.size)
      also.record(recorded)
      this.#results.noteEnd(recorded.bytes, 0, recorded.size)
    } else this.#results.noteEnd(out.bytes, 0, out.size)
    // A row that was large once must not cost its memory for ever.
    if (out.bytes.length > SINK_BYTES_MAX) out.bytes = Buffer.allocUnsafeSlow(0)
    return TAKEN
  }
}

/** In text and csv every type is written as text; in binary each in its own way, and an unknown one in any. */
function fieldOf(form: CopyForm, relation: number, column: number, typeOid?: number): Field {
  const isBinary = form.format === 'binary'
  const known = typeOid ?? (isBinary ? 0 : TEXT_OID)
  return { name: '', relation, column, typeOid: known, format: isBinary ? 1 : 0 }
}

function copyMasker(form: CopyForm, plan: CopyPlan, context: MaskContext): AnyMasker {
  if (form.format === 'binary') return new BinaryCopyMasker(plan, context)
  return new CopyMasker(form, plan, context)
}

/** The target says the form that the statement asked for: overall format i8, fields i16, and the format of each. */
function isAnnounced(form: CopyForm, plan: CopyPlan, frame: Buffer): boolean {
  const format = form.format === 'binary' ? 1 : 0
  if (frame.length < 8 || frame[5] !== format) return false
  const count = frame.readInt16BE(6)
  const wanted = plan.fields?.length
  return format === 0 || ((wanted === undefined || wanted === count) && count >= 0)
}
