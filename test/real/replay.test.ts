/**
 * What a client received after its login is what a replay gives back, byte for byte: a session of more than a thousand
 * statements in every form that the protocol has, compared with what came out of the client's own socket.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Received } from '../../src/replay/postgres-received.ts'
import type { RecordedRow } from '../../src/replay/recorded.ts'
import { bytesOf, endsResult } from '../../src/replay/timeline.ts'
import { start } from '../lib/child.ts'
import { built } from '../lib/gateway.ts'
import { type Stage, type StageRole, startStage } from '../lib/stage.ts'
import {
  bind,
  close,
  cstring,
  describe,
  execute,
  frame,
  parse,
  query,
  SYNC,
  TERMINATE,
  WireClient,
} from '../lib/wire-client.ts'

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

const NOT_MASKED = 'SELECT id, name, score, tags FROM customers WHERE id = $1'
const MASKED = 'SELECT id, email, born FROM customers WHERE id <= $1 ORDER BY id'

/** Each is sent whole and answered up to its last ReadyForQuery; the number is that of the statements in it. */
const TURNS: readonly [statements: number, frames: readonly Buffer[], readies?: number][] = [
  [1, [query('SELECT id, email FROM customers ORDER BY id LIMIT 7')]],
  [2, [query('SELECT 1; SELECT name FROM customers WHERE id = 3')]],
  [1, [query('')]],
  [1, [query('SELECT 1/0')]],
  [1, [query('SELECT email, repeat(name, 60) FROM customers LIMIT 300')]],
  [1, [query('SET LOCAL lock_timeout = 1000')]],
  [1, [query("SET application_name = 'again'")]],
  [1, [query("SET TimeZone = 'Europe/Berlin'")]],
  [1, [query('DROP TABLE customers')]],
  [1, [query('COPY (SELECT id, email FROM customers) TO STDOUT')]],
  [1, [query('COPY customers (id, name) TO STDOUT WITH (FORMAT csv, HEADER)')]],
  [0, [parse(NOT_MASKED, 's'), describe('S', 's'), SYNC]],
  [1, [bind({ statement: 's', values: ['5'] }), execute(), SYNC]],
  [1, [bind({ statement: 's', values: ['6'], binary: true }), execute(), SYNC]],
  [1, [bind({ statement: 's', values: ['6'] }), describe('P'), execute(), close('S', 's'), SYNC]],
  [1, [parse(MASKED), bind({ values: ['40'], binary: true }), execute(), SYNC]],
  [1, [parse(MASKED), bind({ values: ['3'] }), describe('P'), execute(), SYNC]],
  [
    3,
    [
      parse(MASKED),
      bind({ portal: '', values: ['9'] }),
      execute('', 4),
      execute('', 4),
      execute(),
      SYNC,
    ],
  ],
  [0, [parse('SELECT nothing FROM customers'), SYNC]],
  [2, [query('BEGIN'), query('SELECT count(*) FROM orders')], 2],
  [1, [query('DROP TABLE orders')]],
  [1, [query('SELECT 2')]],
  [1, [query('ROLLBACK')]],
  [
    4,
    [
      ...[parse(MASKED, 'a'), bind({ statement: 'a', values: ['2'] }), execute()],
      ...[parse(NOT_MASKED, 'b'), bind({ statement: 'b', values: ['2'], binary: true })],
      ...[describe('P'), execute(), parse('DROP TABLE customers'), bind(), execute(), SYNC],
      ...[bind({ statement: 'b', values: ['x'] }), execute(), SYNC],
      ...[close('S', 'a'), close('S', 'b'), close('P', 'none'), SYNC],
    ],
    3,
  ],
  [2, [query('LISTEN news'), query("NOTIFY news, 'to all'")], 2],
]

const COPIED = [
  query('COPY orders (customer_id, total) FROM STDIN'),
  frame('d', Buffer.from('1\t2.5\n')),
  frame('c'),
]
const FAILED = [
  query('COPY orders (customer_id, total) FROM STDIN'),
  frame('d', Buffer.from('1\tx\n')),
  frame('f', cstring('no')),
]

async function sent(client: WireClient, frames: readonly Buffer[], readies = 1): Promise<void> {
  const ready = () => client.messages.filter(({ kind }) => kind === 'Z').length
  const wanted = ready() + readies
  client.send(...frames)
  while (ready() < wanted) await client.until('Z')
}

async function rounds(client: WireClient, statements: number): Promise<number> {
  let count = 0
  while (count < statements) {
    for (const [number, frames, readies] of TURNS) {
      await sent(client, frames, readies)
      count += number
    }
    for (const frames of [COPIED, FAILED]) {
      await sent(client, frames)
      count += 1
    }
  }
  return count
}

async function recordingOf(id: string): Promise<RecordedRow[]> {
  const token = readFileSync(join(stage.gateway.data, 'operator.token'), 'utf8').trim()
  const answer = await fetch(`${stage.gateway.controlUrl}/api/v1/sessions/${id}/replay?follow=1`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(answer.status).toBe(200)
  const lines = (await answer.text()).split('\n').filter((line) => line !== '')
  expect(JSON.parse(lines.pop()!)).toEqual({ end: 'closed' })
  return lines.map((line) => JSON.parse(line))
}

function receivedOf(rows: readonly RecordedRow[]): Buffer {
  const received = new Received()
  const out: Buffer[] = []
  for (const row of rows) {
    out.push(...received.push(bytesOf(row)))
    if (endsResult(row)) received.end()
  }
  return Buffer.concat(out)
}

/** Where two differ, so that a failure can be read. */
function difference(got: Buffer, wanted: Buffer): string {
  const at = got.findIndex((byte, i) => byte !== wanted[i])
  if (at < 0 && got.length === wanted.length) return ''
  const from = Math.max(0, (at < 0 ? got.length : at) - 60)
  const part = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1', from, from + 160))
  return `${got.length} of ${wanted.length}, at ${at}: ${part(got)} for ${part(wanted)}`
}

async function session(
  role: StageRole,
  connection: string,
): Promise<{ id: string; client: WireClient; login: number }> {
  const client = await WireClient.login(stage.url(role, connection))
  const login = client.received.length
  await sent(client, [query('SELECT 4711')])
  const [found] = await stage.gateway.eventually(
    `SELECT session_id FROM statements WHERE statement = 'SELECT 4711' AND subject = '${role}' AND connection = '${connection}' ORDER BY ts DESC LIMIT 1`,
    (rows) => rows.length > 0,
  )
  return { id: String(found?.session_id), client, login }
}

test('a session of a thousand statements is replayed byte for byte', async () => {
  const { id, client, login } = await session('write', 'masked')
  const statements = await rounds(client, 1000)
  client.send(TERMINATE)
  await client.closed()
  const wanted = client.received.subarray(login)
  const rows = await recordingOf(id)
  expect(rows.map(({ seq }) => seq)).toEqual([...rows].map(({ seq }) => seq).sort((a, b) => a - b))
  expect(rows.filter(({ kind }) => kind === 'action').length).toBeGreaterThanOrEqual(statements)
  expect(rows.filter(({ kind, payload_cut }) => kind === 'outcome' && payload_cut)).toEqual([])
  expect(rows.filter(({ kind }) => kind === 'response').length).toBeGreaterThan(30)
  expect(difference(receivedOf(rows), wanted)).toBe('')
  expect(wanted.includes('example.com')).toBe(false)
}, 180_000)

test('what the gateway itself answers is replayed too, quotes of the parser included', async () => {
  const { id, client, login } = await session('read', 'shop')
  await sent(client, [query("SELEC 'a literal'")])
  await sent(client, [parse('DELETE FROM orders'), bind(), execute(), SYNC])
  await sent(client, [bind({ statement: 'none' }), execute(), SYNC])
  await sent(client, [query('BEGIN')])
  await sent(client, [query('DELETE FROM orders')])
  await sent(client, [query('COMMIT')])
  const { code } = await stage.gateway.cli(['sessions', 'kill', id])
  expect(code).toBe(0)
  await client.closed()
  const rows = await recordingOf(id)
  expect(difference(receivedOf(rows), client.received.subarray(login))).toBe('')
  expect(client.error()?.C).toBe('57P01')

  const shown = await stage.gateway.cli(['sessions', 'replay', id, '--speed', '0'])
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(
    /#\d+ {2}SELECT\n +SELECT 4711\n +\?column\?\n +-+\n +4711\n +SELECT 1\n/,
  )
  expect(shown.stdout).toContain('FATAL 57P01')
  expect(shown.stdout).toMatch(/end of the record, session closed\n$/)

  const items = await stage.gateway.cli(['sessions', 'replay', id, '--json'])
  const lines = items.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ type }) => type === 'error').map(({ fields }) => fields.C)).toEqual([
    ...['42601', '42501', '26000', '42501', '57P01'],
  ])
  // Each refusal is shown with what was refused.
  const refused = lines.filter(({ type, status }) => type === 'outcome' && status === 'refused')
  const owners = lines.filter(({ type, fields }) => type === 'error' && fields.C !== '57P01')
  expect(owners.map(({ action }) => action)).toEqual(refused.map(({ action }) => action))

  const later = await stage.gateway.cli(['sessions', 'replay', id, '--from', '3', '--json'])
  expect(JSON.parse(later.stdout.split('\n')[0]!).seq).toBe(3)
  for (const format of ['json', 'csv', 'asciicast', 'pcapng']) {
    const out = join(stage.gateway.folder, `session.${format}`)
    const written = await stage.gateway.cli([
      'sessions',
      'export',
      id,
      '--format',
      format,
      '-o',
      out,
    ])
    expect(written).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(readFileSync(out).length).toBeGreaterThan(500)
  }
  const har = await stage.gateway.cli(['sessions', 'export', id, '--format', 'har'])
  expect(har).toMatchObject({ code: 2, stdout: '' })
  expect(har.stderr).toBe(
    'A session of postgres cannot be written as har; it can as json, csv, asciicast, pcapng.\n',
  )
}, 180_000)

test('a session that goes on is followed to its end, and Ctrl-C ends that at once', async () => {
  const { id, client } = await session('write', 'shop')
  const following = stage.gateway.cli(['sessions', 'follow', id])
  const program = [built('src/cli/main.js'), 'sessions', 'follow', id]
  const leaves = start(process.execPath, [...program, '--config', stage.gateway.configPath])
  await leaves.until(/SELECT 4711/)
  await sent(client, [query('SELECT 815 AS later')])
  await leaves.until(/815 AS later/)
  await leaves.stop('SIGINT', 5_000)
  expect(await leaves.ended).toBe(0)
  client.send(TERMINATE)
  const { code, stdout, stderr } = await following
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/later\n +-+\n +815\n/)
  expect(stdout).toMatch(/end of the record, session closed\n$/)
}, 180_000)

test('events are listed page by page, and who may not read records may not read these', async () => {
  const { id, client } = await session('all', 'shop')
  for (let n = 0; n < 5; n++) await sent(client, [query(`SELECT ${n}`)])
  client.send(TERMINATE)
  await recordingOf(id)
  const token = readFileSync(join(stage.gateway.data, 'operator.token'), 'utf8').trim()
  const get = async (path: string, credential = token) => {
    const answer = await fetch(`${stage.gateway.controlUrl}/api/v1/sessions/${path}`, {
      headers: { authorization: `Bearer ${credential}` },
    })
    return { status: answer.status, body: await answer.text() }
  }
  const seen: number[] = []
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page = JSON.parse((await get(`${id}/events?limit=4&cursor=${cursor}`)).body)
    expect(page.events.length).toBeLessThanOrEqual(4)
    for (const event of page.events) {
      expect(event).not.toHaveProperty('payload')
      seen.push(event.seq)
    }
    cursor = page.next
  }
  expect(seen.length).toBeGreaterThanOrEqual(14)
  expect(new Set(seen).size).toBe(seen.length)
  for (const path of [`${id}/events`, `${id}/replay`])
    expect((await get(path, stage.tokens.all)).status).toBe(403)
  expect((await get('none/replay')).status).toBe(404)
  for (const wrong of ['from=x', 'offset=-1', 'bytes=1e9', 'cursor=1-x'])
    expect((await get(`${id}/replay?${wrong}`)).status).toBe(400)
  const reads = await stage.gateway.eventually(
    `SELECT text FROM admin_actions WHERE text LIKE '%${id}/replay'`,
    (rows) => rows.length > 0,
  )
  expect(reads[0]?.text).toBe(`GET /api/v1/sessions/${id}/replay`)
}, 180_000)
