/**
 * Pure. Finding actions in the record by words, object, who, rule, verdict, what was masked and time: newest first, page by page.
 *
 * Looks into the past in growing steps: what is frequent is found in the first hour, and what is rare by the indices of
 * `record/schema/005-search.sql`. All values are parameters; no text of a caller becomes SQL.
 */
import type { Question } from './read.ts'

export interface SearchFilter {
  /** Words that the statement must hold, whole and in any order; what has other signs in it must stand there as it is. */
  readonly text?: string
  readonly object?: string
  readonly subject?: string
  readonly job?: string
  readonly connection?: string
  readonly rule?: string
  readonly verdict?: string
  /** A detector or a column: the action's result had values masked by it. */
  readonly detector?: string
  /** Microseconds since 1970; the second one not included. */
  readonly sinceUs?: number
  readonly untilUs?: number
}

/** Where a page ended. */
export interface SearchCursor {
  readonly us: number
  readonly session: string
  readonly seq: number
}

export interface Span {
  /** Microseconds since 1970: from the first, up to and without the second. */
  readonly fromUs: number
  readonly untilUs: number
}

/** A row that was found, as `searchPage` asks for it. */
export interface FoundRow {
  readonly us: number
  readonly session_id: string
  readonly seq: number
}

interface OutcomeKeys {
  readonly [name: string]: readonly string[] | readonly number[]
}

const HOUR_US = 3_600_000_000
const STEPS_US = [1, 24, 30 * 24].map((hours) => hours * HOUR_US)
/** An action's outcome comes at most this much later; no session is longer. */
const OUTCOME_US_MAX = 25 * 24 * HOUR_US

/** Newest first, without gaps between them. */
export function searchSpans(filter: SearchFilter, until: number): Span[] {
  const since = Math.max(0, filter.sinceUs ?? 0)
  const spans: Span[] = []
  let untilUs = until
  for (const step of [...STEPS_US, until]) {
    const fromUs = Math.max(since, until - step, 0)
    if (fromUs >= untilUs) continue
    spans.push({ fromUs, untilUs })
    untilUs = fromUs
  }
  return spans
}

/** Actions of one span, behind the cursor. */
export function searchPage(
  filter: SearchFilter,
  page: { readonly span: Span; readonly after: SearchCursor | undefined; readonly limit: number },
  database = 'sluice',
): Question {
  const { span, after, limit } = page
  const events = `\`${database}\`.events`
  const who = conditionsOfBoth(filter)
  const conditions = [
    "kind = 'action'",
    'ts >= fromUnixTimestamp64Micro({from:Int64})',
    'ts < fromUnixTimestamp64Micro({until:Int64})',
    ...who,
    ...(filter.object === undefined ? [] : ['has(objects, {object:String})']),
  ]
  const params: Record<string, string | number> = { from: span.fromUs, until: span.untilUs, limit }
  for (const name of [...OF_BOTH, 'object', 'detector'] as const)
    if (filter[name] !== undefined) params[name] = filter[name]
  addText(filter.text, conditions, params)
  if (filter.detector !== undefined) {
    params.untilOutcome = span.untilUs + OUTCOME_US_MAX
    const outcomes = [
      "kind = 'outcome'",
      'ts >= fromUnixTimestamp64Micro({from:Int64})',
      'ts < fromUnixTimestamp64Micro({untilOutcome:Int64})',
      'has(mapKeys(masked), {detector:String})',
      ...who,
    ]
    conditions.push(
      `(session_id, action_seq) IN (SELECT session_id, action_seq FROM ${events} WHERE ${outcomes.join(' AND ')})`,
    )
  }
  if (after !== undefined) {
    conditions.push(
      'ts <= fromUnixTimestamp64Micro({afterUs:Int64})',
      '(ts, session_id, seq) < (fromUnixTimestamp64Micro({afterUs:Int64}), {afterSession:String}, {afterSeq:UInt64})',
    )
    Object.assign(params, {
      afterUs: after.us,
      afterSession: after.session,
      afterSeq: after.seq,
    })
  }
  const sql =
    `SELECT toUnixTimestamp64Micro(ts) AS us, ${FIELDS.join(', ')} FROM ${events} ` +
    `WHERE ${conditions.join(' AND ')} ` +
    'ORDER BY ts DESC, session_id DESC, seq DESC LIMIT {limit:UInt32}'
  return { sql, params }
}

/** How these ended. Asked by key: rows are few. */
export function searchOutcomes(
  found: readonly FoundRow[],
  database = 'sluice',
): { readonly sql: string; readonly params: OutcomeKeys } {
  return {
    sql:
      'SELECT session_id, action_seq AS seq, rows, masked, status, error, upstream_us ' +
      `FROM \`${database}\`.events WHERE kind = 'outcome' AND session_id IN {sessions:Array(String)} ` +
      'AND action_seq IN {seqs:Array(UInt64)}',
    params: {
      sessions: [...new Set(found.map((row) => row.session_id))],
      seqs: [...new Set(found.map((row) => row.seq))],
    },
  }
}

export function cursorText({ us, session, seq }: SearchCursor): string {
  return `${us}.${seq}.${session}`
}

/** undefined: none of ours. */
export function readCursor(text: string): SearchCursor | undefined {
  const found = /^(\d{1,16})\.(\d{1,15})\.([\w-]{1,64})$/.exec(text)
  if (found === null) return undefined
  return { us: Number(found[1]), seq: Number(found[2]), session: found[3]! }
}

const FIELDS = [
  ...['ts', 'session_id', 'seq', 'event_id AS action_id', 'protocol', 'connection', 'subject'],
  ...['owner', 'job', 'run', 'agent', 'class', 'verb', 'objects', 'statement', 'verdict', 'rule'],
]

/** Columns that both rows of an action have. */
const OF_BOTH = ['subject', 'job', 'connection', 'rule', 'verdict'] as const

function conditionsOfBoth(filter: SearchFilter): string[] {
  return OF_BOTH.filter((name) => filter[name] !== undefined).map(
    (name) => `${name} = {${name}:String}`,
  )
}

/** Words go through the index, and what the index does not hold (signs between them) is compared beside it. */
function addText(
  text: string | undefined,
  conditions: string[],
  params: Record<string, string | number>,
): void {
  if (text === undefined) return
  const terms = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((found) => found[1] ?? found[2]!)
  const lowered = terms.map(lowerAscii).filter((term) => term !== '')
  // As the index does it: ASCII but letters and digits stands between words.
  const words = lowered.filter((term) => /[^\0-/:-@[-`{-\x7f]/.test(term))
  if (words.length > 0) {
    conditions.push('hasAllTokens(lower(statement), {words:String})')
    params.words = words.join(' ')
  }
  const phrases = lowered.filter((term) => /[\0-/:-@[-`{-\x7f]/.test(term))
  for (const [at, phrase] of phrases.entries()) {
    conditions.push(`position(lower(statement), {phrase${at}:String}) > 0`)
    params[`phrase${at}`] = phrase
  }
}

/** As ClickHouse's `lower`, which the index is made with. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
