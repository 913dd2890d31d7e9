/**
 * Pure. What a session's recording is read by: questions that page through its rows by `seq`, and the rows.
 *
 * Rows stand by (session_id, action_seq, seq). Whatever comes behind `after` belongs to no action, to one that was not
 * over by then, or to a newer one; so with the oldest of these named, a page reads what it shows and not the session.
 */
import type { EventRow, Question } from './read.ts'

/** A row of `events`, as `replay` reads it; what is said of the session as a whole is left out. */
export interface RecordedRow extends Omit<EventRow, 'ts' | 'event_id' | 'action_id'> {
  /** Microseconds since 1970. */
  readonly at: number
  /** Number of the action that it belongs to; 0: of none. */
  readonly action: number
  /** Base64. Of a long one its parts come first, as rows of kind `response` with the same `seq`. */
  readonly payload: string
}

/** Where a reading stands. */
export interface Position {
  /** `seq` of the last row that was read. */
  readonly after: number
  /** The action that was over last: what belongs to no action is recorded with it. */
  readonly closed: number
  /** Actions that are not over; undefined: not known, because the reading did not begin with the session. */
  readonly open: readonly number[] | undefined
}

export const START: Position = { after: 0, closed: 0, open: [] }

/** A position in the middle of which nothing else is known. */
export function behind(seq: number): Position {
  return seq <= 0 ? START : { after: seq, closed: 0, open: undefined }
}

/** More are not carried along: the reading goes on as one that does not know them. */
const OPEN_MAX = 100

export function writeCursor({ after, closed, open }: Position): string {
  const isKnown = open !== undefined && open.length <= OPEN_MAX
  return isKnown ? [after, closed, ...open].join('-') : String(after)
}

/** undefined: not written by us. What it says is not believed further than that rows are left out by it. */
export function readCursor(text: string): Position | undefined {
  if (!/^\d{1,15}(-\d{1,15})*$/.test(text) || text.length > 16 * (OPEN_MAX + 2)) return undefined
  const [after = 0, closed, ...open] = text.split('-').map(Number)
  return closed === undefined ? behind(after) : { after, closed, open }
}

/** Rows that are looked at for one page. */
export const WINDOW_ROWS = 1000
/** Bytes of one page, unless a single row has more. */
export const PAGE_BYTES = 1 << 20
/** A longer payload is read in pieces of this size. */
export const PIECE_BYTES = 256 << 10

const SMALL = [
  ...['kind', 'class', 'verb', 'objects', 'statement', 'params', 'verdict', 'rule'],
  ...['policy_version', 'request_id', 'rows', 'bytes_up', 'bytes_down', 'masked', 'parse_us'],
  ...['decide_us', 'wait_us', 'upstream_us', 'gateway_us', 'status', 'error', 'text'],
  'payload_cut',
]

const SPAN =
  'session_id = {session:String} AND (action_seq = 0 OR action_seq >= {oldest:UInt64}) ' +
  'AND seq > {after:UInt64} AND seq <= {to:UInt64}'

export interface Span {
  readonly session: string
  /** No row of it belongs to an older action. */
  readonly oldest: number
  readonly after: number
  /** The last `seq` that is of interest. */
  readonly to: number
}

function params({ session, oldest, after, to }: Span): Question['params'] {
  return { session, oldest, after, to }
}

/** `seq`, bytes of its payload, bytes of all else. */
export function sizesOf(span: Span, database = 'sluice'): Question {
  return {
    sql:
      'SELECT seq, length(payload) AS payload, length(statement) + length(text) + ' +
      'arraySum(arrayMap(one -> length(one), params)) + ' +
      `arraySum(arrayMap(one -> length(one), objects)) + 300 AS others FROM \`${database}\`.events ` +
      `WHERE ${SPAN} ORDER BY seq`,
    params: params(span),
  }
}

/** Payloads longer than `piece` are left empty. */
export function rowsOf(span: Span, piece: number, database = 'sluice'): Question {
  return {
    sql:
      'SELECT seq, toUnixTimestamp64Micro(ts) AS at, action_seq AS action, ' +
      `${SMALL.join(', ')}, if(length(events.payload) > {piece:UInt64}, '', base64Encode(events.payload)) AS payload ` +
      `FROM \`${database}\`.events AS events WHERE ${SPAN} ORDER BY seq`,
    params: { ...params(span), piece },
  }
}

/** PIECE_BYTES of one payload. */
export function pieceOf(row: Span, from: number, database = 'sluice'): Question {
  return {
    sql:
      'SELECT base64Encode(substring(events.payload, {from:UInt64}, {piece:UInt64})) AS payload ' +
      `FROM \`${database}\`.events AS events WHERE ${SPAN}`,
    params: { ...params(row), from: from + 1, piece: PIECE_BYTES },
  }
}

/** The next `seq` that there is, 0 where there is none: rows may be missing. */
export function nextOf(session: string, after: number, database = 'sluice'): Question {
  return {
    sql:
      `SELECT min(e.seq) AS seq FROM \`${database}\`.events AS e ` +
      'WHERE session_id = {session:String} AND e.seq > {after:UInt64}',
    params: { session, after },
  }
}

/** The last `seq` that was recorded before `us` microseconds of the session had passed. */
export function seqAt(session: string, us: number, database = 'sluice'): Question {
  return {
    sql:
      `SELECT max(e.seq) AS seq FROM \`${database}\`.events AS e WHERE session_id = {session:String} AND ` +
      'toUnixTimestamp64Micro(ts) < {us:UInt64} + ' +
      `(SELECT min(toUnixTimestamp64Micro(ts)) FROM \`${database}\`.events WHERE session_id = {session:String})`,
    params: { session, us },
  }
}

/** Follows which actions a row may still belong to; no more are open than the gateway lets be unanswered. */
export class Progress {
  readonly #open: Set<number> | undefined
  #closed: number
  #after: number

  constructor({ after, closed, open }: Position = START) {
    this.#open = open === undefined ? undefined : new Set(open)
    this.#closed = closed
    this.#after = after
  }

  see(row: Pick<RecordedRow, 'seq' | 'kind' | 'action'>): void {
    this.#after = Math.max(this.#after, row.seq)
    if (row.kind === 'action') this.#open?.add(row.action)
    else if (row.kind === 'outcome') {
      this.#open?.delete(row.action)
      this.#closed = row.action
    }
  }

  /** No row that comes belongs to an older action; 0: nothing is known. */
  get oldest(): number {
    if (this.#open === undefined) return 0
    let oldest = this.#closed
    for (const one of this.#open) oldest = Math.min(oldest, one)
    return oldest
  }

  get position(): Position {
    const open = this.#open === undefined ? undefined : [...this.#open]
    return { after: this.#after, closed: this.#closed, open }
  }
}
