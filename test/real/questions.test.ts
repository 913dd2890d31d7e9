/** `sluice audit search | questions | save | forget` against a running gateway, as an auditor types them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../lib/gateway.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'
import { query, WireClient } from '../lib/wire-client.ts'

let server: Postgres
let gateway: Gateway

beforeAll(async () => {
  server = await startPostgres()
  server.sql("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
  server.sql('CREATE TABLE people (id int, salary int); GRANT ALL ON people TO app')
  gateway = await startGateway({
    connections: { main: { server, database: 'postgres', user: 'app', password: 'app-secret' } },
  })
  const token = await gateway.token({ subject: 'ci', job: 'nightly' })
  const client = await WireClient.login(gateway.url(token, 'main'), {})
  await client.ask(query('SELECT salary FROM people'))
  await client.ask(query('INSERT INTO people VALUES (1, 2)'))
  await client.ask(query('DROP TABLE people'))
  client.end()
  await gateway.eventually(
    "SELECT count() AS n FROM events WHERE kind = 'close'",
    ([row]) => row?.n === 1,
  )
}, 180_000)

afterAll(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function rows(...words: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await gateway.cli(['audit', ...words, '--json'])
  expect([code, stderr.replace(/^There is more.*\n/, '')]).toEqual([0, ''])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.flatMap((line) => JSON.parse(line))
}

test('search finds by words and flags, page by page', async () => {
  expect((await rows('search', 'salary')).map((row) => [row.subject, row.verb, row.rows])).toEqual([
    ['ci', 'SELECT', 0],
  ])
  expect(await rows('search', 'salary', '--verdict', 'not_allowed')).toEqual([])
  const [dropped] = await rows('search', '--object', 'public.people', '--verdict', 'not_allowed')
  expect(dropped).toMatchObject({ verb: 'DROP', job: 'nightly', status: 'refused' })
  const first = await gateway.cli(['audit', 'search', '--subject', 'ci', '--limit', '2', '--json'])
  expect(first.stdout.trim().split('\n')).toHaveLength(2)
  const cursor = /--cursor (\S+)/.exec(first.stderr)?.[1] ?? ''
  expect(await rows('search', '--subject', 'ci', '--limit', '2', '--cursor', cursor)).toHaveLength(
    1,
  )
  expect(await rows('search', '--since', '1h', '--until', '2020-01-01')).toEqual([])
  const wrong = await gateway.cli(['audit', 'search', '--since', 'yesterday'])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('since')])
})

test('questions are listed, and asked by number or name', async () => {
  const listed = await rows('questions')
  expect(listed).toHaveLength(20)
  expect(await rows('questions', '4', '--with', 'object=public.people')).toMatchObject([
    { subject: 'ci', verb: 'INSERT' },
  ])
  expect(
    await rows('questions', 'refused', '--with', 'subject=ci', '--with', 'since=1h'),
  ).toMatchObject([{ verb: 'DROP', verdict: 'not_allowed' }])
  const table = await gateway.cli(['audit', 'questions'])
  expect(table.stdout).toMatch(/^ID +NAME +FILL IN +ASKS\n1 +subject +subject since=1d +What did/)
  const missing = await gateway.cli(['audit', 'questions', '1'])
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('subject is missing')])
})

test('a question is saved, asked, written anew, and forgotten; a harmful one is not saved', async () => {
  const sql = 'SELECT count() AS n FROM events WHERE verb = {verb:String}\n--: verb = SELECT, which'
  const asks = 'How many of a verb?'
  expect((await gateway.cli(['audit', 'save', 'of-verb', sql, '--asks', asks])).code).toBe(0)
  expect((await rows('questions')).at(-1)).toMatchObject({
    name: 'of-verb',
    asks,
    saved_by: 'operator',
  })
  expect(await rows('questions', 'of-verb')).toEqual([{ n: 2 }])
  expect(await rows('questions', 'of-verb', '--with', "verb=x' OR 1 -- ")).toEqual([{ n: 0 }])
  expect((await gateway.cli(['audit', 'save', 'of-verb', 'SELECT 7 AS n'])).code).toBe(0)
  expect(await rows('questions', 'of-verb')).toEqual([{ n: 7 }])
  for (const harmful of ["SELECT file('/etc/passwd')", 'SELECT * FROM sealed', 'DROP TABLE events'])
    expect((await gateway.cli(['audit', 'save', 'harmful', harmful])).code).toBe(2)
  expect((await gateway.cli(['audit', 'forget', 'of-verb'])).code).toBe(0)
  expect((await gateway.cli(['audit', 'questions', 'of-verb'])).stderr).toContain(
    'no such question',
  )
  const acts = "SELECT status, text FROM admin_actions WHERE status LIKE '%question%' ORDER BY ts"
  const recorded = await gateway.eventually(acts, (found) =>
    found.some((row) => row.status === 'question-forgotten'),
  )
  expect(recorded.map((row) => row.status)).toContain('question-saved')
})
