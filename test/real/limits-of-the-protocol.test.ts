/** What the protocol allows at most, and the last words of a target, through the gateway and a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import {
  bind,
  close,
  describe as describeFrame,
  execute,
  FLUSH,
  fieldsOf,
  frame,
  parse,
  query,
  SYNC,
  WireClient,
} from '../lib/wire-client.ts'

let server: Postgres
let gateway: Gateway
let token: string

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'pw'; CREATE TABLE numbers (n int)")
  server.sql('ALTER TABLE numbers OWNER TO app')
  const target = { server, database: 'postgres', user: 'app', password: 'pw' }
  gateway = await startGateway({ connections: { shop: target } })
  token = await gateway.token({ subject: 'agent' })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

const login = () => WireClient.login(gateway.url(token, 'shop'))
const kindsOf = (messages: readonly { kind: string }[]) => messages.map(({ kind }) => kind).join('')

describe('65,535 parameters', () => {
  const COUNT = 65_535
  const numbers = Array.from({ length: COUNT }, (_, i) => String(i))

  test('go up in one Bind, and a row of 1,600 columns comes down', async () => {
    const client = await login()
    const text = `INSERT INTO numbers VALUES ${numbers.map((n) => `($${Number(n) + 1})`).join()}`
    const inserted = await client.ask(parse(text), bind({ values: numbers }), execute(), SYNC)
    expect(client.error()).toBeUndefined()
    expect(kindsOf(inserted)).toBe('12CZ')
    expect(inserted[2]!.body.toString()).toBe(`INSERT 0 ${COUNT}\0`)
    expect(server.sql('SELECT count(*), sum(n) FROM numbers')).toBe(`${COUNT}|2147385345`)
    const columns = await client.ask(query(`SELECT ${numbers.slice(0, 1600).join()}`))
    expect(columns[1]!.body.readUInt16BE(0)).toBe(1600)
    client.end()
  })

  test('are recorded, cut to what a record may hold', async () => {
    const [row] = await gateway.eventually(
      "SELECT length(params) AS n, status FROM statements WHERE verb = 'INSERT'",
      (rows) => rows.length === 1,
    )
    expect(row).toMatchObject({ n: COUNT, status: 'ok' })
  })

  test('and one more than the message can count is the client’s own mistake', async () => {
    const client = await login()
    const [complete] = await client.ask(parse('SELECT $1::int'), SYNC)
    expect(complete!.kind).toBe('1')
    client.send(bind({ values: new Array(COUNT + 1).fill('1').slice(1) }), SYNC)
    await client.until('Z')
    expect(client.error()?.C).toBe('08P01') // Parameters that the statement has not.
    client.end()
  })
})

test('binary COPY goes in and out unchanged', async () => {
  const client = await login()
  const from = client.messages.length
  client.send(query('COPY (SELECT n FROM generate_series(1, 50000) n) TO STDOUT (FORMAT binary)'))
  await client.until('Z', 30_000)
  const copied = client.messages.slice(from).filter(({ kind }) => kind === 'd')
  const bytes = Buffer.concat(copied.map(({ body }) => body))
  expect(bytes.toString('latin1', 0, 11)).toBe('PGCOPY\n\xff\r\n\0')
  client.send(query('TRUNCATE numbers'))
  await client.until('Z')
  client.send(query('COPY numbers FROM STDIN (FORMAT binary)'))
  await client.until('G')
  for (let at = 0; at < bytes.length; at += 30_000)
    client.send(frame('d', bytes.subarray(at, at + 30_000)))
  client.send(frame('c'))
  await client.until('Z', 30_000)
  expect(client.error()).toBeUndefined()
  expect(server.sql('SELECT count(*), sum(n) FROM numbers')).toBe('50000|1250025000')
  client.end()
})

test('portals are suspended and resumed, several at once, with Flush and without Sync', async () => {
  const client = await login()
  await client.ask(query('BEGIN'))
  const from = client.messages.length
  const series = (end: number) => `SELECT n FROM generate_series(1, ${end}) n`
  client.send(parse(series(5), 'a'), parse(series(4), 'b'))
  client.send(bind({ portal: 'p', statement: 'a' }), bind({ portal: 'q', statement: 'b' }), FLUSH)
  const kinds = () => kindsOf(client.messages.slice(from))
  const until = async (wanted: string) => {
    while (kinds() !== wanted) await client.until('12DsCTnZ3')
  }
  await until('1122')
  client.send(execute('p', 2), execute('q', 3), FLUSH)
  await until('1122DDsDDDs')
  client.send(describeFrame('P', 'p'), execute('q', 3), execute('p', 2), FLUSH)
  await until('1122DDsDDDsTDCDDs')
  client.send(close('P', 'q'), execute('p'), SYNC)
  await until('1122DDsDDDsTDCDDs3DCZ')
  client.end()
})

test('the last words of a target arrive, and the end at once, while the client is still writing', async () => {
  const client = await login()
  client.send(query('COPY numbers FROM STDIN'))
  await client.until('G')
  const data = frame('d', Buffer.from('1\n'.repeat(30_000)))
  const writing = setInterval(() => {
    if (client.socket.writableLength < 10_000_000) client.socket.write(data)
  }, 1)
  try {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const began = Date.now()
    const running = "FROM pg_stat_activity WHERE query LIKE 'COPY numbers%'"
    expect(server.sql(`SELECT pg_terminate_backend(pid) ${running}`)).toBe('t')
    await client.closed(10_000)
    expect(Date.now() - began).toBeLessThan(5_000)
  } finally {
    clearInterval(writing)
  }
  expect(client.error()).toMatchObject({ C: '57P01', S: 'FATAL' })
})

test('an error in the middle of a result keeps what came before it', async () => {
  const client = await login()
  const said = await client.ask(query('SELECT 1 / (3 - n) FROM generate_series(1, 5) n'))
  expect(kindsOf(said)).toBe('TDDEZ')
  expect(fieldsOf(said[3]!).C).toBe('22012')
  client.end()
})
