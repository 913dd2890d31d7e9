/** The control thread as clients of its listener and session workers see it. */
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UNBOUND } from '../../src/accept/channel-binding.ts'
import type { Broadcast } from '../../src/threads/messages.ts'
import { ControlRoom, type Reply, type Sent } from './control-room.ts'

let room: ControlRoom

beforeAll(async () => {
  room = await ControlRoom.start()
})

afterAll(() => room.stop())

describe('the control listener', () => {
  test('says that it lives, and is not ready before workers are and main listens', async () => {
    expect(await room.call('GET', '/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
    expect((await room.call('GET', '/readyz')).status).toBe(503)
    room.control.onCommand({ type: 'attach', thread: 5, port: room.worker.port1 })
    expect((await room.call('GET', '/readyz')).status).toBe(503)
    const listeners = room.config.listeners.map(({ protocol, listen }) => ({
      protocol,
      ...listen,
    }))
    room.control.onCommand({ type: 'listening', listeners })
    expect((await room.call('GET', '/readyz')).status).toBe(200)
  })

  test("keeps the operator's token and its own address for the host's user alone", () => {
    for (const name of ['operator.token', 'control.json'])
      expect(statSync(join(room.folder, 'var', name)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(join(room.folder, 'var', 'control.json'), 'utf8')).url).toBe(
      room.url,
    )
  })

  test('serves no name that only resolves to this host, and no other origin', async () => {
    const port = new URL(room.url).port
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await room.call('GET', '/healthz', { headers })).status
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
      const reply = await room.call('GET', path)
      expect({ path, status: reply.status }).toEqual({ path, status: 401 })
      expect(reply.type).toBe('application/problem+json')
    }
    expect((await room.call('GET', '/nothing', { token: room.operator })).status).toBe(404)
    expect((await room.call('DELETE', '/api/v1/whoami', { token: room.operator })).status).toBe(405)
  })

  test('refuses a body that is too large, no JSON, or not said to be', async () => {
    const post = (more: Sent): Promise<Reply> =>
      room.call('POST', '/api/v1/tokens', { token: room.operator, ...more })
    expect((await post({ raw: '{' })).status).toBe(400)
    expect(
      (await post({ raw: '{"subject":"x"}', headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(400)
    expect((await post({ raw: 'x'.repeat(200_000) })).status).toBe(413)
  })

  test('takes a second Authorization or Host header for an attack', async () => {
    const raw = `GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${room.operator}\r\nAuthorization: Bearer x\r\n\r\n`
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(room.url).port), '127.0.0.1', () => socket.write(raw))
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
    const reply = await room.call('POST', '/api/v1/tokens', {
      token: room.operator,
      body: { subject: 'ci', job: 'nightly', agent: 'writer', connections: ['orders'], ttl: '15m' },
    })
    expect(reply.json).toMatchObject({ subject: 'ci', kind: 'workload', issued_by: 'operator' })
    const [token, id] = [String(reply.json.token), String(reply.json.id)]
    const identify = { type: 'identify', id: 1, credential: token, address: '127.0.0.1' } as const
    const asked = { ...identify, protocol: 'postgres', connection: 'orders' }
    expect(await room.ask(asked)).toMatchObject({
      type: 'identity',
      identity: { subject: 'ci', credentialId: id },
    })

    const listed = await room.call('GET', '/api/v1/tokens', { token: room.operator })
    expect(listed.text).toContain(id)
    expect(listed.text).not.toContain(token.split('_').slice(2).join('_'))

    room.broadcasts.length = 0
    expect(
      (await room.call('DELETE', `/api/v1/tokens/${id}`, { token: room.operator })).status,
    ).toBe(200)
    expect(await room.ask(asked)).toMatchObject({ type: 'failed', code: 'GW_CREDENTIAL_WRONG' })
    expect(room.broadcasts).toContainEqual({
      type: 'end',
      credentialId: id,
      code: 'GW_SESSION_KILLED',
    })
    expect((await room.call('GET', '/api/v1/whoami', { token })).status).toBe(401)
    expect(
      (await room.call('DELETE', '/api/v1/tokens/NOSUCH', { token: room.operator })).status,
    ).toBe(404)
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
    const reply = await room.call('POST', '/api/v1/tokens', { token: room.operator, body })
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
    const bare = await room.call('POST', '/api/v1/tokens', { token: room.operator, body: {} })
    expect(bare.json.problems).toEqual(['subject: is missing'])
    for (const subject of ['', 'a\nb', 'a\u001b[31m', 'x'.repeat(300), 7, null, ['x']])
      expect(
        (await room.call('POST', '/api/v1/tokens', { token: room.operator, body: { subject } }))
          .status,
      ).toBe(400)
  })

  test('a default kind follows from the job, and a role list only narrows', async () => {
    const human = await room.call('GET', '/api/v1/whoami', {
      token: await room.tokenFor({ subject: 'ann' }),
    })
    expect(human.json).toMatchObject({ kind: 'human', roles: [], api: [] })
    const ci = await room.tokenFor({ subject: 'ci', roles: ['watchers'] })
    expect((await room.call('GET', '/api/v1/whoami', { token: ci })).json).toMatchObject({
      roles: [],
    })
  })
})

describe('sessions and metrics', () => {
  test('pages sessions, shows one, and ends one by a broadcast', async () => {
    const page = await room.call('GET', '/api/v1/sessions?limit=1', { token: room.operator })
    expect(page.json).toEqual({ sessions: [{ session_id: 's3' }], next: 's3' })
    expect(
      (await room.call('GET', '/api/v1/sessions/missing', { token: room.operator })).status,
    ).toBe(404)
    room.broadcasts.length = 0
    const kill = () => room.call('DELETE', '/api/v1/sessions/s3', { token: room.operator })
    const nobody = await kill()
    expect([nobody.status, nobody.json.detail]).toEqual([404, 'No session of this id is open.'])
    const told = room.channel.onmessage
    room.channel.onmessage = (event) => {
      told?.(event)
      const { data } = event as { data: Broadcast }
      if (data.type === 'end') room.channel.postMessage({ type: 'ended', sessionId: 's3' })
    }
    expect((await kill()).status).toBe(202)
    room.channel.onmessage = told
    expect(room.broadcasts).toContainEqual({
      type: 'end',
      sessionId: 's3',
      code: 'GW_SESSION_KILLED',
    })
  })

  test('adds up what the workers answer', async () => {
    room.channel.onmessage = (event) => {
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
        heldBytes: 4096,
      }
      room.channel.postMessage({ type: 'metrics-answer', id: message.id, thread: 5, metrics })
    }
    const { text } = await room.call('GET', '/metrics')
    expect(text).toContain('sluice_sessions_open{protocol="postgres"} 3')
    expect(text).toContain('sluice_held_bytes 4096')
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
    const { json } = await room.call('GET', '/api/openapi.json')
    expect(Object.keys(json.paths as object)).toContain('/api/v1/tokens/{id}')
  })
})

describe('credentials of targets', () => {
  test('a clear-text password is given only where the connection lists it', async () => {
    process.env.SLUICE_TEST_ORDERS = 'target-secret'
    expect(
      await room.ask({ type: 'password', id: 3, login: { connection: 'orders', role: '' } }),
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
      expect(await room.ask(request)).toMatchObject({ type: 'failed', code: 'GW_UPSTREAM_LOGIN' })
  })
})
