/** Large objects by libpq, which reaches them by function-call messages. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { fieldsOf, frame, int16, int32, query, WireClient } from '../lib/wire-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-large-objects-'))
let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'pw'")
  server.sql(`CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1'`)
  server.sql('GRANT pg_read_server_files TO app')
  const members = ['subject:*']
  gateway = await startGateway({
    connections: { shop: { server, database: 'postgres', user: 'app', password: 'pw' } },
    roles: {
      all: {
        members: ['subject:trusted'],
        connections: ['*'],
        allow: ['read', 'write', 'execute'],
      },
      agents: { members, connections: ['*'], allow: ['read', 'write'] },
    },
  })
  token = await gateway.token({ subject: 'trusted' })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** FunctionCall with text arguments and a text result. */
function call(oid: number, ...values: readonly string[]): Buffer {
  const parts = values.map((one) => Buffer.concat([int32(one.length), Buffer.from(one)]))
  return frame('F', int32(oid), int16(0), int16(values.length), ...parts, int16(0))
}

test('psql imports, exports and removes a large object', async () => {
  const [given, taken] = [join(folder, 'given'), join(folder, 'taken')]
  writeFileSync(given, randomBytes(300_000))
  const psql = (command: string) => run('psql', ['-XAt', gateway.url(token, 'shop'), '-c', command])
  const { stdout, stderr } = await psql(`\\lo_import ${given}`)
  expect(stderr).toBe('')
  const oid = /lo_import (\d+)/.exec(stdout)?.[1]
  expect(await psql(`\\lo_export ${oid} ${taken}`)).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(taken).equals(readFileSync(given))).toBe(true)
  expect((await psql(`\\lo_unlink ${oid}`)).stdout).toContain('lo_unlink')
  expect(server.sql('SELECT count(*) FROM pg_largeobject_metadata')).toBe('0')
  const rows = await gateway.eventually(
    "SELECT verb, class, verdict, status FROM statements WHERE verb = 'FUNCTION CALL' AND statement LIKE '%lowrite%'",
    (found) => found.length > 10 && found.every(({ status }) => status === 'ok'),
  )
  expect(rows[0]).toEqual({
    ...{ verb: 'FUNCTION CALL', class: 'execute', verdict: 'allow', status: 'ok' },
  })
})

test('a role without execute is refused, and the session goes on', async () => {
  const plain = await gateway.token({ subject: 'other' })
  const session = await WireClient.login(gateway.url(plain, 'shop'))
  const [refused] = await session.ask(call(952, '1', '2'))
  expect(fieldsOf(refused!)).toMatchObject({ C: '42501', M: expect.stringContaining('execute') })
  expect((await session.ask(query('SELECT 1'))).map(({ kind }) => kind).join('')).toBe('TDCZ')
  session.end()
})

test('values and errors of functions come as the target sends them', async () => {
  const twice = Number(server.sql("SELECT 'public.twice'::regproc::oid"))
  const client = await WireClient.login(gateway.url(token, 'shop'))
  const through: string[] = []
  for (const one of [call(twice, '21'), call(twice, 'x'), call(twice)]) {
    const answers = await client.ask(one)
    through.push(...answers.map(({ kind, body }) => `${kind} ${body.toString('latin1')}`))
  }
  client.end()
  expect(through[0]).toBe(`V ${Buffer.concat([int32(2), Buffer.from('42')]).toString('latin1')}`)
  expect(through[2]).toMatch(/C22P02/)
  expect(through.filter((one) => one.startsWith('Z'))).toEqual(['Z I', 'Z I', 'Z I'])
})

test('a function of class admin is one by message too', async () => {
  const client = await WireClient.login(gateway.url(token, 'shop'))
  const oid = Number(server.sql("SELECT 'pg_catalog.pg_read_file(text)'::regprocedure::oid"))
  const [refused] = await client.ask(call(oid, 'postgresql.conf'))
  expect(fieldsOf(refused!)).toMatchObject({ C: '42501', M: expect.stringContaining('admin') })
  client.end()
})

test('calls may be pipelined, with statements between them', async () => {
  const twice = Number(server.sql("SELECT 'public.twice'::regproc::oid"))
  const client = await WireClient.login(gateway.url(token, 'shop'))
  client.messages.length = 0
  client.send(call(twice, '1'), call(twice, '2'), query('SELECT 3'), call(twice, '4'))
  const kinds = () => client.messages.map(({ kind }) => kind).join('')
  while (kinds() !== 'VZVZTDCZVZ') await client.until('Z')
  client.end()
})
