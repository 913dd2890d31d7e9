/** The control thread's parts put together, with real HTTP, a real state database and a real spool. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel, MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UNBOUND } from '../../src/accept/channel-binding.ts'
import { logger } from '../../src/base/log.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Config } from '../../src/config/shape.ts'
import { Control } from '../../src/control/control.ts'
import type { ControlNews } from '../../src/control/thread.ts'
import type { ShipAnswer, ShipRequest } from '../../src/record/ship-messages.ts'
import type {
  Broadcast,
  ControlAnswer,
  ControlRequest,
  Settings,
} from '../../src/threads/messages.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-control-'))
const spool = join(folder, 'var', 'spool')
const channel = new BroadcastChannel('sluice')
const broadcasts: Broadcast[] = []
const worker = new MessageChannel()
const ship = new MessageChannel()
let control: Control
let url = ''
let operator = ''

const YAML = `
data: ./var
control: { listen: "127.0.0.1:0", public_url: "https://sluice.example.com" }
listeners: [{ protocol: postgres, listen: 127.0.0.1:0 }]
connections:
  orders:
    type: postgres
    address: 127.0.0.1:1
    database: orders
    credential: { user: app, password: { env: SLUICE_TEST_ORDERS }, auth: [password] }
roles:
  watchers: { members: ["group:watchers"], connections: [], allow: [], api: [viewer] }
  auditors: { members: ["group:auditors"], connections: [], allow: [], api: [auditor] }
  operators: { members: ["group:operators"], connections: [], allow: [], api: [operator] }
  admins: { members: ["group:admins"], connections: [], allow: [], api: [admin] }
  agents: { members: ["subject:ci"], connections: [orders], allow: [read] }
`

function configOf(text: string): Config {
  const read = readConfig({ path: join(folder, 'sluice.yaml'), text, cores: 1 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return read.config
}

/** The ship thread's side, with records of its own. */
function serveStore(port: MessagePort): void {
  port.on('message', (request: ShipRequest) => {
    const { id } = request
    let answer: ShipAnswer
    if (request.type === 'metrics') {
      const metrics = { spoolBytes: 11, spoolLagSeconds: 2, eventsShipped: 33, segmentsShipped: 1 }
      const more = { segmentsBad: 0, eventsLost: 0, engineRestarts: 0, storeOk: true }
      const chain = { chainLeaves: 9, chainHeadSeconds: 1, anchorsBehind: 0 }
      answer = { type: 'metrics', id, metrics: { ...metrics, ...more, ...chain } }
    } else if (request.type === 'query' && Object.values(request.params).includes('missing'))
      answer = { type: 'rows', id, rows: [] }
    else answer = { type: 'rows', id, rows: [{ session_id: 's3' }, { session_id: 's2' }] }
    port.postMessage(answer)
  })
}

beforeAll(async () => {
  mkdirSync(spool, { recursive: true, mode: 0o700 })
  const settings: Settings = { config: configOf(YAML), policyVersion: 7, policyFiles: [] }
  serveStore(ship.port2)
  channel.onmessage = (event) => broadcasts.push((event as { data: Broadcast }).data)
  await new Promise<void>((resolve, reject) => {
    const tell = (news: ControlNews): void => {
      if (news.type === 'control-listening') url = news.url
      if (news.type === 'state-open') resolve()
      if (news.type === 'control-failed') reject(new Error(news.say))
    }
    control = new Control({
      settings,
      instance: 'test',
      spoolFolder: spool,
      recordKey: new Uint8Array(32),
      store: ship.port1,
      thread: 99,
      log: logger('control', 'silent'),
      tell,
      onStopped: () => {},
    })
    void control.start()
  })
  operator = readFileSync(join(folder, 'var', 'operator.token'), 'utf8').trim()
})

afterAll(async () => {
  await control.stop()
  channel.close()
  worker.port2.close()
  ship.port2.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Reply {
  readonly status: number
  readonly type: string
  readonly json: Record<string, unknown>
  readonly text: string
}

async function call(
  method: string,
  path: string,
  more: { token?: string; body?: unknown; headers?: Record<string, string>; raw?: string } = {},
): Promise<Reply> {
  const payload = more.raw ?? (more.body === undefined ? undefined : JSON.stringify(more.body))
  const headers = {
    ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
    ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
    ...more.headers,
  }
  // Not fetch: it does not let us send a Host of our own.
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}${path}`, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        const type = response.headers['content-type'] ?? ''
        const json = type.includes('json') ? JSON.parse(text) : {}
        resolve({ status: response.statusCode ?? 0, type, json, text })
      })
    })
    sent.on('error', reject)
    sent.end(payload)
  })
}

async function tokenFor(body: Record<string, unknown>): Promise<string> {
  const reply = await call('POST', '/api/v1/tokens', { token: operator, body })
  if (reply.status !== 201) throw new Error(reply.text)
  return String(reply.json.token)
}

const ask = (request: ControlRequest): Promise<ControlAnswer> =>
  new Promise((resolve) => {
    worker.port2.once('message', resolve)
    worker.port2.postMessage(request)
  })

const spooled = (): string =>
  readdirSync(spool, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('')

describe('the control listener', () => {
  test('says that it lives, and is not ready before workers are and main listens', async () => {
    expect(await call('GET', '/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
    expect((await call('GET', '/readyz')).status).toBe(503)
    control.onCommand({ type: 'attach', thread: 5, port: worker.port1 })
    expect((await call('GET', '/readyz')).status).toBe(503)
    const listeners = configOf(YAML).listeners.map(({ protocol, listen }) => ({
      protocol,
      ...listen,
    }))
    control.onCommand({ type: 'listening', listeners })
    expect((await call('GET', '/readyz')).status).toBe(200)
  })

  test("keeps the operator's token and its own address for the host's user alone", () => {
    for (const name of ['operator.token', 'control.json'])
      expect(statSync(join(folder, 'var', name)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(join(folder, 'var', 'control.json'), 'utf8')).url).toBe(url)
  })

  test('serves no name that only resolves to this host, and no other origin', async () => {
    const port = new URL(url).port
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await call('GET', '/healthz', { headers })).status
    for (const host of [
      `evil.example:${port}`,
      'localhost.evil.example',
      '10.0.0.1',
      '0.0.0.0',
      '[::2]',
    ])
      expect({ host, status: await status({ host }) }).not.toEqual({ host, status: 200 })
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', 'sluice.example.com'])
      expect({ host, status: await status({ host }) }).toEqual({ host, status: 200 })
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example'])
      expect({ origin, status: await status({ origin }) }).toEqual({ origin, status: 421 })
    expect(await status({ origin: 'https://sluice.example.com' })).toBe(200)
  })

  test('tells nobody without a token which paths exist', async () => {
    for (const path of ['/api/v1/whoami', '/api/v1/nothing', '/', '/api/v1/tokens/x/y']) {
      const reply = await call('GET', path)
      expect({ path, status: reply.status }).toEqual({ path, status: 401 })
      expect(reply.type).toBe('application/problem+json')
    }
    expect((await call('GET', '/nothing', { token: operator })).status).toBe(404)
    expect((await call('DELETE', '/api/v1/whoami', { token: operator })).status).toBe(405)
  })

  test('refuses a body that is too large, no JSON, or not said to be', async () => {
    const post = (more: Parameters<typeof call>[2]): Promise<Reply> =>
      call('POST', '/api/v1/tokens', { token: operator, ...more })
    expect((await post({ raw: '{' })).status).toBe(400)
    expect(
      (await post({ raw: '{"subject":"x"}', headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(400)
    expect((await post({ raw: 'x'.repeat(200_000) })).status).toBe(413)
  })

  test('takes a second Authorization or Host header for an attack', async () => {
    const raw = `GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operator}\r\nAuthorization: Bearer x\r\n\r\n`
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(raw))
      socket.once('data', (bytes) => {
        resolve(bytes.toString())
        socket.destroy()
      })
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  })
})

describe('tokens', () => {
  test('are issued once in clear, work at once over a worker port, and end when revoked', async () => {
    const reply = await call('POST', '/api/v1/tokens', {
      token: operator,
      body: { subject: 'ci', job: 'nightly', agent: 'writer', connections: ['orders'], ttl: '15m' },
    })
    expect(reply.json).toMatchObject({ subject: 'ci', kind: 'workload', issued_by: 'operator' })
    const [token, id] = [String(reply.json.token), String(reply.json.id)]
    const identify = { type: 'identify', id: 1, credential: token, address: '127.0.0.1' } as const
    const asked = { ...identify, protocol: 'postgres', connection: 'orders' }
    expect(await ask(asked)).toMatchObject({
      type: 'identity',
      identity: { subject: 'ci', credentialId: id },
    })

    const listed = await call('GET', '/api/v1/tokens', { token: operator })
    expect(listed.text).toContain(id)
    expect(listed.text).not.toContain(token.split('_').slice(2).join('_'))

    broadcasts.length = 0
    expect((await call('DELETE', `/api/v1/tokens/${id}`, { token: operator })).status).toBe(200)
    expect(await ask(asked)).toMatchObject({ type: 'failed', code: 'GW_CREDENTIAL_WRONG' })
    expect(broadcasts).toContainEqual({ type: 'end', credentialId: id, code: 'GW_SESSION_KILLED' })
    expect((await call('GET', '/api/v1/whoami', { token })).status).toBe(401)
    expect((await call('DELETE', '/api/v1/tokens/NOSUCH', { token: operator })).status).toBe(404)
  })

  test('are refused with every problem at once', async () => {
    const body = {
      subjct: 'x',
      kind: 'robot',
      roles: ['agent'],
      connections: 'orders',
      from: '1.2.3',
      ttl: 'soon',
    }
    const reply = await call('POST', '/api/v1/tokens', { token: operator, body })
    expect(reply.status).toBe(400)
    const problems = (reply.json.problems as string[]).join('\n')
    for (const name of [
      'did you mean subject',
      'kind:',
      'did you mean agents',
      'connections:',
      'from:',
      'ttl:',
    ])
      expect(problems).toContain(name)
    const bare = await call('POST', '/api/v1/tokens', { token: operator, body: {} })
    expect(bare.json.problems).toEqual(['subject: is missing'])
    for (const subject of ['', 'a\nb', 'a\u001b[31m', 'x'.repeat(300), 7, null, ['x']])
      expect(
        (await call('POST', '/api/v1/tokens', { token: operator, body: { subject } })).status,
      ).toBe(400)
  })

  test('a default kind follows from the job, and a role list only narrows', async () => {
    const human = await call('GET', '/api/v1/whoami', { token: await tokenFor({ subject: 'ann' }) })
    expect(human.json).toMatchObject({ kind: 'human', roles: [], api: [] })
    const ci = await tokenFor({ subject: 'ci', roles: ['watchers'] })
    expect((await call('GET', '/api/v1/whoami', { token: ci })).json).toMatchObject({ roles: [] })
  })
})

describe('who may do what', () => {
  const CALLS = {
    whoami: ['GET', '/api/v1/whoami'],
    sessions: ['GET', '/api/v1/sessions'],
    session: ['GET', '/api/v1/sessions/s1'],
    connections: ['GET', '/api/v1/connections'],
    kill: ['DELETE', '/api/v1/sessions/s1'],
    tokens: ['GET', '/api/v1/tokens'],
    issue: ['POST', '/api/v1/tokens'],
    revoke: ['DELETE', '/api/v1/tokens/none'],
    audit: ['POST', '/api/v1/audit/query'],
    search: ['POST', '/api/v1/audit/search'],
    questions: ['GET', '/api/v1/audit/questions'],
    save: ['POST', '/api/v1/audit/questions'],
    question: ['POST', '/api/v1/audit/questions/1'],
    forget: ['DELETE', '/api/v1/audit/questions/none'],
  } as const
  const AUDIT = ['audit', 'search', 'questions', 'save', 'question', 'forget']
  const VIEW = ['whoami', 'sessions', 'session', 'connections']
  const MATRIX: [string, Record<string, unknown>, string[]][] = [
    ['nobody in particular', {}, ['whoami']],
    ['an agent', { subject: 'ci', job: 'j' }, ['whoami']],
    ['a viewer', { groups: ['watchers'] }, VIEW],
    ['an auditor', { groups: ['auditors'] }, [...VIEW, ...AUDIT]],
    ['an operator', { groups: ['operators'] }, [...VIEW, 'kill']],
    ['an admin', { groups: ['admins'] }, [...VIEW, 'kill', 'tokens', 'issue', 'revoke']],
    ['an admin narrowed to viewer', { groups: ['admins', 'watchers'], roles: ['watchers'] }, VIEW],
    [
      'an admin that is a job',
      { groups: ['admins'], job: 'j' },
      [...VIEW, 'kill', 'tokens', 'revoke'],
    ],
  ]

  test.each(MATRIX)('%s may do what its roles say and nothing else', async (_, wanted, may) => {
    const token = await tokenFor({ subject: 'someone', ...wanted })
    const done: string[] = []
    for (const [name, [method, path]] of Object.entries(CALLS)) {
      const body = method === 'POST' ? {} : undefined
      const { status } = await call(method, path, {
        token,
        ...(body === undefined ? {} : { body }),
      })
      if (status !== 403) done.push(name)
    }
    expect(done.sort()).toEqual([...may].sort())
  })

  test("the host's operator may do all of it", async () => {
    for (const [method, path] of Object.values(CALLS))
      expect([401, 403]).not.toContain((await call(method, path, { token: operator })).status)
  })

  test('a wrong credential is answered after the delay and recorded, its text nowhere', async () => {
    const wrong = `slc_operator_${'A'.repeat(43)}`
    const started = performance.now()
    const reply = await call('GET', '/api/v1/whoami', { token: wrong })
    expect(reply.json).toMatchObject({ status: 401, code: 'GW_CREDENTIAL_WRONG' })
    expect(performance.now() - started).toBeGreaterThan(290)
    expect(spooled()).toContain('login_refused')
    expect(spooled()).not.toContain('AAAAAAAAAA')
  })

  test('every use is an admin event that is on disk before the answer', async () => {
    const marker = 'subject-that-is-recorded'
    const token = await tokenFor({ subject: marker, groups: ['watchers'] })
    expect(spooled()).toContain(`for ${marker}`)
    await call('DELETE', '/api/v1/sessions/s-refused', { token })
    expect(spooled()).toContain('DELETE /api/v1/sessions/s-refused')
    expect(spooled()).toContain('api-refused')
    for (const secret of [token, operator]) expect(spooled()).not.toContain(secret.substring(33))
  })
})

describe('search and questions', () => {
  test('that cannot be understood say every problem at once', async () => {
    const body = { subjct: 'x', since: 'yesterday', limit: 0, cursor: 'x y', text: 'a\0b' }
    const reply = await call('POST', '/api/v1/audit/search', { token: operator, body })
    expect(reply.status).toBe(400)
    const problems = (reply.json.problems as string[]).join('\n')
    for (const name of ['did you mean subject', 'since:', 'limit:', 'cursor:', 'text:'])
      expect(problems).toContain(name)
  })

  test('of a name that is taken, wrong, or of no question are refused', async () => {
    const save = (body: unknown) =>
      call('POST', '/api/v1/audit/questions', { token: operator, body })
    for (const name of ['Takers', '7', 'a b', "a'", '', 'takers']) {
      const { status, json } = await save({ name, sql: 'SELECT 1' })
      expect([status, name, JSON.stringify(json)]).toEqual([
        400,
        name,
        expect.stringContaining('name'),
      ])
    }
    expect((await save({ name: 'mine', sql: 'SELECT {a:Identifier}' })).status).toBe(400)
    const ask = (id: string, body: unknown) =>
      call('POST', `/api/v1/audit/questions/${id}`, { token: operator, body })
    expect((await ask('nothing', {})).status).toBe(404)
    expect((await ask('1', {})).json.problems).toEqual(['subject is missing'])
    for (const body of [{ values: [] }, { values: { subject: 7 } }, { values: 'x' }, { value: {} }])
      expect((await ask('1', body)).status).toBe(400)
  })
})

describe('sessions and metrics', () => {
  test('pages sessions, shows one, and ends one by a broadcast', async () => {
    const page = await call('GET', '/api/v1/sessions?limit=1', { token: operator })
    expect(page.json).toEqual({ sessions: [{ session_id: 's3' }], next: 's3' })
    expect((await call('GET', '/api/v1/sessions/missing', { token: operator })).status).toBe(404)
    broadcasts.length = 0
    expect((await call('DELETE', '/api/v1/sessions/s3', { token: operator })).status).toBe(202)
    expect(broadcasts).toContainEqual({ type: 'end', sessionId: 's3', code: 'GW_SESSION_KILLED' })
  })

  test('adds up what the workers answer', async () => {
    channel.onmessage = (event) => {
      const message = (event as { data: Broadcast }).data
      if (message.type !== 'metrics') return
      const metrics = {
        sessionsOpen: { postgres: 3 },
        actions: { 'postgres|orders|allow': 10 },
        addedLatency: { 'postgres|decide': [1, 2, ...new Array(13).fill(0), 55] },
        upstream: [0, 4, ...new Array(19).fill(0), 300],
        loopLag: [7, ...new Array(11).fill(0), 2500],
        maskedValues: { 'email|orders': 4 },
        signals: { masked_unique_violation: 2 },
        eventsLost: 0,
      }
      channel.postMessage({ type: 'metrics-answer', id: message.id, thread: 5, metrics })
    }
    const { text } = await call('GET', '/metrics')
    expect(text).toContain('sluice_sessions_open{protocol="postgres"} 3')
    expect(text).toContain(
      'sluice_actions_total{protocol="postgres",connection="orders",verdict="allow"} 10',
    )
    expect(text).toContain(
      'sluice_added_latency_seconds_bucket{le="0.00001",protocol="postgres",phase="decide"} 1',
    )
    expect(text).toContain(
      'sluice_added_latency_seconds_bucket{le="+Inf",protocol="postgres",phase="decide"} 3',
    )
    expect(text).toContain(
      'sluice_added_latency_seconds_sum{protocol="postgres",phase="decide"} 0.000055',
    )
    expect(text).toContain('sluice_upstream_seconds_bucket{le="0.00005"} 0')
    expect(text).toContain('sluice_upstream_seconds_bucket{le="0.0001"} 4')
    expect(text).toContain('sluice_upstream_seconds_sum 0.0003')
    expect(text).toContain('sluice_upstream_seconds_count 4')
    expect(text).toContain('sluice_worker_loop_lag_seconds_bucket{le="0.001"} 7')
    expect(text).toContain('sluice_worker_loop_lag_seconds_bucket{le="+Inf"} 7')
    expect(text).toContain('sluice_worker_loop_lag_seconds_sum 0.0025')
    expect(text).toContain('sluice_masked_values_total{detector="email",connection="orders"} 4')
    expect(text).toContain('sluice_signals_total{signal="masked_unique_violation"} 2')
    expect(text).toContain('sluice_policy_version 7')
    expect(text).toContain('sluice_events_lost_total 0')
    expect(text).toContain('sluice_spool_bytes 11')
    expect(text).toContain('sluice_store_ok 1')
    expect(text).toContain('sluice_chain_head_seconds 1')
    expect(text).toContain('sluice_anchors_behind 0')
    expect(text).toContain('process_cpu_user_seconds_total')
  })

  test('describes itself', async () => {
    const { json } = await call('GET', '/api/openapi.json')
    expect(Object.keys(json.paths as object)).toContain('/api/v1/tokens/{id}')
  })
})

describe('credentials of targets', () => {
  test('a clear-text password is given only where the connection lists it', async () => {
    process.env.SLUICE_TEST_ORDERS = 'target-secret'
    expect(
      await ask({ type: 'password', id: 3, login: { connection: 'orders', role: '' } }),
    ).toEqual({
      type: 'password',
      id: 3,
      password: 'target-secret',
    })
    for (const request of [
      { type: 'scram-first', id: 4, login: { connection: 'orders', role: '' }, binding: UNBOUND },
      { type: 'md5', id: 5, login: { connection: 'orders', role: '' }, salt: new Uint8Array(4) },
      { type: 'password', id: 6, login: { connection: 'nothing', role: '' } },
      // A role that the connection lists no credential for gets no other one in its place.
      { type: 'password', id: 8, login: { connection: 'orders', role: 'agents' } },
      { type: 'scram-final', id: 7, exchange: 99, serverFirst: '' },
    ] as const)
      expect(await ask(request)).toMatchObject({ type: 'failed', code: 'GW_UPSTREAM_LOGIN' })
  })
})
