import { beforeAll, expect, test } from 'vitest'
import { type JobParts, type PolicyJob, runJob } from '../../src/policy/jobs.ts'
import { Unreadable } from '../../src/policy/record-stream.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { schemaSql } from '../corpus/sql/corpus.ts'
import { recorded } from './actions.ts'
import { asked, config, MONITOR, POLICY, setting } from './fixtures.ts'

beforeAll(loadParser)

const FILES = [
  { path: '/p/guard.yaml', text: POLICY },
  { path: '/p/soon.yaml', text: MONITOR },
]

async function run(job: PolicyJob, more: Partial<JobParts> = {}) {
  const settings = { config: config(), policyFiles: FILES, policyVersion: 7 }
  const query = async () => ({ rows: [], cut: false })
  const answer = await runJob(job, { settings, query, now: Date.UTC(2026, 10, 21), ...more })
  return answer.type === 'done' ? JSON.parse(answer.body) : answer
}

test('the policies in force are listed', async () => {
  const page = await run({ type: 'list', after: '', limit: 10 })
  expect(page).toMatchObject({
    version: 7,
    next: null,
    policies: [{ name: 'shop-guard' }, { name: 'soon' }],
  })
})

test('a statement is explained under them, or under a candidate', async () => {
  const explain = { type: 'explain', schema: schemaSql() } as const
  const drop = asked('DROP TABLE orders', { roles: ['dba'] })
  const today = await run({ ...explain, asked: drop, candidate: undefined })
  expect(today.verdict).toMatchObject({ verdict: 'deny', rule: 'shop-guard/no-drop' })
  const candidate = [{ path: 'c.yaml', text: POLICY.replace('id: no-drop', 'id: never') }]
  expect((await run({ ...explain, asked: drop, candidate })).verdict.rule).toBe('shop-guard/never')
  const masked = await run({
    ...explain,
    asked: asked('SELECT email FROM customers'),
    candidate: undefined,
  })
  const [output] = masked.statements[0].outputs
  expect(output).toMatchObject({ name: 'email', from: ['public.customers.email'] })
  expect(output.masked).toMatch(/hash/)
})

test('what is wrong with a candidate or a schema is said, all of it', async () => {
  const text = `${POLICY.replace('then: deny', 'then: denny').replace('sql.bounded', 'sql.bundled')}`
  const candidate = [{ path: 'c.yaml', text }]
  const refused = await run({ type: 'explain', asked: asked('SELECT 1'), schema: '', candidate })
  expect(refused.type).toBe('wrong')
  expect(refused.problems.join('\n')).toMatch(/c\.yaml:\d+:\d+ .*\n.*bounded/)
  const schema = await run({
    type: 'explain',
    asked: asked('SELECT 1'),
    schema: 'CREATE TABLE (',
    candidate: undefined,
  })
  expect(schema).toMatchObject({ type: 'wrong', say: 'The schema is refused.' })
})

test('a candidate is tried on the record', async () => {
  const shop = setting(POLICY)
  const { count, database, statement, actionId, ...rest } = recorded(
    shop,
    'DELETE FROM orders WHERE id = 7',
    {},
    5,
  )
  const row = {
    ...rest,
    n: count,
    target_database: database,
    sample: statement,
    sample_id: actionId,
  }
  const query = async (sql: string) => ({
    rows: sql.includes('AS bucket') ? [{ bucket: 0, n: 5 }] : [row],
    cut: false,
  })
  const candidate = [
    { path: 'c.yaml', text: POLICY.replace("sql.by_key', then: allow", "sql.by_key', then: deny") },
  ]
  const job = { type: 'backtest', candidate, sinceMs: 1000, connection: '' } as const
  expect(await run(job, { query })).toMatchObject({
    actions: 5,
    transitions: { 'allow-to-deny': 5 },
  })
  const gone = async () => Promise.reject(new Unreadable('There is no record to read.'))
  expect(await run(job, { query: gone })).toMatchObject({
    type: 'wrong',
    say: 'There is no record to read.',
  })
  const broken = async () => Promise.reject(new Error('down'))
  await expect(run(job, { query: broken })).rejects.toThrow('down')
})
