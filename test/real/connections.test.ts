/** What a pool of runners needs of a connection, against a real PostgreSQL: whose credential, who is told, where to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway, type Target } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { query, WireClient } from '../lib/wire-client.ts'

const APP = 'app-secret'
const READER = 'reader-secret'

let server: Postgres
let gateway: Gateway
const tokens = new Map<string, string>()

beforeAll(async () => {
  server = await startPostgres()
  server.sql(`CREATE USER app PASSWORD '${APP}'; CREATE USER reader PASSWORD '${READER}'`)
  server.sql('CREATE TABLE notes (owner text); GRANT ALL ON notes TO app')
  server.sql('GRANT SELECT ON notes TO reader')
  const target = (more: Record<string, unknown> = {}): Target => ({
    server,
    database: 'postgres',
    user: 'app',
    password: APP,
    more,
  })
  const reader = { user: 'reader', password: { env: 'SLUICE_TEST_READER' } }
  gateway = await startGateway({
    connections: {
      plain: target(),
      told: target({ identity_to_target: { setting: 'sluice.subject' } }),
      named: target({ identity_to_target: 'application_name' }),
      roles: target({ credentials: { agents: reader } }),
    },
    roles: {
      agents: {
        members: ['subject:agent', 'subject:both'],
        connections: ['*'],
        allow: ['read', 'write'],
      },
      staff: {
        members: ['subject:staff', 'subject:both'],
        connections: ['*'],
        allow: ['read', 'write'],
      },
    },
    env: { SLUICE_TEST_READER: READER },
  })
  for (const subject of ['agent', 'staff', 'both'])
    tokens.set(subject, await gateway.token({ subject }))
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

function login(
  subject: string,
  connection: string,
  parameters: Record<string, string> = {},
): Promise<WireClient> {
  return WireClient.login(gateway.url(tokens.get(subject)!, connection), parameters)
}

/** The first value of the first row, or the error's SQLSTATE and message. */
async function value(client: WireClient, text: string): Promise<string> {
  const messages = await client.ask(query(text))
  if (messages.some(({ kind }) => kind === 'E')) {
    const { C, M } = client.error()!
    return `${C} ${M}`
  }
  const row = messages.find(({ kind }) => kind === 'D')
  return row === undefined ? '' : row.body.toString('utf8', 6)
}

describe('credentials by role', () => {
  test('the target sees the user of the role, and holds it to what that user may do', async () => {
    for (const [subject, user] of [
      ['agent', 'reader'],
      ['staff', 'app'],
      // Who holds several roles gets the first credential of the list, which is the narrower one here.
      ['both', 'reader'],
    ] as const) {
      const client = await login(subject, 'roles')
      expect(await value(client, 'SELECT current_user')).toBe(user)
      const written = await value(client, "INSERT INTO notes VALUES ('x')")
      expect(written).toBe(user === 'app' ? '' : '42501 permission denied for table notes')
      client.end()
    }
  })

  test('a connection without them has one for all', async () => {
    const client = await login('agent', 'plain')
    expect(await value(client, 'SELECT current_user')).toBe('app')
    client.end()
  })
})

describe('identity handed to the target', () => {
  const SUBJECT = "SELECT current_setting('sluice.subject')"

  test('stands in the session before its first statement, and row policies may read it', async () => {
    server.sql('CREATE TABLE own (owner text); GRANT ALL ON own TO app')
    server.sql("INSERT INTO own VALUES ('agent'), ('staff')")
    server.sql('ALTER TABLE own ENABLE ROW LEVEL SECURITY')
    const mine = "owner = current_setting('sluice.subject')"
    server.sql(`CREATE POLICY mine ON own USING (${mine}) WITH CHECK (${mine})`)
    for (const subject of ['agent', 'staff']) {
      const client = await login(subject, 'told')
      expect(await value(client, 'SELECT owner FROM own')).toBe(subject)
      expect(await value(client, "INSERT INTO own VALUES ('other')")).toMatch(/^42501 new row/)
      client.end()
    }
  })

  test('cannot be changed by the client, and comes back whatever is reset', async () => {
    await expect(login('agent', 'told', { 'sluice.subject': 'root' })).rejects.toThrow('42501')
    const options = { options: '-c sluice.subject=root' }
    await expect(login('agent', 'told', options)).rejects.toThrow('42501')
    const client = await login('agent', 'told')
    for (const text of [
      "SET sluice.subject = 'root'",
      'SET SESSION "SLUICE.Subject" TO root',
      "SET LOCAL sluice.subject = 'root'",
      "SELECT set_config('sluice.subject', 'root', false)",
      "SELECT set_config('sluice.' || 'subject', 'root', false)",
      "UPDATE pg_settings SET setting = 'root' WHERE name = 'sluice.subject'",
    ]) {
      expect(await value(client, text), text).toMatch(/^42501/)
      expect(await value(client, SUBJECT), text).toBe('agent')
    }
    for (const text of ['RESET sluice.subject', 'RESET ALL', 'DISCARD ALL']) {
      expect(await value(client, text), text).toBe('')
      expect(await value(client, SUBJECT), text).toBe('agent')
    }
    client.end()
  })

  test("as application_name takes the place of the client's own", async () => {
    const client = await login('agent', 'named', { application_name: 'job=build' })
    expect(await value(client, 'SHOW application_name')).toBe('agent')
    expect(await value(client, "SET application_name = 'x'")).toMatch(/^42501/)
    client.end()
  })
})
