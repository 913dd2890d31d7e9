/**
 * IO. Recorded actions of a running gateway, streamed: asked for over its API as an auditor asks, a slice of time after
 * the other, so that neither side holds more than a slice.
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
} from '../policy/recorded.ts'
import { CliError } from './exit.ts'
import { ask, type Where } from './gateway.ts'
import { rowsOf } from './output.ts'

export interface Wanted {
  readonly span: Span
  /** '' for all. */
  readonly connection: string
  /** Facts that rules read: actions that differ in them are not alike. */
  readonly reads: Iterable<string>
}

export interface Progress {
  readonly actions: number
  readonly of: number
}

/** What one slice may hold, unless there are more within a bucket of time. */
const SLICE_ACTIONS_MAX = 200_000
/** Groups of one answer: the API gives no more than 10,000 rows, and one more says that there are more. */
const GROUPS_MAX = 9999
/** Slices that are asked for while another one is judged. */
const AHEAD = 2

/** Groups in no order. Throws CliError where the gateway cannot be reached or refuses. */
export async function* recordedGroups(
  where: Where,
  wanted: Wanted,
  progress: (progress: Progress) => void,
): AsyncGenerator<readonly RecordedGroup[]> {
  const { span, connection } = wanted
  // It stands in the text of the question.
  if (!/^[\w.-]*$/.test(connection))
    throw new CliError(2, '--connection: expected the name of a connection.')
  const columns = columnsFor(wanted.reads)
  const slices = slicesOf(
    await query(where, histogramSql(span, connection)),
    span,
    SLICE_ACTIONS_MAX,
  )
  const of = slices.reduce((sum, { count }) => sum + count, 0)
  let actions = 0
  progress({ actions, of })
  const waiting: Promise<RecordedGroup[]>[] = []
  const next = slices.values()
  const more = (): void => {
    const slice: Slice | undefined = next.next().value
    if (slice === undefined) return
    const asked = groupsIn(where, slice, { connection, columns })
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

/** All groups of a slice; halved as long as there are more than fit an answer. */
async function groupsIn(
  where: Where,
  span: Span,
  of: { connection: string; columns: readonly string[] },
): Promise<RecordedGroup[]> {
  const rows = await query(where, groupsSql(span, { ...of, most: GROUPS_MAX }))
  if (rows.length <= GROUPS_MAX) return rows.map((row) => groupOf(row, of.columns))
  const parts = halves(span)
  if (parts === undefined)
    throw new CliError(2, `More than ${GROUPS_MAX} different actions within one millisecond.`)
  const [first, second] = parts
  return [...(await groupsIn(where, first, of)), ...(await groupsIn(where, second, of))]
}

async function query(
  where: Where,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await ask(where, { method: 'POST', path: '/api/v1/audit/query', body: { sql } })
  // Half an answer would be counted as the whole.
  if (answer.cut === true) throw new CliError(2, 'The gateway cut the answer.')
  return rowsOf(answer.rows)
}
