import { expect, test } from 'vitest'
import { policyRoutes } from '../../../src/control/api/policies.ts'
import type { Call } from '../../../src/control/api/route.ts'
import type { JobAnswer, PolicyJob } from '../../../src/policy/jobs.ts'
import { config } from '../../policy/fixtures.ts'

const caller = { name: 'ann', credentialId: 'T1', identity: undefined, api: [], address: '' }
const jobs: PolicyJob[] = []
let next: JobAnswer | undefined = { type: 'done', body: '{"fine":true}' }
const routes = policyRoutes({
  config,
  work(job) {
    jobs.push(job)
    return next === undefined ? undefined : Promise.resolve(next)
  },
})

async function call(path: string, body: unknown, query = '') {
  const route = routes.find((one) => one.path.endsWith(path))
  if (route === undefined) throw new Error(path)
  const asked: Call = { caller, id: '', query: new URLSearchParams(query), body }
  const answer = await route.handle(asked)
  return { status: answer.status, json: JSON.parse(answer.body), job: jobs.at(-1) }
}

const STATEMENT = { connection: 'shop', statement: 'SELECT 1' }
const FILE = { path: 'a.yaml', text: 'x' }

test('who may look may list and explain; who may read the record may try a candidate on it', () => {
  expect(routes.map(({ method, path, needs }) => `${method} ${path} ${needs}`)).toEqual([
    'GET /api/v1/policies view',
    'POST /api/v1/policies/explain view',
    'POST /api/v1/policies/backtest audit',
  ])
})

test('questions are read as they were asked', async () => {
  expect((await call('/policies', undefined, 'limit=7&cursor=b')).job).toEqual({
    type: 'list',
    after: 'b',
    limit: 7,
  })
  expect((await call('/policies', undefined, 'limit=1e9')).job).toMatchObject({ limit: 500 })
  const more = {
    as: 'ci',
    roles: ['agents'],
    params: ['1\n'],
    in_transaction: true,
    kind: 'human',
    schema: 'x',
  }
  expect((await call('/explain', { ...STATEMENT, ...more, candidate: [FILE] })).job).toMatchObject({
    type: 'explain',
    asked: {
      subject: 'ci',
      roles: ['agents'],
      params: ['1\n'],
      inTransaction: true,
      kind: 'human',
    },
    schema: 'x',
    candidate: [FILE],
  })
  const { job } = await call('/backtest', { candidate: [FILE], since: '6h', connection: 'lab' })
  expect(job).toEqual({
    type: 'backtest',
    candidate: [FILE],
    sinceMs: 21_600_000,
    connection: 'lab',
  })
})

test('what is wrong is said at once, and no work is done', async () => {
  const before = jobs.length
  const wrong: [string, unknown, RegExp][] = [
    ['/explain', undefined, /expected a JSON object/],
    ['/explain', {}, /statement: is missing.*connection: is missing/],
    ['/explain', { ...STATEMENT, connection: 'shup' }, /connection: .*did you mean shop/],
    ['/explain', { ...STATEMENT, roles: ['agent'] }, /did you mean agents/],
    ['/explain', { ...STATEMENT, parms: [] }, /unknown field/],
    ['/explain', { ...STATEMENT, params: [1] }, /params: expected a list/],
    ['/explain', { ...STATEMENT, in_transaction: 'yes' }, /in_transaction/],
    ['/explain', { ...STATEMENT, candidate: [] }, /candidate: expected/],
    ['/explain', { ...STATEMENT, statement: 'x'.repeat(600_000) }, /statement: expected a text/],
    ['/backtest', {}, /candidate: is missing/],
    ['/backtest', { candidate: [FILE, FILE] }, /each path once/],
    ['/backtest', { candidate: [{ ...FILE, more: 1 }] }, /candidate: expected/],
    ['/backtest', { candidate: [{ path: 'a\u001b[2J', text: 'x' }] }, /candidate: expected/],
    ['/backtest', { candidate: [FILE], since: 'long' }, /since: expected a duration/],
    [
      '/backtest',
      { candidate: [FILE], connection: "x' OR 1" },
      /connection: there is no such name/,
    ],
  ]
  for (const [path, body, expected] of wrong) {
    const { status, json } = await call(path, body)
    expect(status).toBe(400)
    expect(json.problems.join(' ')).toMatch(expected)
  }
  expect(jobs).toHaveLength(before)
})

test('a fault of the question is a problem document, and who comes too many is told to wait', async () => {
  next = { type: 'wrong', say: 'The candidate is refused.', problems: ['a.yaml:1:1 no'] }
  expect(await call('/backtest', { candidate: [FILE] })).toMatchObject({
    status: 400,
    json: { detail: 'The candidate is refused.', problems: ['a.yaml:1:1 no'] },
  })
  next = undefined
  expect((await call('/policies', undefined)).status).toBe(429)
})
