/**
 * Pure. Recorded actions as a backtest reads them: the questions to the record, and what the rows that come back say.
 *
 * Actions that are alike in everything that rules may read come as one row with their number. Rows are asked for in
 * slices of time, so that neither the store nor we ever hold more than one slice.
 */

/** Actions that are alike. */
export interface RecordedGroup {
  readonly count: number
  readonly protocol: string
  readonly connection: string
  readonly database: string
  readonly roles: readonly string[]
  readonly job: string
  readonly verb: string
  readonly verdict: string
  readonly rule: string
  /** JSON of all facts but text and values; '' where none were recorded. */
  readonly facts: string
  /** One of them, with what masks hide replaced. */
  readonly statement: string
  readonly actionId: string
  /** Further columns that rules read, by name. */
  readonly more: Readonly<Record<string, unknown>>
  /** What came of it; left out: nothing was recorded, or nobody asked. */
  readonly result?: RecordedResult | undefined
}

export interface RecordedResult {
  /** Detectors and masked columns of which it held values. */
  readonly hits: readonly string[]
  readonly hasRows: boolean
}

/** Facts that stand in a column of their own. A rule that reads one makes fewer actions alike. */
const COLUMN_OF: Readonly<Record<string, string>> = {
  'identity.subject': 'subject',
  'identity.kind': 'kind_of_identity',
  'identity.groups': 'groups',
  'identity.owner': 'owner',
  'job.run': 'run',
  'job.agent': 'agent',
  'job.parent': 'parent_agent',
  'job.verified': 'job_verified',
  'session.id': 'session_id',
  'session.client_ip': 'client_ip',
  'action.objects': 'objects',
  now: 'ts_ms',
}

/** Actions are alike in these, whatever rules read. */
const ALWAYS = [
  'protocol',
  'connection',
  'target_database',
  'roles',
  'job',
  'verb',
  'verdict',
  'rule',
  'facts',
]

export interface Span {
  /** Milliseconds since 1970: from the first, up to and without the second. */
  readonly fromMs: number
  readonly untilMs: number
}

export interface Slice extends Span {
  readonly count: number
}

/** Of a statement, as a sample. */
const SAMPLE_CHARACTERS_MAX = 2000

/** Buckets that a histogram is asked in at most. */
const BUCKETS_MAX = 2000

export function columnsFor(reads: Iterable<string>): readonly string[] {
  const columns = new Set<string>()
  for (const fact of reads) {
    const column = COLUMN_OF[fact]
    if (column !== undefined) columns.add(column)
  }
  return [...columns].sort()
}

/** How many actions there are in which part of the span. `connection` '' for all; else a name of ours. */
export function histogramSql(span: Span, connection: string): string {
  const width = bucketMs(span)
  return (
    `SELECT intDiv(toUnixTimestamp64Milli(ts) - ${span.fromMs}, ${width}) AS bucket, count() AS n ` +
    `FROM events WHERE ${where(span, connection)} GROUP BY bucket ORDER BY bucket`
  )
}

/** Slices of at most `most` actions where a bucket is not larger by itself, in the order of time. */
export function slicesOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  span: Span,
  most: number,
): Slice[] {
  const width = bucketMs(span)
  const slices: Slice[] = []
  for (const row of rows) {
    const fromMs = span.fromMs + Number(row.bucket) * width
    const untilMs = Math.min(span.untilMs, fromMs + width)
    const count = Number(row.n)
    const last = slices.at(-1)
    if (last !== undefined && last.count + count <= most)
      slices[slices.length - 1] = { fromMs: last.fromMs, untilMs, count: last.count + count }
    else slices.push({ fromMs, untilMs, count })
  }
  return slices
}

export interface GroupsWanted {
  readonly connection: string
  readonly columns: readonly string[]
  readonly most: number
  /** Actions are alike only where the same detectors hit something in their results. */
  readonly outcomes?: boolean
}

/** The actions of a slice, alike ones together; at most `most` groups, and one more where there are more. */
export function groupsSql(span: Span, of: GroupsWanted): string {
  const outcome = of.outcomes === true ? ['hits', 'has_rows', 'has_outcome'] : []
  const by = [...ALWAYS, ...of.columns, ...outcome]
  const selected = by.map((name) =>
    name === 'ts_ms' ? 'toUnixTimestamp64Milli(ts) AS ts_ms' : name,
  )
  const sample = `any(substringUTF8(statement, 1, ${SAMPLE_CHARACTERS_MAX})) AS sample`
  return (
    `SELECT ${selected.join(', ')}, count() AS n, ${sample}, any(action_id) AS sample_id ` +
    `FROM events ${outcome.length > 0 ? `${outcomes(span, of.connection)} ` : ''}` +
    `WHERE ${where(span, of.connection)} GROUP BY ${by.join(', ')} LIMIT ${of.most + 1}`
  )
}

/** An outcome that took longer than this counts as none. */
const OUTCOME_MS_MAX = 3_600_000

function outcomes({ fromMs, untilMs }: Span, connection: string): string {
  const span = { fromMs, untilMs: untilMs + OUTCOME_MS_MAX }
  return (
    'LEFT JOIN (SELECT action_id, arraySort(mapKeys(masked)) AS hits, rows > 0 AS has_rows, 1 AS has_outcome ' +
    `FROM events WHERE ${where(span, connection, 'outcome')}) AS outcome USING (action_id)`
  )
}

/** Both halves; undefined: a millisecond cannot be halved. */
export function halves({ fromMs, untilMs }: Span): readonly [Span, Span] | undefined {
  const middle = fromMs + Math.floor((untilMs - fromMs) / 2)
  if (middle <= fromMs) return undefined
  return [
    { fromMs, untilMs: middle },
    { fromMs: middle, untilMs },
  ]
}

export function groupOf(
  row: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): RecordedGroup {
  return {
    count: Number(row.n),
    protocol: String(row.protocol),
    connection: String(row.connection),
    database: String(row.target_database),
    roles: texts(row.roles),
    job: String(row.job),
    verb: String(row.verb),
    verdict: String(row.verdict),
    rule: String(row.rule),
    facts: String(row.facts),
    statement: String(row.sample),
    actionId: String(row.sample_id),
    more: Object.fromEntries(columns.map((name) => [name, row[name]])),
    ...(Number(row.has_outcome ?? 0) === 0
      ? {}
      : { result: { hits: texts(row.hits), hasRows: Number(row.has_rows) !== 0 } }),
  }
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function where({ fromMs, untilMs }: Span, connection: string, kind = 'action'): string {
  const time = `ts >= fromUnixTimestamp64Milli(${fromMs}, 'UTC') AND ts < fromUnixTimestamp64Milli(${untilMs}, 'UTC')`
  return `kind = '${kind}' AND ${time}${connection === '' ? '' : ` AND connection = '${connection}'`}`
}

function bucketMs({ fromMs, untilMs }: Span): number {
  return Math.max(1, Math.ceil((untilMs - fromMs) / BUCKETS_MAX))
}
