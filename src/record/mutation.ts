/**
 * IO (sockets). Changes of rows that are in the record store: a mutation of ClickHouse, waited for until every part is
 * rewritten. The former parts are deleted by the store itself, some minutes later.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type ClickHouse, StoreError } from './clickhouse.ts'

/** Where our tables are. */
export interface Tables {
  readonly database: string
  /** Name of the cluster, on which each table has a local one behind it (schema-cluster.ts). */
  readonly cluster?: string | undefined
}

export interface Mutation {
  readonly table: string
  /** `UPDATE … WHERE …` or `DELETE WHERE …`. */
  readonly change: string
}

/** Names of thousands of sessions stand in it. */
const QUERY_BYTES_MAX = 64 << 20
const POLL_MS = 50

/** Rejects with StoreError; the mutation may go on then, and can be asked for again. */
export async function mutate(
  store: ClickHouse,
  { database, cluster }: Tables,
  { table, change }: Mutation,
): Promise<void> {
  const own = cluster === undefined ? table : `${table}_local`
  const on = cluster === undefined ? '' : ` ON CLUSTER \`${cluster}\``
  const all =
    cluster === undefined
      ? 'system.mutations'
      : `clusterAllReplicas(\`${cluster}\`, system.mutations)`
  await store.command({
    sql: `ALTER TABLE \`${database}\`.${own}${on} ${change}`,
    settings: { mutations_sync: 0, max_query_size: QUERY_BYTES_MAX },
  })
  for (;;) {
    const [left] = await store.query({
      sql:
        `SELECT count() AS rows, max(latest_fail_reason) AS reason FROM ${all} ` +
        'WHERE database = {database:String} AND table = {table:String} AND NOT is_done',
      params: { database, table: own },
    })
    if (Number(left?.rows ?? 0) === 0) return
    const reason = String(left?.reason ?? '')
    if (reason !== '') throw new StoreError(reason, undefined, undefined)
    await wait(POLL_MS)
  }
}
