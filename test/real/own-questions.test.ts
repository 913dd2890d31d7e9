/** What a client sets for its own statements does not disturb the gateway's questions, nor they the client. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { calm } from '../../src/protocols/postgres/sql/calm-question.ts'
import { lookFrom } from '../../src/protocols/postgres/sql/catalogue-changes.ts'
import { lookText } from '../../src/protocols/postgres/sql/catalogue-look.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
} from '../../src/protocols/postgres/sql/catalogue-query.ts'
import {
  buildCatalogue,
  idleNamesFrom,
  namesFrom,
} from '../../src/protocols/postgres/sql/catalogue-read.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

const GREEN = `
apiVersion: sluice/v1
kind: Policy
name: green
applies: { connections: [green] }
masks:
  - { columns: [public.people.mail], with: redact }
`

let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  server = await startPostgres()
  const { user, password } = server
  gateway = await startGateway({
    connections: {
      shop: { server, database: 'postgres', user, password },
      green: { server, database: 'green', user, password },
    },
    policies: { 'green.yaml': GREEN },
    roles: {
      all: {
        members: ['subject:*'],
        connections: ['*'],
        allow: ['read', 'write', 'schema', 'execute', 'admin'],
      },
    },
  })
  token = await gateway.token({ subject: 'agent' })
}, 180_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function withClient(
  act: (client: pg.Client) => Promise<void>,
  connection = 'shop',
): Promise<void> {
  const client = new pg.Client({ connectionString: gateway.url(token, connection) })
  await client.connect()
  try {
    await act(client)
  } finally {
    await client.end()
  }
}

/** Questions take longer than a second while `act` runs: they wait behind a lock on a system catalogue. */
async function slowly(act: () => Promise<unknown>): Promise<void> {
  const blocker = new pg.Client({ connectionString: server.url })
  await blocker.connect()
  try {
    await blocker.query('BEGIN; LOCK TABLE pg_catalog.pg_namespace')
    const acting = act()
    await sleep(1_600)
    await blocker.query('ROLLBACK')
    await acting
  } finally {
    await blocker.end()
  }
}

test('a statement_timeout below what a question takes stops none, in a transaction or outside', async () => {
  await withClient(async (client) => {
    await client.query('SET statement_timeout = 1000')
    await client.query('SET search_path = public')
    await slowly(() => client.query('SELECT 1'))
    await client.query('BEGIN')
    await client.query('SET LOCAL search_path = public')
    await slowly(() => client.query('SELECT 2'))
    // What a question sets for itself ends with it.
    const { rows } = await client.query('SHOW statement_timeout')
    expect(rows).toEqual([{ statement_timeout: '1s' }])
    expect((await client.query('SHOW jit')).rows).toEqual([{ jit: 'on' }])
    await client.query('COMMIT')
  })
})

test('SET TRANSACTION comes in time behind a change of names', async () => {
  await withClient(async (client) => {
    await client.query('CREATE TEMP TABLE mine (a int)')
    await client.query('BEGIN')
    await client.query('SET LOCAL search_path = public')
    await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
    await client.query('SELECT a FROM mine')
    const { rows } = await client.query('SHOW transaction_isolation')
    expect(rows).toEqual([{ transaction_isolation: 'serializable' }])
    await client.query('ROLLBACK')
  })
})

test('a path with pg_temp in it makes no temporary schema before its first use', async () => {
  await withClient(async (client) => {
    await client.query('SET search_path = pg_temp, public')
    const asked = 'SELECT pg_my_temp_schema() = 0 AS none'
    expect((await client.query(asked)).rows).toEqual([{ none: true }])
    await client.query('CREATE TABLE mine (a int)')
    expect((await client.query('SELECT * FROM pg_temp.mine')).rows).toEqual([])
    expect((await client.query(asked)).rows).toEqual([{ none: false }])
  })
})

test('what one session has changed is known to all others before their next statement', async () => {
  await withClient(async (one) => {
    await withClient(async (other) => {
      for (let i = 0; i < 20; i++) {
        await one.query(`CREATE TABLE turn_${i} (a int)`)
        const { rows } = await other.query(`SELECT a FROM turn_${i}`)
        expect(rows).toEqual([])
        await one.query(`DROP TABLE turn_${i}`)
      }
    })
  })
  const seen =
    "SELECT arrayJoin(objects) AS t FROM statements WHERE statement LIKE 'SELECT a FROM turn_%'"
  const rows = await gateway.eventually(seen, (all) => all.length === 20)
  expect(rows.map((row) => row.t).sort()).toEqual(
    Array.from({ length: 20 }, (_, i) => `public.turn_${i}`).sort(),
  )
})

test('another database that takes the name is known to be another one', async () => {
  const view = (column: string) =>
    `CREATE OR REPLACE VIEW shown AS SELECT ${column} AS x FROM people`
  server.sql('CREATE DATABASE base')
  server.sql(
    "CREATE TABLE people (mail text, note text); INSERT INTO people VALUES ('zq', 'n')",
    'base',
  )
  server.sql(view('note'), 'base')
  server.sql('CREATE DATABASE green TEMPLATE base')
  server.sql('CREATE DATABASE blue TEMPLATE base')
  server.sql(view('mail'), 'blue')
  server.sql(view('note'), 'green')
  const shown = async (): Promise<unknown[]> => {
    let rows: unknown[] = []
    const ask = async (client: pg.Client) => {
      rows = (await client.query('SELECT x FROM shown')).rows
    }
    await withClient(ask, 'green')
    return rows
  }
  expect(await shown()).toEqual([{ x: 'n' }])
  // Both workers, and old enough that the next session looks again.
  for (let n = 0; n < 4; n++) await shown()
  server.sql('ALTER DATABASE green RENAME TO former')
  server.sql('ALTER DATABASE blue RENAME TO green')
  await sleep(3_500)
  for (let n = 0; n < 4; n++) expect(await shown()).toEqual([{ x: '****' }])
}, 180_000)

test('a session is told alike by each question, and asking makes it no temporary schema', async () => {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const ask = async (text: string): Promise<string> => {
    const found = (await client.query({ text, rowMode: 'array' })) as unknown
    const last = (Array.isArray(found) ? found.at(-1) : found) as pg.QueryArrayResult
    return String(last.rows[0]?.[0])
  }
  try {
    const catalogue = buildCatalogue(await ask(calm(CATALOGUE_TEXT)), 1)!
    const idle = async () => idleNamesFrom(await ask(calm(IDLE_NAMES_TEXT, 'few')), catalogue)
    const settings = [
      'search_path = nowhere, public',
      "client_encoding = 'LATIN1'",
      'ROLE pg_monitor',
    ]
    for (const setting of ['search_path = DEFAULT', ...settings]) {
      await client.query(`SET ${setting}`)
      const names = await idle()
      expect(names).toHaveProperty('key')
      const look = lookFrom(await ask(calm(lookText(undefined))), undefined)
      expect(names).toEqual(namesFrom(look!.names, catalogue))
      expect(names).toMatchObject({ key: namesFrom(await ask(calm(NAMES_TEXT)), catalogue)?.key })
    }
    await client.query('RESET ALL; RESET ROLE')
    for (const path of ['pg_temp, public', '"$user", PG_TEMP']) {
      await client.query(`SET search_path = ${path}`)
      expect(await idle()).toBe('more')
      await ask(calm(NAMES_TEXT))
    }
    expect(await ask('SELECT pg_catalog.pg_my_temp_schema()')).toBe('0')
    await client.query('RESET search_path; CREATE TEMPORARY TABLE own (id int)')
    expect(await idle()).toBe('more')
  } finally {
    await client.end()
  }
})
