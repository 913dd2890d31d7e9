/** IO (sockets). Which calls of the control thread recorded the policies that decided in a session: evidence shows them too. */
import type { ClickHouse } from './clickhouse.ts'

const CALLS_MAX = 500

/** `store`: its current database is ours. */
export async function policyCalls(store: ClickHouse, session: string): Promise<string[]> {
  const rows = await store.query({
    sql: `SELECT DISTINCT session_id AS id FROM events
      WHERE startsWith(session_id, 'ctl_') AND kind = 'policy' AND (instance, status) IN (
        SELECT DISTINCT instance, toString(policy_version) FROM events
        WHERE session_id = {session:String} AND policy_version > 0)
      ORDER BY id LIMIT {max:UInt32}`,
    params: { session, max: CALLS_MAX },
    settings: { readonly: 1 },
  })
  return rows.map(({ id }) => String(id))
}
