/**
 * IO (sockets). Legal holds in the record store, where all gateways that share it find them. The state database of the
 * gateway that was told of a hold is where it is kept (control/state/holds.ts).
 */
import type { ClickHouse } from './clickhouse.ts'
import { SCOPES, type Scope } from './retention.ts'

export interface HoldChange extends Scope {
  readonly id: string
  /** Microseconds. */
  readonly at: number
  readonly reason: string
  readonly by: string
  readonly gateway: string
  readonly isRemoved: boolean
}

/** What is held by anybody. Rejects with StoreError, and for what is no hold: nothing must be deleted then. */
export async function storedHolds(store: ClickHouse, database: string): Promise<Scope[]> {
  const rows = await store.query({
    sql: `SELECT hold, argMax(is_removed, ts) AS is_over, argMax(kind, ts) AS kind, argMax(name, ts) AS name
      FROM \`${database}\`.holds GROUP BY hold HAVING NOT is_over`,
  })
  return rows.map(({ kind, name }) => {
    const known = SCOPES.find((one) => one === kind)
    if (known === undefined) throw new Error('the table holds has a hold of an unknown kind')
    return { kind: known, name: String(name) }
  })
}

export async function storeHold(
  store: ClickHouse,
  database: string,
  { id, at, kind, name, reason, by, gateway, isRemoved }: HoldChange,
): Promise<void> {
  await store.command({
    sql:
      `INSERT INTO \`${database}\`.holds SELECT fromUnixTimestamp64Micro({at:Int64}), {id:String}, {kind:String}, ` +
      '{name:String}, {reason:String}, {by:String}, {gateway:String}, {isRemoved:Bool}',
    params: { id, at, kind, name, reason, by, gateway, isRemoved },
  })
}
