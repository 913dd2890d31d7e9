/** Who may call what of the control API, what is recorded of it, and what an auditor's calls answer to mistakes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ControlRoom, HELD, RELEASE } from './control-room.ts'

let room: ControlRoom

beforeAll(async () => {
  room = await ControlRoom.start()
})

afterAll(() => room.stop())

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
    const token = await room.tokenFor({ subject: 'someone', ...wanted })
    const done: string[] = []
    for (const [name, [method, path]] of Object.entries(CALLS)) {
      const body = method === 'POST' ? {} : undefined
      const { status } = await room.call(method, path, {
        token,
        ...(body === undefined ? {} : { body }),
      })
      if (status !== 403) done.push(name)
    }
    expect(done.sort()).toEqual([...may].sort())
  })

  test("the host's room.operator may do all of it", async () => {
    for (const [method, path] of Object.values(CALLS))
      expect([401, 403]).not.toContain(
        (await room.call(method, path, { token: room.operator })).status,
      )
  })

  test('a wrong credential is answered after the delay and recorded, its text nowhere', async () => {
    const wrong = `slc_operator_${'A'.repeat(43)}`
    const started = performance.now()
    const reply = await room.call('GET', '/api/v1/whoami', { token: wrong })
    expect(reply.json).toMatchObject({ status: 401, code: 'GW_CREDENTIAL_WRONG' })
    expect(performance.now() - started).toBeGreaterThan(290)
    expect(room.spooled()).toContain('login_refused')
    expect(room.spooled()).not.toContain('AAAAAAAAAA')
  })

  test('every use is an admin event that is on disk before the answer', async () => {
    const marker = 'subject-that-is-recorded'
    const token = await room.tokenFor({ subject: marker, groups: ['watchers'] })
    expect(room.spooled()).toContain(`for ${marker}`)
    await room.call('DELETE', '/api/v1/sessions/s-refused', { token })
    expect(room.spooled()).toContain('DELETE /api/v1/sessions/s-refused')
    expect(room.spooled()).toContain('api-refused')
    for (const secret of [token, room.operator])
      expect(room.spooled()).not.toContain(secret.substring(33))
  })
})

test('who has as many questions running as may be is told so, and others are answered', async () => {
  const query = (token: string, sql: string) =>
    room.call('POST', '/api/v1/audit/query', { token, body: { sql } })
  const [busy, other] = [
    await room.tokenFor({ subject: 'busy', groups: ['auditors'] }),
    await room.tokenFor({ subject: 'other', groups: ['auditors'] }),
  ]
  const running = Array.from({ length: 20 }, () => query(busy, HELD))
  const answered: number[] = []
  for (const one of running) void one.then(({ status }) => answered.push(status))
  // Those beyond the limit are answered at once.
  await expect.poll(() => answered).toEqual(Array(8).fill(429))
  expect((await query(other, RELEASE)).status).not.toBe(429)
  await Promise.all(running)
  expect(answered.filter((status) => status === 429)).toHaveLength(8)
  expect((await query(busy, 'SELECT 1')).status).not.toBe(429)
})

describe('search and questions', () => {
  test('that cannot be understood say every problem at once', async () => {
    const body = { subjct: 'x', since: 'yesterday', limit: 0, cursor: 'x y', text: 'a\0b' }
    const reply = await room.call('POST', '/api/v1/audit/search', { token: room.operator, body })
    expect(reply.status).toBe(400)
    const problems = (reply.json.problems as string[]).join('\n')
    for (const name of ['did you mean subject', 'since:', 'limit:', 'cursor:', 'text:'])
      expect(problems).toContain(name)
  })

  test('of a name that is taken, wrong, or of no question are refused', async () => {
    const save = (body: unknown) =>
      room.call('POST', '/api/v1/audit/questions', { token: room.operator, body })
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
      room.call('POST', `/api/v1/audit/questions/${id}`, { token: room.operator, body })
    expect((await ask('nothing', {})).status).toBe(404)
    expect((await ask('1', {})).json.problems).toEqual(['subject is missing'])
    for (const body of [{ values: [] }, { values: { subject: 7 } }, { values: 'x' }, { value: {} }])
      expect((await ask('1', body)).status).toBe(400)
  })
})
