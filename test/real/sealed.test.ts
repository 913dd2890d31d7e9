/**
 * Sealed originals and evidence bundles on a running gateway: what masks replaced is kept for those who may open it and for
 * nobody else, and what a bundle shows is what was recorded.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Seals } from '../../src/control/seals.ts'
import { newIdentity } from '../../src/record/age.ts'
import { openClickHouse, type Row } from '../../src/record/clickhouse.ts'
import { EVENT_KINDS } from '../../src/record/event-kinds.ts'
import { sealedBatches, sealedKey } from '../../src/replay/sealed.ts'
import { type Release, unseal } from '../../src/replay/unseal.ts'
import { filesWith } from '../lib/files-with.ts'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import {
  bind,
  describe as describeFrame,
  execute,
  parse,
  query,
  SYNC,
  WireClient,
} from '../lib/wire-client.ts'

const VERIFIER = fileURLToPath(new URL('../../src/replay/verifier.mjs', import.meta.url))
const HELD = ['zq-planted-secret-1', 'zq-planted-secret-2', 'planted.zq@example.net']
const POLICY = `apiVersion: sluice/v1
kind: Policy
name: hide
# </script><script>alert(1)</script>
masks:
  - { columns: [public.people.secret], with: redact, in_predicates: allow }
  - { detect: [email], with: redact }
`

const { identity, recipient } = await newIdentity()
let server: Postgres
let gateway: Gateway
let token: string
let session = ''

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
  server.sql('CREATE TABLE people (id int PRIMARY KEY, secret text, note text)')
  server.sql(
    `INSERT INTO people VALUES (1, '${HELD[0]}', 'mail ${HELD[2]}'), (2, '${HELD[1]}', '<b>plain</b>')`,
  )
  server.sql('GRANT ALL ON people TO app')
  gateway = await startGateway({
    connections: { main: { server, database: 'postgres', user: 'app', password: 'app-secret' } },
    policies: { 'hide.yaml': POLICY },
    config: { recorder: { seal: { recipients: [recipient] } } },
    roles: {
      agents: { members: ['subject:*'], connections: ['*'], allow: ['read', 'write'] },
      auditors: { members: ['group:audit'], api: ['auditor'] },
    },
  })
  token = await gateway.token({ subject: 'ci' })
  const client = await WireClient.login(gateway.url(token, 'main'), {})
  const answer = await client.ask(query('SELECT id, secret, note FROM people ORDER BY id'))
  expect(JSON.stringify(answer)).not.toContain('planted')
  const text = "SELECT id FROM people WHERE secret = $1 AND note <> 'x'"
  await client.ask(
    Buffer.concat([
      ...[parse(text), bind({ values: [HELD[1]!] }), describeFrame('P', '')],
      ...[execute(''), SYNC],
    ]),
  )
  await client.ask(query(`UPDATE people SET note = 'of ${HELD[2]}' WHERE id = 2`))
  await client.ask(query('COPY (SELECT secret FROM people ORDER BY id) TO STDOUT'))
  client.end()
  const sql = "SELECT session_id FROM sessions WHERE protocol = 'postgres' AND status = 'closed'"
  const [row] = await gateway.eventually(sql, (rows) => rows.length === 1)
  session = String(row!.session_id)
  // Originals have a spool and a way of their own.
  const stored = () =>
    onStore({
      sql: `SELECT (SELECT count() > 0 FROM sealed_keys WHERE session_id = {s:String}) AS key,
        (SELECT uniqExact(batch) FROM sealed WHERE session_id = {s:String}) AS batches,
        (SELECT count() FROM events WHERE session_id = {s:String} AND kind = 'sealed') AS told`,
      params: { s: session },
    })
  const isWhole = async () => {
    const [found] = await stored()
    expect(Number(found?.key)).toBe(1)
    expect(Number(found?.told)).toBeGreaterThan(0)
    expect(Number(found?.batches)).toBe(Number(found?.told))
  }
  await vi.waitFor(isWhole, { timeout: 30_000, interval: 100 })
}, 180_000)

afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function onStore(ask: {
  sql: string
  params?: Record<string, string | number>
}): Promise<Row[]> {
  const store = openClickHouse({ socket: join(gateway.data, 'clickhouse', 'http.sock') }, 'sluice')
  try {
    return await store.query(ask)
  } finally {
    await store.close()
  }
}

/** As an approved request would: with the gateway's own keys, and what stands in its store. */
async function opened() {
  const seals = new Seals(join(gateway.data, 'seal'), [], Date.now)
  const [key] = await onStore(sealedKey(session))
  const inner = seals.release(
    session,
    Buffer.from(String(key!.wrapped), 'base64'),
    String(key!.key_id),
  )
  const batches = (await onStore(sealedBatches(session))) as unknown as Release['batches']
  const head = {
    sluice: 'release',
    version: 1,
    session,
    request: 'req_1',
    approvers: ['bob'],
  } as const
  return unseal({ ...head, key: inner.toString('base64'), batches }, identity)
}

describe('sealed originals', () => {
  test('everything that a mask replaced in result, COPY, text and parameters', async () => {
    const { values, cuts, findings } = await opened()
    expect([cuts, findings]).toEqual([[], []])
    const told = values.map(
      ({ place, row, name, by, value }) => `${place} ${row} ${name} ${by}: ${value}`,
    )
    expect(told).toEqual([
      `text 1 public.people.secret column public.people.secret: ${HELD[0]}`,
      `text 1 note email: mail ${HELD[2]}`,
      `text 2 public.people.secret column public.people.secret: ${HELD[1]}`,
      `statement 0  : SELECT id FROM people WHERE secret = $1 AND note <> 'x'`,
      `param 1  : ${HELD[1]}`,
      `statement 0  : UPDATE people SET note = 'of ${HELD[2]}' WHERE id = 2`,
      `copy 1 public.people.secret column public.people.secret: ${HELD[0]}`,
      `copy 2 public.people.secret column public.people.secret: ${HELD[1]}`,
    ])
    const rows = await onStore({
      sql: 'SELECT DISTINCT seq FROM events WHERE session_id = {s:String} AND kind = {k:String}',
      params: { s: session, k: 'action' },
    })
    const actions = new Set(rows.map(({ seq }) => Number(seq)))
    for (const { action } of values) expect(actions.has(action)).toBe(true)
  })

  test('are kept among events of the kinds that are documented', async () => {
    const rows = await onStore({ sql: 'SELECT DISTINCT kind FROM events' })
    const kinds = rows.map(({ kind }) => String(kind))
    expect(kinds.filter((kind) => !Object.hasOwn(EVENT_KINDS, kind))).toEqual([])
    const made = ['action', 'outcome', 'login', 'own', 'close', 'sealed', 'policy', 'admin']
    expect(made.filter((kind) => !kinds.includes(kind))).toEqual([])
  })

  test('nothing of them is anywhere on the disk in clear', () => {
    for (const text of HELD.slice(0, 2))
      expect(filesWith(gateway.data, (bytes) => (bytes.includes(text) ? [text] : []))).toEqual([])
  })

  test('auditors see that there are some, and not what', async () => {
    const [row] = await gateway.audit(
      `SELECT count() AS n, any(text) AS text FROM events WHERE kind = 'sealed' AND session_id = '${session}'`,
    )
    expect(Number(row?.n)).toBeGreaterThan(0)
    expect(JSON.parse(String(row?.text))).toMatchObject({
      cut: 0,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    for (const table of ['sealed', 'sealed_keys', 'sluice.sealed_keys'])
      expect((await gateway.cli(['audit', 'query', `SELECT * FROM ${table}`])).code).toBe(2)
  })

  test('an unseal without an approved request is refused, and recorded; the operator may not ask', async () => {
    const words = ['audit', 'unseal', '--session', session, '--out', join(gateway.folder, 'r.json')]
    expect((await gateway.cli(words)).code).not.toBe(0)
    const auditor = await asAuditor()
    const { status, body } = await auditor(`{"session":"${session}","request":"req_1"}`)
    expect(status).toBe(403)
    expect(body).toContain('An unseal needs a request that somebody else has approved')
    await gateway.eventually(
      "SELECT subject, text FROM admin_actions WHERE status = 'unseal-refused'",
      (rows) => rows.length === 1 && String(rows[0]?.text).includes(session),
    )
  })
})

async function asAuditor() {
  const human = await gateway.token({ subject: 'ann', kind: 'human', groups: ['audit'] })
  return (body: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${human}`, 'content-type': 'application/json' }
      const asked = request(
        `${gateway.controlUrl}/api/v1/audit/unseal`,
        { method: 'POST', headers },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          )
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
}

describe('an evidence bundle', () => {
  let file = ''
  let text = ''
  beforeAll(async () => {
    file = join(gateway.folder, 'bundle.html')
    const { code, stderr } = await gateway.cli([
      'audit',
      'bundle',
      '--session',
      session,
      '--out',
      file,
    ])
    expect([code, stderr]).toEqual([0, ''])
    text = readFileSync(file, 'utf8')
  })

  async function verified(changed: string) {
    const path = join(gateway.folder, 'changed.html')
    writeFileSync(path, changed)
    const { code, stdout } = await gateway.cli(['audit', 'verify', '--bundle', path, '--json'])
    return { code, report: JSON.parse(stdout) }
  }

  test('is whole, intact, and says where the session ended', async () => {
    const { code, report } = await verified(text)
    expect(report.findings).toEqual([])
    expect(code).toBe(0)
    expect(report.ends).toMatchObject([{ session, status: 'closed', reason: 'client closed' }])
    const said = execFileSync(process.execPath, [VERIFIER, file], { encoding: 'utf8' })
    expect(said).toContain('there is no more of it')
    expect(said).toContain('intact: ')
  })

  test('holds policy, facts, claims and heads for a person to read, and no power of data', () => {
    for (const part of ['hide.yaml', 'in_predicates: allow', 'ci', 'Approvals', 'sluice-head-1'])
      expect(text).toContain(part)
    expect(text).toContain('&#60;/script&#62;&#60;script&#62;alert(1)')
    expect(text.match(/<script/g)).toHaveLength(1)
    for (const one of HELD) expect(text).not.toContain(one)
  })

  test('over the API is the same page', async () => {
    const { code, stdout } = await gateway.cli(['audit', 'query', 'SELECT 1 AS n', '--json'])
    expect([code, stdout]).toEqual([0, '{"n":1}\n'])
    const operator = readFileSync(join(gateway.data, 'operator.token'), 'utf8').trim()
    const answer = await fetch(`${gateway.controlUrl}/api/v1/audit/bundle?session=${session}`, {
      headers: { authorization: `Bearer ${operator}` },
    })
    expect(answer.headers.get('content-disposition')).toContain('attachment')
    expect((await verified(await answer.text())).report).toMatchObject({ status: 'intact' })
    const none = await fetch(`${gateway.controlUrl}/api/v1/audit/bundle?session=nobody`, {
      headers: { authorization: `Bearer ${operator}` },
    })
    expect(none.status).toBe(404)
  })

  test('with a changed policy is found, in the evidence and on the page', async () => {
    const forged = text.split('\n').map((line) => {
      if (!line.startsWith('{"leaves"')) return line
      const page = JSON.parse(line)
      const rows = Buffer.from(page.rows, 'base64').toString('latin1')
      const changed = rows.replaceAll('in_predicates: allow', 'in_predicates: never')
      return JSON.stringify({ ...page, rows: Buffer.from(changed, 'latin1').toString('base64') })
    })
    const lines = await verified(forged.join('\n'))
    expect(lines.code).toBe(1)
    expect(lines.report.findings).toMatchObject([{ kind: 'changed' }, { kind: 'index' }])
    expect(lines.report.findings[0].session).toMatch(/^ctl_/)
    const page = await verified(text.replace('in_predicates: allow', 'in_predicates: never'))
    expect(page.report).toMatchObject({ status: 'broken', findings: [{ kind: 'index' }] })
  })

  test('with a sealed digest, an ending or its last line taken away is found', async () => {
    const without = text.split('\n').map((line) => {
      if (!line.startsWith('{"leaves"')) return line
      const { sealed: _, ...page } = JSON.parse(line)
      return JSON.stringify(page)
    })
    expect(
      (await verified(without.join('\n'))).report.findings.map((one: { kind: string }) => one.kind),
    ).toContain('missing')
    const cut = await verified(text.replace('{"end":true}\n', ''))
    expect(cut.report.findings).toMatchObject([{ kind: 'evidence' }])
    const script = text.replace('</body>', '<script>alert(1)</script></body>')
    expect((await verified(script)).report.findings).toMatchObject([{ kind: 'index' }])
  })
})
