/**
 * IO (sockets). Brings the record store to this version's schema: runs the migrations that are not noted there yet, in order.
 *
 * A migration is noted when all of it has run; one that was cut off is run again from its beginning. A store of a newer gateway
 * is used as it is: columns are only ever added, and each has a default.
 */
import { type ClickHouse, type Settings, StoreError } from './clickhouse.ts'
import { migrations, migrationsTable, type SchemaOptions, type SchemaStatement } from './schema.ts'

/** A statement for a cluster is over when every machine has it. */
const SETTINGS: Settings = { distributed_ddl_task_timeout: 110 }
/** Unknown: function, setting, type of index; not an aggregate, syntax. What an older store says to what came after it. */
const UNKNOWN = new Set([36, 46, 47, 62, 80, 115, 344])

/** Names of what was run. Rejects with StoreError. `before`: called before each statement; throws where it must not run yet. */
export async function migrate(
  store: ClickHouse,
  options: SchemaOptions,
  before: () => void = () => {},
): Promise<string[]> {
  const settings = options.cluster === undefined ? {} : SETTINGS
  const command = async (sql: string) => {
    before()
    await store.command({ sql, settings })
  }
  for (const sql of migrationsTable(options)) await command(sql)
  const table = `\`${options.database}\`.migrations`
  const rows = await store.query({ sql: `SELECT DISTINCT number FROM ${table}` })
  const noted = new Set(rows.map((row) => Number(row.number)))
  const ran: string[] = []
  for (const { number, name, statements } of migrations(options)) {
    const isNoted = noted.has(number)
    for (const statement of statements)
      if (!isNoted || statement.isOfConfiguration) await run(statement, command)
    if (isNoted) continue
    await store.command({
      sql: `INSERT INTO ${table} (number, name) SELECT {number:UInt32}, {name:String}`,
      params: { number, name },
      settings,
    })
    ran.push(name)
  }
  return ran
}

async function run(
  { run: statements, otherwise }: SchemaStatement,
  command: (sql: string) => Promise<void>,
): Promise<void> {
  try {
    for (const sql of statements) await command(sql)
  } catch (error) {
    const exception = error instanceof StoreError ? error.exception : undefined
    if (otherwise.length === 0 || exception === undefined || !UNKNOWN.has(exception)) throw error
    for (const sql of otherwise) await command(sql)
  }
}
