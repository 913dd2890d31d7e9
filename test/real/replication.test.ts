/** PostgreSQL's own replication programs through the gateway. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, start } from '../lib/child.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { WireClient } from '../lib/wire-client.ts'

const BIN = '/usr/lib/postgresql/15/bin'
const folder = mkdtempSync(join(tmpdir(), 'sluice-replication-'))
let server: Postgres
let gateway: Gateway
let token: string
let plain: string

beforeAll(async () => {
  server = await startPostgres({
    config: ['wal_level = logical', 'max_wal_senders = 8', 'max_replication_slots = 8'],
    access: ['host replication app 127.0.0.1/32 scram-sha-256'],
  })
  server.sql("CREATE ROLE app LOGIN REPLICATION PASSWORD 'pw'; CREATE TABLE t (a int, b text)")
  const target = { server, database: 'postgres', user: 'app', password: 'pw' }
  gateway = await startGateway({
    // Programs that copy a whole cluster always ask for a database of this name.
    connections: { replication: target, shop: target, masked: target },
    roles: {
      dba: { members: ['subject:dba'], connections: ['*'], allow: ['read', 'write', 'admin'] },
      agents: { members: ['subject:agent'], connections: ['*'], allow: ['read', 'write'] },
    },
    policies: {
      'guard.yaml': `apiVersion: sluice/v1
kind: Policy
name: guard
applies: { connections: [masked] }
rules: []
masks:
  - { columns: [public.t.b], with: redact }
`,
    },
  })
  token = await gateway.token({ subject: 'dba' })
  plain = await gateway.token({ subject: 'agent' })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function tool(name: string, args: readonly string[], connection: string, as = token) {
  const url = gateway.url(as, connection)
  return run(`${BIN}/${name}`, ['-d', url, ...args])
}

test('pg_basebackup takes a backup that is whole', async () => {
  const copy = join(folder, 'backup')
  const args = ['-D', copy, '-X', 'stream', '-c', 'fast', '--no-sync']
  const { code, stderr } = await tool('pg_basebackup', args, 'replication')
  expect([stderr, code]).toEqual(['', 0])
  expect(statSync(join(copy, 'backup_manifest')).size).toBeGreaterThan(1000)
  const verified = await run(`${BIN}/pg_verifybackup`, [copy])
  expect(verified).toMatchObject({ code: 0, stdout: 'backup successfully verified\n' })
})

test('pg_receivewal streams what is written, and its slot is made and dropped', async () => {
  const slot = (flag: string) => tool('pg_receivewal', [flag, '-S', 'wal'], 'replication')
  expect(await slot('--create-slot')).toMatchObject({ code: 0, stderr: '' })
  const streamed = join(folder, 'wal')
  const args = ['-d', gateway.url(token, 'replication'), '-D', streamed, '-S', 'wal', '--no-sync']
  await run('mkdir', [streamed])
  const receiver = start(`${BIN}/pg_receivewal`, args)
  try {
    await waitFor(
      () => server.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'wal'") === 't',
    )
    server.sql(
      "INSERT INTO t SELECT n, 'streamed' FROM generate_series(1, 1000) n; SELECT pg_switch_wal()",
    )
    await waitFor(() => readdirSync(streamed).some((name) => /^[0-9A-F]{24}$/.test(name)))
    const [segment = ''] = readdirSync(streamed).filter((name) => /^[0-9A-F]{24}$/.test(name))
    expect(readFileSync(join(streamed, segment)).includes('streamed')).toBe(true)
  } finally {
    await receiver.stop('SIGINT')
  }
  await waitFor(
    () => server.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'wal'") === 'f',
  )
  expect(await slot('--drop-slot')).toMatchObject({ code: 0, stderr: '' })
})

test('pg_recvlogical decodes changes, beside SQL on the same kind of connection', async () => {
  const slot = (flag: string) =>
    tool('pg_recvlogical', [flag, '-S', 'logical', '-P', 'test_decoding'], 'shop')
  expect(await slot('--create-slot')).toMatchObject({ code: 0, stderr: '' })
  const output = join(folder, 'changes')
  const args = [
    '-d',
    gateway.url(token, 'shop'),
    '--start',
    '-S',
    'logical',
    '-f',
    output,
    '-s',
    '1',
  ]
  const receiver = start(`${BIN}/pg_recvlogical`, args)
  try {
    server.sql("INSERT INTO t VALUES (42, 'decoded')")
    await waitFor(() => existsSync(output) && readFileSync(output, 'utf8').includes("'decoded'"))
  } finally {
    await receiver.stop('SIGINT')
  }
  await waitFor(
    () => server.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'logical'") === 'f',
  )
  expect(await slot('--drop-slot')).toMatchObject({ code: 0, stderr: '' })
  const psql = (command: string) =>
    run('psql', ['-XAt', `${gateway.url(token, 'shop')}?replication=database`, '-c', command])
  expect((await psql('IDENTIFY_SYSTEM')).stdout).toMatch(/^\d+\|1\|/)
  expect((await psql('SELECT 6 * 7')).stdout).toBe('42\n')
  expect((await psql('CREATE TABLE u ()')).stderr).toContain('schema')
})

test('commands are recorded like statements, with what came of them', async () => {
  const rows = await gateway.eventually(
    `SELECT verb, class, verdict, status FROM statements WHERE verb IN ('BASE_BACKUP', 'IDENTIFY_SYSTEM', 'START_REPLICATION') GROUP BY ALL ORDER BY ALL`,
    (found) => found.length >= 3,
  )
  const told = { class: 'admin', verdict: 'allow' }
  expect(rows).toContainEqual({ verb: 'BASE_BACKUP', ...told, status: 'ok' })
  expect(rows).toContainEqual({ verb: 'IDENTIFY_SYSTEM', ...told, status: 'ok' })
  expect(rows.some(({ verb }) => verb === 'START_REPLICATION')).toBe(true)
})

describe('replication is refused', () => {
  test.each(['true', 'database'])('to a role without admin (%s)', async (replication) => {
    await expect(WireClient.login(gateway.url(plain, 'shop'), { replication })).rejects.toThrow(
      /^42501: A replication connection is of class admin/,
    )
  })

  test('while a mask applies', async () => {
    const url = `${gateway.url(token, 'masked')}?replication=database`
    const { stderr } = await run('psql', ['-XAt', url, '-c', 'IDENTIFY_SYSTEM'])
    expect(stderr).toContain('While a mask applies, replication is refused.')
    const physical = `${gateway.url(token, 'masked')}?replication=true`
    const other = await run('psql', ['-XAt', physical, '-c', 'IDENTIFY_SYSTEM'])
    expect(other.stderr).toContain('While a mask applies, replication is refused.')
  })
})

async function waitFor(isDone: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${isDone}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
