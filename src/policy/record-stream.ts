/**
 * Pure apart from what it asks. Recorded actions, streamed: a slice of time after the other, so that neither who asks nor
 * the store ever holds more than a few slices. What a question goes to is handed in: a store, or the API of a gateway.
 */
import {
  columnsFor,
  groupOf,
  groupsSql,
  halves,
  histogramSql,
  type RecordedGroup,
  type Slice,
  type Span,
  slicesOf,
} from './recorded.ts'

type Row = Readonly<Record<string, unknown>>

/** Rows of an audit query. Half an answer is told as such: it would be counted as the whole. */
export type Query = (
  sql: string,
) => Promise<{ readonly rows: readonly Row[]; readonly cut: boolean }>

export interface Wanted {
  readonly span: Span
  /** '' for all. */
  readonly connection: string
  /** Facts that rules read: actions that differ in them are not alike. */
  readonly reads: Iterable<string>
  /** What became of them is of interest as well. */
  readonly outcomes?: boolean
}

export interface Progress {
  readonly actions: number
  readonly of: number
}

/** What was asked for cannot be read as it is; the message is for whoever asked. */
export class Unreadable extends Error {}

/** What one slice may hold, unless there are more within a bucket of time. */
const SLICE_ACTIONS_MAX = 200_000
/** Groups of one answer: the API gives no more than 10,000 rows, and one more says that there are more. */
const GROUPS_MAX = 9999
/** Slices that are asked for while another one is judged. */
const AHEAD = 2

/** Groups in no order. Rejects with Unreadable, and as `query` does. */
export async function* recordedGroups(
  query: Query,
  wanted: Wanted,
  progress: (progress: Progress) => void,
): AsyncGenerator<readonly RecordedGroup[]> {
  const { span, connection, outcomes = false } = wanted
  // It stands in the text of the question.
  if (!/^[\w.-]*$/.test(connection)) throw new Unreadable('expected the name of a connection.')
  const asking = { query, connection, columns: columnsFor(wanted.reads), outcomes }
  const buckets = await rowsOf(query, histogramSql(span, connection))
  const slices = slicesOf(buckets, span, SLICE_ACTIONS_MAX)
  const of = slices.reduce((sum, { count }) => sum + count, 0)
  let actions = 0
  progress({ actions, of })
  const waiting: Promise<RecordedGroup[]>[] = []
  const next = slices.values()
  const more = (): void => {
    const slice: Slice | undefined = next.next().value
    if (slice === undefined) return
    const asked = groupsIn(slice, asking)
    // It is awaited in its turn; until then its failure is nobody's.
    asked.catch(() => {})
    waiting.push(asked)
  }
  for (let n = 0; n < AHEAD; n++) more()
  for (let asked = waiting.shift(); asked !== undefined; asked = waiting.shift()) {
    const groups = await asked
    more()
    actions += groups.reduce((sum, { count }) => sum + count, 0)
    yield groups
    progress({ actions, of })
  }
}

interface Asking {
  readonly query: Query
  readonly connection: string
  readonly columns: readonly string[]
  readonly outcomes: boolean
}

/** All groups of a slice; halved as long as there are more than fit an answer. */
async function groupsIn(span: Span, asking: Asking): Promise<RecordedGroup[]> {
  const { query, columns } = asking
  const rows = await rowsOf(query, groupsSql(span, { ...asking, most: GROUPS_MAX }))
  if (rows.length <= GROUPS_MAX) return rows.map((row) => groupOf(row, columns))
  const parts = halves(span)
  if (parts === undefined)
    throw new Unreadable(`More than ${GROUPS_MAX} different actions within one millisecond.`)
  const [first, second] = parts
  return [...(await groupsIn(first, asking)), ...(await groupsIn(second, asking))]
}

async function rowsOf(query: Query, sql: string): Promise<readonly Row[]> {
  const { rows, cut } = await query(sql)
  if (cut) throw new Unreadable('The gateway cut the answer.')
  return rows
}
