/** The gateway killed under load: every statement that reached PostgreSQL is in ClickHouse after the restart, once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { expectRecordedOnce, figure, LOGGED, pause, prepare, startLoad, until } from './load.ts'

const ROUNDS = Number(process.env.SLUICE_CHAOS_ROUNDS ?? 5)

let server: Postgres
let gateway: Gateway
beforeAll(async () => {
  server = await startPostgres({ config: LOGGED, auth: 'trust' })
  server.sql('CREATE USER app')
  prepare(server)
  server.sql('GRANT ALL ON chaos TO app')
  gateway = await startGateway({
    connections: { c: { server, database: 'postgres', user: 'app', auth: ['trust'] } },
  })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

test(
  `killed ${ROUNDS} times, it has lost nothing and doubled nothing`,
  async () => {
    const token = await gateway.token({ subject: 'killed' })
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      const load = startLoad({ gateway, connection: 'c', token, job: `round-${round}` })
      await until(() => server.sql('SELECT count(*) > 0 FROM chaos') === 't', 'the first insert')
      await pause(Math.random() * 1200)
      await gateway.kill('SIGKILL')
      await load.ended
      await gateway.restart()
      const count = await expectRecordedOnce(gateway, server)
      figure(`gateway-kill round ${round}: ${count - before} statements`)
      expect(count).toBeGreaterThan(before)
      before = count
      server.sql('TRUNCATE chaos')
    }
  },
  60_000 + ROUNDS * 15_000,
)
