/**
 * Pure. The questions behind `sluice sessions list | show`: SQL, parameters, and the rows that come
 * back.
 */

export interface Question {
  readonly sql: string
  readonly params: Readonly<Record<string, string | number>>
}

export interface SessionsFilter {
  /** Sessions that were alive after this moment, milliseconds since 1970. */
  readonly sinceMs?: number
  readonly connection?: string
  readonly subject?: string
  readonly job?: string
  readonly status?: 'open' | 'closed' | 'lost' | 'refused'
  /** Of the page before: its last `session_id`. */
  readonly before?: string
  /** At most 1000; default 100. */
  readonly limit?: number
}

/** A row of the view `sessions`. */
export interface SessionRow {
  readonly session_id: string
  readonly started: string
  readonly last: string
  readonly instance: string
  readonly protocol: string
  readonly connection: string
  readonly target_database: string
  readonly subject: string
  readonly kind_of_identity: string
  readonly owner: string
  readonly job: string
  readonly run: string
  readonly agent: string
  readonly parent_agent: string
  readonly job_verified: boolean
  readonly client_ip: string
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly actions: number
  readonly refused: number
  readonly rows: number
  readonly bytes_up: number
  readonly bytes_down: number
  readonly masked_values: number
  readonly close_reason: string
  readonly status: 'open' | 'closed' | 'lost' | 'refused'
}

/** A row of `events`, without what stands in the session's row and without payloads. */
export interface EventRow {
  readonly ts: string
  readonly seq: number
  readonly event_id: string
  readonly action_id: string
  readonly kind: string
  readonly class: string
  readonly verb: string
  readonly objects: readonly string[]
  readonly statement: string
  readonly params: readonly string[]
  readonly verdict: string
  readonly rule: string
  readonly policy_version: number
  readonly request_id: string
  readonly rows: number
  readonly bytes_up: number
  readonly bytes_down: number
  readonly masked: Readonly<Record<string, number>>
  readonly parse_us: number
  readonly decide_us: number
  readonly wait_us: number
  readonly upstream_us: number
  readonly gateway_us: number
  readonly status: string
  readonly error: string
  readonly text: string
  readonly payload_cut: boolean
}

const EVENT_FIELDS = [
  ...['ts', 'seq', 'event_id', 'action_id', 'kind', 'class', 'verb', 'objects', 'statement'],
  ...[
    'params',
    'verdict',
    'rule',
    'policy_version',
    'request_id',
    'rows',
    'bytes_up',
    'bytes_down',
  ],
  ...['masked', 'parse_us', 'decide_us', 'wait_us', 'upstream_us', 'gateway_us', 'status', 'error'],
  ...['text', 'payload_cut'],
]

/**
 * Newest first: session ids sort by time. Which they are is asked first, of the few columns that say it, so that only those
 * are added up.
 */
export function sessionsList(filter: SessionsFilter, database = 'sluice'): Question {
  // Calls of the control API have ids of another form, and are no sessions.
  const conditions: string[] = ["session_id < '8'"]
  const params: Record<string, string | number> = {}
  const add = (condition: string, name: string, value: string | number | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    params[name] = value
  }
  add('ts >= fromUnixTimestamp64Milli({since:Int64})', 'since', filter.sinceMs)
  add('connection = {connection:String}', 'connection', filter.connection)
  add('subject = {subject:String}', 'subject', filter.subject)
  add('job = {job:String}', 'job', filter.job)
  add('session_id < {before:String}', 'before', filter.before)
  params.limit = count(filter.limit ?? 100, 1000)
  const limit = 'ORDER BY session_id DESC LIMIT {limit:UInt32}'
  if (filter.status !== undefined) params.status = filter.status
  const which =
    `SELECT DISTINCT session_id FROM \`${database}\`.events WHERE ${conditions.join(' AND ')} ` +
    // How a session stands is known when it is added up.
    (filter.status === undefined ? limit : '')
  const status = filter.status === undefined ? '' : 'AND status = {status:String} '
  return {
    sql: `SELECT * FROM \`${database}\`.sessions WHERE session_id IN (${which}) ${status}${limit}`,
    params,
  }
}

export function sessionShow(sessionId: string, database = 'sluice'): Question {
  return {
    sql: `SELECT * FROM \`${database}\`.sessions WHERE session_id = {session:String}`,
    params: { session: sessionId },
  }
}

export interface EventsPage {
  /** `seq` of the last event of the page before. */
  readonly after?: number
  /** At most 10,000; default 1000. */
  readonly limit?: number
}

/** In the order in which they happened; parts of responses hold nothing but payload. */
export function sessionEvents(
  sessionId: string,
  { after = 0, limit = 1000 }: EventsPage,
  database = 'sluice',
): Question {
  return {
    sql:
      `SELECT ${EVENT_FIELDS.join(', ')} FROM \`${database}\`.events ` +
      "WHERE session_id = {session:String} AND seq > {after:UInt64} AND kind != 'response' " +
      'ORDER BY seq LIMIT {limit:UInt32}',
    params: {
      session: sessionId,
      after: Math.max(0, Math.floor(after)),
      limit: count(limit, 10_000),
    },
  }
}

function count(given: number, most: number): number {
  return Math.max(1, Math.min(Math.floor(given) || 1, most))
}
