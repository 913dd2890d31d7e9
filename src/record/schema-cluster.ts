/**
 * Pure. The statements of the schema as a cluster needs them: each table becomes a replicated one on every machine, under
 * `<name>_local`, and a distributed one in front of it that has the name; everything runs ON CLUSTER.
 *
 *   CREATE TABLE db.t (…) ENGINE = MergeTree …   →   db.t_local, ReplicatedMergeTree   and   db.t, Distributed
 *   ALTER TABLE db.t …                           →   the same of db.t_local, and of db.t where it is about columns
 *
 * What belongs together (a session, a chain) is on one shard. Statements of another form than ours are an error: ours are
 * the only ones, and a test runs them all.
 */

export interface Cluster {
  /** As in the servers' `remote_servers`. */
  readonly name: string
  readonly database: string
}

/** What decides on which shard a row is. */
const SHARDED_BY: Readonly<Record<string, string>> = {
  events: 'session_id',
  sealed: 'session_id',
  sealed_keys: 'session_id',
  chains: 'chain',
  chain_leaves: 'chain',
  chain_keys: 'chain',
  requests: 'request_id',
  holds: 'hold',
  instances: 'gateway',
  migrations: 'name',
}

/** For requests of whoever writes: acknowledged means that every shard has it, on more than one replica. */
export const CLUSTER_WRITER = {
  distributed_foreground_insert: 1,
  insert_quorum: 'auto',
  insert_quorum_parallel: 1,
} as const

/** For all: a sub-query over distributed tables is sent to them once. */
export const CLUSTER_READER = { distributed_product_mode: 'global' } as const

/** Longest time that an insert may be repeated after; a spool can wait for days. */
const TOKENS_SECONDS = 30 * 86_400

export function onCluster(statement: string, cluster: Cluster): string[] {
  const on = ` ON CLUSTER \`${cluster.name}\``
  const found =
    /^(CREATE DATABASE IF NOT EXISTS|CREATE TABLE IF NOT EXISTS|ALTER TABLE|CREATE OR REPLACE VIEW|DROP VIEW IF EXISTS|DROP TABLE IF EXISTS) (`[^`]+`)(?:\.(\w+))?/.exec(
      statement,
    )
  if (found === null) throw new Error(`no form for a cluster: ${statement.split('\n', 1)[0]}`)
  const [head, verb, database, table = ''] = found
  const rest = statement.substring(head.length)
  const whole = `${database}.${table}`
  switch (verb) {
    case 'CREATE DATABASE IF NOT EXISTS':
      return [`${head}${on}${rest}`]
    case 'CREATE OR REPLACE VIEW':
    case 'DROP VIEW IF EXISTS':
      return [`${head}${on}${rest.replaceAll(/ IN \(\s*SELECT\b/g, ' GLOBAL IN (SELECT')}`]
    case 'DROP TABLE IF EXISTS':
      return [`${head}${on}`, `${verb} ${whole}_local${on} SYNC`]
    case 'CREATE TABLE IF NOT EXISTS':
      return [
        `${verb} ${whole}_local${on}${replicated(rest, { database: cluster.database, table })}`,
        `${verb} ${whole}${on} AS ${whole}_local\nENGINE = Distributed(\`${cluster.name}\`, ${database}, ${table}_local, ${shardingKey(table)})`,
      ]
    default:
      return altered(`${whole}_local${on}${rest}`, `${whole}${on}${rest}`, rest)
  }
}

function shardingKey(table: string): string {
  const column = SHARDED_BY[table]
  if (column === undefined) throw new Error(`table ${table} has no sharding key`)
  return `sipHash64(${column})`
}

function replicated(
  rest: string,
  { database, table }: { database: string; table: string },
): string {
  const path = `'/clickhouse/tables/{shard}/${database}/${table}', '{replica}'`
  const made = rest.replace(
    /\bENGINE = (Replacing)?MergeTree\b(\((.*?)\))?/,
    (_, kind = '', _all, given = '') =>
      `ENGINE = Replicated${kind}MergeTree(${path}${given === '' ? '' : `, ${given}`})`,
  )
  if (made === rest) throw new Error(`table ${table} has an engine that cannot be replicated`)
  return made.replace(
    /non_replicated_deduplication_window = (\d+)/,
    `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${TOKENS_SECONDS}`,
  )
}

/** The table in front has columns and nothing else: none of what is stored. */
function altered(local: string, front: string, rest: string): string[] {
  const isOfColumns =
    /^\s*(ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b/.test(rest) &&
    !/^\s*MODIFY COLUMN \w+ CODEC\b/.test(rest)
  return [`ALTER TABLE ${local}`, ...(isOfColumns ? [`ALTER TABLE ${front}`] : [])]
}
