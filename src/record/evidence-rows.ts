/** IO (sockets). The rows that leaves speak for, as the record store has them, in the encoding that is hashed. */
import { CANONICAL_COLUMNS } from './canonical.ts'
import type { ClickHouse } from './clickhouse.ts'
import type { LeafRow } from './evidence-page.ts'

/** By session and number; between the runs of one session's leaves there may be others. */
export async function rowsOfLeaves(
  store: ClickHouse,
  database: string,
  leaves: readonly LeafRow[],
): Promise<Buffer> {
  const spans = new Map<string, { low: number; high: number }>()
  for (const { session, first, last } of leaves) {
    const span = spans.get(session) ?? { low: first, high: last }
    const [low, high] = [Math.min(span.low, first), Math.max(span.high, last)]
    spans.set(session, { low, high })
  }
  const columns = CANONICAL_COLUMNS.map(([name]) => `\`${name}\``).join(', ')
  return store.bytes({
    sql:
      `SELECT ${columns} FROM \`${database}\`.events WHERE session_id IN {ids:Array(String)} ` +
      'AND seq >= {lows:Array(UInt64)}[indexOf({ids:Array(String)}, session_id)] ' +
      'AND seq <= {highs:Array(UInt64)}[indexOf({ids:Array(String)}, session_id)] ORDER BY session_id, seq',
    params: {
      ids: [...spans.keys()],
      lows: [...spans.values()].map(({ low }) => low),
      highs: [...spans.values()].map(({ high }) => high),
    },
  })
}
