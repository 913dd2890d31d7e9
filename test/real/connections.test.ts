/** What a pool of runners needs of a connection, against a real PostgreSQL: whose credential, who is told, where to. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../lib/free-port.ts'
import { type Gateway, startGateway, type Target } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { give } from '../lib/server-user.ts'
import {
  bind,
  cstring,
  execute,
  frame,
  parse,
  query,
  SYNC,
  startup,
  WireClient,
} from '../lib/wire-client.ts'

const APP = 'app-secret'
const READER = 'reader-secret'

let server: Postgres
let gateway: Gateway
let sockets: string
let port: number
let port6: number
/** A target that says for ever that it is starting. */
const starting = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', () => {
    const fields = ['SFATAL', 'VFATAL', 'C57P03', 'Mthe database system is starting up', '']
    socket.end(frame('E', ...fields.map(cstring)))
  })
})
const tokens = new Map<string, string>()

beforeAll(async () => {
  sockets = mkdtempSync(join(tmpdir(), 'sluice-sockets-'))
  give(sockets)
  server = await startPostgres({
    config: ["listen_addresses = '127.0.0.1,::1'", `unix_socket_directories = '${sockets}'`],
    access: ['local all all scram-sha-256', 'host all all ::1/128 scram-sha-256'],
  })
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
  await new Promise<void>((listening) => starting.listen(0, '127.0.0.1', listening))
  const nowhere = `127.0.0.1:${await freePort()}`
  const notNow = `127.0.0.1:${(starting.address() as { port: number }).port}`
  const here = `127.0.0.1:${server.port}`
  const socket = join(sockets, `.s.PGSQL.${server.port}`)
  port = await freePort()
  port6 = await freePort()
  gateway = await startGateway({
    config: {
      listeners: [
        { protocol: 'postgres', listen: `127.0.0.1:${port}` },
        { protocol: 'postgres', listen: `[::1]:${port6}` },
      ],
    },
    connections: {
      plain: target(),
      told: target({ identity_to_target: { setting: 'sluice.subject' } }),
      named: target({ identity_to_target: 'application_name' }),
      unix: target({ address: socket, tls: 'verify-full', statement_timeout: '400ms' }),
      six: target({ address: `[::1]:${server.port}` }),
      several: target({ address: [nowhere, here] }),
      starting: target({ address: [notNow, here] }),
      allstarting: target({ address: [notNow, notNow] }),
      few: target({ max_sessions: 2 }),
      short: target({ statement_timeout: '1s' }),
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
}, 180_000)
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
  starting.close()
  rmSync(sockets, { recursive: true, force: true })
})

function login(
  subject: string,
  connection: string,
  parameters: Record<string, string> = {},
): Promise<WireClient> {
  const url = `postgres://agent:${tokens.get(subject)}@127.0.0.1:${port}/${connection}`
  return WireClient.login(url, parameters)
}

function psql(url: string, text: string): string {
  return execFileSync('psql', ['-XqAt', '-d', url, '-c', text], { encoding: 'utf8' }).trim()
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

describe('statement_timeout', () => {
  const SAY = '57014 The statement ran longer than connections.short.statement_timeout.'

  test('stops what runs too long, whatever the client sets at the target, and the session goes on', async () => {
    const client = await login('agent', 'short')
    await value(client, 'SET statement_timeout = 0')
    const since = performance.now()
    expect(await value(client, 'SELECT pg_sleep(30)')).toBe(SAY)
    expect(performance.now() - since).toBeGreaterThan(980)
    expect(client.error()?.D).toContain('"verdict":"over_limit"')
    expect(client.error()?.S).toBe('ERROR')
    expect(await value(client, 'SELECT 1')).toBe('1')
    client.end()
  })

  test('counts each message of a pipeline for itself', async () => {
    const client = await login('agent', 'short')
    const one = [parse('SELECT pg_sleep(0.4)'), bind(), execute(), SYNC]
    client.send(...one, ...one, ...one)
    for (let at = 0; at < 3; at++) await client.until('Z')
    expect(client.error()).toBe(undefined)
    client.end()
  })

  test('ends a transaction like any error, and in a pipeline skips to the Sync', async () => {
    const client = await login('agent', 'short')
    await value(client, 'BEGIN')
    const sleep = [parse('SELECT pg_sleep(30)'), bind(), execute()]
    const answers = await client.ask(...sleep, parse('SELECT 1'), bind(), execute(), SYNC)
    expect(answers.map(({ kind }) => kind).join('')).toBe('12EZ')
    expect(answers.at(-1)?.body.toString()).toBe('E')
    expect(client.error()?.C).toBe('57014')
    expect(await value(client, 'ROLLBACK')).toBe('')
    expect(await value(client, 'SELECT 1')).toBe('1')
    client.end()
  })

  test('is no limit for a session that waits for its client between statements', async () => {
    const client = await login('agent', 'short')
    await value(client, 'BEGIN')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await value(client, 'SELECT 1')).toBe('1')
    client.end()
  })

  test("a cancel of the client's own, and the target's own clock, keep their words", async () => {
    const client = await login('agent', 'short')
    await value(client, "SET statement_timeout = '100ms'")
    expect(await value(client, 'SELECT pg_sleep(30)')).toBe(
      '57014 canceling statement due to statement timeout',
    )
    client.end()
  })

  test('stands in the record as what the gateway itself did', async () => {
    const sql =
      "SELECT count() AS n FROM events WHERE kind = 'own' AND text = 'GW_STATEMENT_TIMEOUT'"
    const rows = await gateway.eventually(sql, ([row]) => Number(row?.n) >= 2)
    expect(Number(rows[0]?.n)).toBeGreaterThanOrEqual(2)
  })
})

describe('addresses', () => {
  test('a Unix socket is one, without TLS whatever `tls` says', async () => {
    const client = await login('agent', 'unix')
    expect(await value(client, 'SELECT inet_server_addr() IS NULL')).toBe('t')
    // The cancel goes the same way.
    expect(await value(client, 'SELECT pg_sleep(30)')).toMatch(/^57014/)
    client.end()
  })

  test('IPv6 is one, on both sides', async () => {
    const client = await login('agent', 'six')
    expect(await value(client, 'SELECT host(inet_server_addr())')).toBe('::1')
    client.end()
    const url = `postgres://x:${tokens.get('agent')}@[::1]:${port6}/six`
    expect(psql(url, 'SELECT host(inet_server_addr())')).toBe('::1')
    const sql = "SELECT count() AS n FROM events WHERE kind = 'login' AND client_ip = '::1'"
    expect(await gateway.eventually(sql, ([row]) => Number(row?.n) === 1)).toEqual([{ n: 1 }])
  })

  test('of several the next serves where one does not listen, or is not ready', async () => {
    for (const connection of ['several', 'starting']) {
      const client = await login('agent', connection)
      expect(await value(client, 'SELECT 1')).toBe('1')
      client.end()
    }
    await expect(login('agent', 'allstarting')).rejects.toThrow('08004')
  })
})

describe('max_sessions', () => {
  const SAY =
    '53300: There are as many sessions as connections.few.max_sessions allows, and none ended in time.'
  const few = () => login('agent', 'few')

  test('holds over all workers, and a session that ends lets the next one in', async () => {
    const [one, two] = [await few(), await few()]
    const third = few()
    const fourth = few()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
    // Sessions of the tests before it may still be there.
    await expect.poll(() => server.sql(open)).toBe('2')
    one.end()
    const next = await Promise.race([third, fourth])
    expect(await value(next, 'SELECT 1')).toBe('1')
    two.end()
    for (const client of await Promise.all([third, fourth])) client.end()
  })

  test('is a bounded wait, whose end names the setting', async () => {
    const held = [await few(), await few()]
    const since = performance.now()
    await expect(few()).rejects.toThrow(SAY)
    expect(performance.now() - since).toBeGreaterThan(4900)
    // Other connections to the same server have places of their own.
    const other = await login('agent', 'plain')
    for (const client of [...held, other]) client.end()
  })

  test('counts nobody who failed, or left while waiting', async () => {
    for (let at = 0; at < 5; at++)
      await expect(login('agent', 'few', { work_mem: '1GB' })).rejects.toThrow('42501')
    const held = [await few(), await few()]
    const leaver = await WireClient.connect(port)
    leaver.send(startup({ user: 'x', database: 'few' }))
    await leaver.until('R')
    leaver.send(frame('p', cstring(tokens.get('agent')!)))
    await new Promise((resolve) => setTimeout(resolve, 200))
    leaver.end()
    for (const client of held) client.end()
    for (const client of await Promise.all([few(), few()])) client.end()
  })
})

test('the kernel asks after a minute whether client and target are still there', async () => {
  const client = await login('agent', 'plain')
  const own = client.socket.localPort!
  const target = Number(await value(client, 'SELECT inet_client_port()'))
  // Until what was sent last is acknowledged another timer runs. The rest of its time is in hundredths of a second.
  const timers = () =>
    socketsOfGateway()
      .filter(({ local, remote }) => remote === own || local === target)
      // Of an earlier connection whose port came again.
      .filter(({ timer }) => timer !== TIME_WAIT)
  const isAsked = { timer: KEEP_ALIVE, isSoon: true }
  await expect
    .poll(() => timers().map(({ timer, ms }) => ({ timer, isSoon: ms <= 60_000 })))
    .toEqual([isAsked, isAsked])
  client.end()
})

const KEEP_ALIVE = 2
const TIME_WAIT = 3

/** TCP over IPv4 as the kernel lists it: https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
function socketsOfGateway(): { local: number; remote: number; timer: number; ms: number }[] {
  const lines = readFileSync(`/proc/${gateway.pid}/net/tcp`, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [, local = '', remote = '', , , timer = ''] = line.trim().split(/\s+/)
    const portOf = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16)
    const [kind = '', ticks = ''] = timer.split(':')
    const ms = Number.parseInt(ticks, 16) * 10
    return { local: portOf(local), remote: portOf(remote), timer: Number.parseInt(kind, 16), ms }
  })
}
