import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import { startPostgres } from '../lib/postgres.ts'

for (const auth of ['scram-sha-256', 'md5', 'password', 'trust'] as const) {
  test(`a server for tests asks for ${auth}, keeps a log and leaves nothing behind`, async () => {
    const server = await startPostgres({
      auth,
      tls: auth === 'md5',
      config: ["log_statement = 'all'"],
    })
    try {
      server.sql("CREATE ROLE app LOGIN PASSWORD 'right'; CREATE DATABASE shop OWNER app;")
      const ask = (password: string) =>
        run('psql', [
          '-XAt',
          '-d',
          `postgres://app:${password}@127.0.0.1:${server.port}/shop`,
          '-c',
          'SELECT 41 + 1',
        ])
      expect((await ask('right')).stdout).toBe('42\n')
      expect((await ask('wrong')).code).toBe(auth === 'trust' ? 0 : 2)
      expect(server.readLog()).toContain('SELECT 41 + 1')
      expect(server.ca !== undefined).toBe(auth === 'md5')
    } finally {
      await server.stop()
    }
    expect(existsSync(server.log)).toBe(false)
  })
}
