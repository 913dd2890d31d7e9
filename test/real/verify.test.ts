/**
 * `sluice audit verify` against a running gateway, its bundle against the file that an auditor runs, and the anchors: a file
 * with a countersignature, an HTTP address, a bucket.
 */
import { execFileSync } from 'node:child_process'
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import { isSigned } from '../../src/record/proof.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { query, WireClient } from '../lib/wire-client.ts'

const VERIFIER = fileURLToPath(new URL('../../src/replay/verifier.mjs', import.meta.url))
const SECRET = 'the-secret-of-the-bucket'

interface Got {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const got: Got[] = []
let fails = 1
/** Stands for both, and is down when it is asked first. */
const elsewhere = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method = '', url: path = '', headers } = request
    if (fails-- > 0) response.writeHead(503)
    else got.push({ method, path, headers, body: Buffer.concat(chunks).toString() })
    response.end()
  })
})

let server: Postgres
let gateway: Gateway
let token: string
let anchor = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
  const folder = mkdtempSync(join(tmpdir(), 'sluice-anchors-'))
  anchor = join(folder, 'heads.ndjson')
  const key = join(folder, 'anchor.pem')
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(key, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  gateway = await startGateway({
    connections: { main: { server, database: 'postgres', user: 'app', password: 'app-secret' } },
    env: { ANCHOR_TOKEN: 'at', BUCKET_KEY: 'bk', BUCKET_SECRET: SECRET },
    config: {
      recorder: {
        anchors: [
          { file: anchor, key: { file: key } },
          { http: `${url}/heads`, token: { env: 'ANCHOR_TOKEN' } },
          {
            s3: `${url}/bucket/sluice`,
            region: 'eu-1',
            access_key: { env: 'BUCKET_KEY' },
            secret_key: { env: 'BUCKET_SECRET' },
          },
        ],
      },
    },
  })
  token = await gateway.token({ subject: 'ci' })
}, 180_000)

afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
  elsewhere.close()
  rmSync(dirname(anchor), { recursive: true, force: true })
})

async function session(): Promise<WireClient> {
  const client = await WireClient.login(gateway.url(token, 'main'), {})
  for (let i = 0; i < 3; i++) await client.ask(query(`SELECT ${i}`))
  return client
}

const idsSql = "SELECT session_id FROM sessions WHERE protocol = 'postgres' ORDER BY session_id"

async function verify(...words: string[]) {
  const { code, stdout } = await gateway.cli(['audit', 'verify', '--json', ...words])
  return { code, report: stdout === '' ? undefined : JSON.parse(stdout) }
}

async function onStore(task: (store: ClickHouse) => Promise<void>): Promise<void> {
  const store = openClickHouse({ socket: join(gateway.data, 'clickhouse', 'http.sock') }, 'sluice')
  await task(store)
  await store.close()
}

test('a record that nobody touched is intact, here and elsewhere', async () => {
  const client = await session()
  client.end()
  const [row] = await gateway.eventually(`${idsSql}`, (rows) => rows.length === 1)
  const id = String(row!.session_id)
  await gateway.eventually(
    `SELECT status FROM sessions WHERE session_id = '${id}'`,
    ([one]) => one?.status === 'closed',
  )
  expect(await verify()).toMatchObject({ code: 0, report: { status: 'intact', findings: [] } })
  expect(await verify('--since', '1h')).toMatchObject({ code: 0 })
  expect(await verify('--session', id)).toMatchObject({
    code: 0,
    report: { sessions: 1, open: [] },
  })
  expect((await verify('--session', 'nobody')).code).toBe(1)
  const file = join(gateway.folder, 'all.ndjson')
  expect((await gateway.cli(['audit', 'bundle', '--out', file])).code).toBe(0)
  expect(await verify('--bundle', file, '--anchor', anchor)).toMatchObject({ code: 0 })
  const said = execFileSync(process.execPath, [VERIFIER, file, '--anchor', anchor]).toString()
  expect(said).toMatch(/intact: \d+ events of \d+ sessions/)
  expect((await verify('--session', id, '--since', '1h')).code).toBe(2)
  expect((await verify('--since', 'yesterday')).code).toBe(2)
}, 180_000)

test('anchors have every head, signed, and tried again where one was down', async () => {
  const [s3] = got.filter(({ method }) => method === 'PUT')
  const [http] = got.filter(({ method }) => method === 'POST')
  expect(http).toMatchObject({ path: '/heads', headers: { authorization: 'Bearer at' } })
  const { text, signature, keys } = JSON.parse(http!.body)
  const first = JSON.parse(keys[0].text)
  expect(isSigned(text, signature, first[3])).toBe(true)
  expect(s3!.path).toMatch(/^\/bucket\/sluice\/[0-9A-Z.]+\/\d{12}\.json$/)
  expect(s3!.headers.authorization).toContain(signatureOf(s3!))
  const lines = readFileSync(anchor, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const numbers = lines.map((line) => JSON.parse(line.text)[2])
  expect(numbers).toEqual(numbers.map((_, at) => at))
  for (const { text, by } of lines) expect(isSigned(text, by.signature, by.key)).toBe(true)
}, 180_000)

/** Signature Version 4, by its description. */
function signatureOf({ method, path, headers, body }: Got): string {
  const names = ['host', 'x-amz-content-sha256', 'x-amz-date']
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const request = [
    ...[method, path, ''],
    ...names.map((name) => `${name}:${headers[name]}`),
    ...['', names.join(';'), hash(body)],
  ].join('\n')
  const date = String(headers['x-amz-date'])
  const scope = [date.substring(0, 8), 'eu-1', 's3', 'aws4_request']
  const key = scope.reduce<string | Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${SECRET}`,
  )
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), hash(request)].join('\n')
  return createHmac('sha256', key).update(text).digest('hex')
}

test('a gateway that was killed leaves an unsigned tail, and a drained one does not', async () => {
  const open = await session()
  const [, row] = await gateway.eventually(idsSql, (rows) => rows.length === 2)
  await gateway.kill('SIGKILL')
  open.end()
  expect((await verify()).code).toBe(3)
  await gateway.restart()
  const killed = await verify()
  expect(killed).toMatchObject({ code: 1, report: { status: 'unsigned tail' } })
  const sessions = killed.report.findings.map(({ session }: { session: string }) => session)
  expect(sessions).toContain(row!.session_id)
  await gateway.kill('SIGTERM')
  await gateway.restart()
  const drained = await verify()
  expect(drained.report.findings).toEqual(killed.report.findings)
}, 180_000)

test('what was changed in the store is found, and named', async () => {
  const [row] = await gateway.audit(idsSql)
  const id = String(row!.session_id)
  await onStore((store) =>
    store.command({
      sql: `ALTER TABLE events UPDATE statement = 'SELECT 7' WHERE session_id = '${id}' AND statement = 'SELECT 1'`,
      settings: { mutations_sync: 2 },
    }),
  )
  const { code, stdout } = await gateway.cli(['audit', 'verify', '--session', id])
  expect(code).toBe(1)
  expect(stdout).toMatch(new RegExp(`event \\d+ of session ${id} of .* was changed`))
  // Leaves and heads of all that came after the first session go as well: the gateway's own log remembers.
  await onStore(async (store) => {
    for (const sql of [
      `ALTER TABLE events DELETE WHERE session_id > '${id}'`,
      'ALTER TABLE chain_leaves DELETE WHERE n > 5',
      'ALTER TABLE chains DELETE WHERE size > 5',
    ])
      await store.command({ sql, settings: { mutations_sync: 2 } })
  })
  const { report } = await verify()
  const kinds = report.findings.map(({ kind }: { kind: string }) => kind)
  expect(kinds).toEqual(expect.arrayContaining(['changed', 'missing', 'leaf', 'head']))
}, 180_000)
