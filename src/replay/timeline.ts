/**
 * Pure. A session as a timeline: recorded rows in, items out, in order and one by one. What a response says is read by
 * the protocol's own reader, so that a protocol plugs in with `forms.ts` and nothing here.
 *
 * Keeps no more than which actions are open. Rows that are missing, results without an end and sessions that nobody
 * closed are items too: a replay never looks more complete than the record is.
 */
import type { RecordedRow } from './recorded.ts'

/** null: NULL. `hex`: no text. `cut`: bytes that are not shown. */
export type Value = string | null | { readonly hex: string } | CutValue
export interface CutValue {
  readonly text: string
  readonly cut: number
}

export interface Column {
  readonly name: string
  readonly type: string
}

/** What a response holds. */
export type Piece =
  | { readonly type: 'columns'; readonly columns: readonly Column[] }
  | { readonly type: 'row'; readonly values: readonly Value[] }
  | { readonly type: 'copy'; readonly direction: 'in' | 'out' | 'both' }
  | { readonly type: 'data'; readonly data: Value }
  | { readonly type: 'notice' | 'error'; readonly fields: Readonly<Record<string, string>> }
  | { readonly type: 'complete'; readonly tag: string }
  | { readonly type: 'ready'; readonly transaction: string }
  | { readonly type: 'notification'; readonly channel: string; readonly text: string }
  | { readonly type: 'parameter'; readonly name: string; readonly value: string }
  /** Bytes of the record that are no whole message. */
  | { readonly type: 'torn'; readonly bytes: number }

export interface ResponseReader {
  /** Bytes of the response as they were recorded, cut anywhere. */
  push(bytes: Buffer): Piece[]
  /** A result has ended here, or the record of it has. */
  end(): Piece[]
}

interface Of {
  readonly seq: number
  /** Microseconds since 1970, and since the session began. */
  readonly at: number
  readonly offset: number
  /** `seq` of the action it belongs to; 0: of none. */
  readonly action: number
}

export type Item = Of &
  (
    | Piece
    | ({ readonly type: 'action' } & Pick<
        RecordedRow,
        | 'class'
        | 'verb'
        | 'objects'
        | 'statement'
        | 'params'
        | 'verdict'
        | 'rule'
        | 'policy_version'
        | 'request_id'
        | 'bytes_up'
        | 'parse_us'
        | 'decide_us'
        | 'wait_us'
      >)
    | ({ readonly type: 'outcome' } & Pick<
        RecordedRow,
        | 'status'
        | 'error'
        | 'rows'
        | 'bytes_down'
        | 'masked'
        | 'upstream_us'
        | 'gateway_us'
        | 'payload_cut'
      >)
    | {
        readonly type: 'moment'
        readonly kind: string
        readonly status: string
        readonly text: string
      }
    /** Nobody knows what came of the action: no outcome was recorded. */
    | { readonly type: 'unknown' }
    /** Events that the record does not hold. */
    | { readonly type: 'missing'; readonly from: number; readonly to: number }
    | { readonly type: 'end'; readonly status: string }
  )

export class Timeline {
  readonly #reader: ResponseReader
  readonly #open = new Set<number>()
  /** Refused, and the client has not been seen to read it. */
  readonly #refused: number[] = []
  #began: number | undefined
  #last: RecordedRow | undefined
  /** Whose it is shows in what comes behind it. */
  #error: { readonly row: RecordedRow; readonly piece: Piece } | undefined
  /** The reading began in the middle: what comes before the end of a result cannot be read. */
  #deaf: boolean

  /** `began`: microseconds since 1970, where the reading does not begin with the session. */
  constructor(reader: ResponseReader, { began }: { readonly began?: number } = {}) {
    this.#reader = reader
    this.#began = began
    this.#deaf = began !== undefined
  }

  push(row: RecordedRow): Item[] {
    this.#began ??= row.at
    const items: Item[] = []
    const before = this.#last?.seq ?? (this.#deaf ? row.seq - 1 : 0)
    if (row.seq > before + 1) {
      items.push({ ...this.#of(row, 0), type: 'missing', from: before + 1, to: row.seq - 1 })
      // The bytes that would have to come next may be among them.
      items.push(...this.#read(row, this.#reader.end()))
    }
    this.#last = row
    if (row.kind === 'action') {
      this.#open.add(row.action)
      items.push(this.#action(row))
    } else if (row.kind === 'response' || row.kind === 'outcome') items.push(...this.#response(row))
    else
      items.push({
        ...this.#of(row, 0),
        ...{ type: 'moment', kind: row.kind, status: row.status, text: row.text },
      })
    return items
  }

  /** There is nothing more. `status`: of the session. */
  end(status: string): Item[] {
    const last = this.#last
    if (last === undefined) return []
    const items = [...this.#read(last, this.#reader.end()), ...this.#settle(last.action)]
    for (const action of this.#open) items.push({ ...this.#of(last, action), type: 'unknown' })
    this.#open.clear()
    items.push({ ...this.#of(last, 0), type: 'end', status })
    return items
  }

  #response(row: RecordedRow): Item[] {
    const items: Item[] = []
    if (!this.#deaf) items.push(...this.#read(row, this.#reader.push(bytesOf(row))))
    if (row.kind === 'response') return items
    this.#open.delete(row.action)
    if (endsResult(row)) {
      if (!this.#deaf) items.push(...this.#read(row, this.#reader.end()))
      this.#deaf = false
      items.push(...this.#settle(row.action))
    } else this.#refused.push(row.action)
    items.push(this.#outcome(row))
    return items
  }

  #read(row: RecordedRow, pieces: readonly Piece[]): Item[] {
    const items: Item[] = []
    for (const piece of pieces) {
      // What answers a message that was no action, or was refused, stands before the next ReadyForQuery.
      if (piece.type === 'ready') items.push(...this.#settle(0))
      if (piece.type === 'error') {
        items.push(...this.#settle(row.action))
        this.#error = { row, piece }
      } else items.push({ ...this.#of(row, ownerOf(piece, row)), ...piece })
    }
    return items
  }

  /** The error that is held back is of one that was refused, or else of this action; of 0: of none. */
  #settle(action: number): Item[] {
    const error = this.#error
    if (error === undefined) return []
    this.#error = undefined
    const refused = isRefusal(error.piece) ? this.#refused.shift() : undefined
    const owner = refused ?? action
    return [{ ...this.#of(error.row, owner), ...error.piece }]
  }

  #of({ seq, at }: RecordedRow, action: number): Of {
    return { seq, at, offset: at - (this.#began ?? at), action }
  }

  #action(row: RecordedRow): Item {
    const { verb, objects, statement, params, verdict, rule, policy_version, request_id } = row
    const { bytes_up, parse_us, decide_us, wait_us } = row
    return {
      ...this.#of(row, row.action),
      ...{ type: 'action', class: row.class, verb, objects, statement, params, verdict, rule },
      ...{ policy_version, request_id, bytes_up, parse_us, decide_us, wait_us },
    }
  }

  #outcome(row: RecordedRow): Item {
    const { status, error, rows, bytes_down, masked, upstream_us, gateway_us, payload_cut } = row
    return {
      ...this.#of(row, row.action),
      ...{ type: 'outcome', status, error, rows, bytes_down, masked },
      ...{ upstream_us, gateway_us, payload_cut },
    }
  }
}

/** What comes at any time, or between results, is no action's. */
function ownerOf(piece: Piece, row: RecordedRow): number {
  const isNone = /^(ready|notification|parameter)$/.test(piece.type)
  return isNone ? 0 : row.action
}

function isRefusal(piece: Piece): boolean {
  if (piece.type !== 'error' || piece.fields.V === 'FATAL') return false
  return piece.fields.D?.startsWith('{"sluice":') === true
}

/** A refusal is recorded at once, maybe in the middle of a result that was asked for before. */
export function endsResult({ kind, status }: Pick<RecordedRow, 'kind' | 'status'>): boolean {
  return kind === 'outcome' && status !== 'refused'
}

export function bytesOf({ payload }: Pick<RecordedRow, 'payload'>): Buffer {
  return Buffer.from(payload, 'base64')
}
