import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverUser } from '../../src/demo/system-user.ts'
import { type Child, run, start } from '../lib/child.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'))
const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const blocker = createServer()
let gateway: Child | undefined
let printed: string

/** What `npm start` runs after its set-up, in a folder without a configuration. */
async function serve(): Promise<{ child: Child; line: string }> {
  const child = start(process.execPath, [join(dist, 'src/cli/main.js'), 'serve'], { cwd: folder })
  const [line = ''] = await child.until(/psql "postgres:[^"]*"/, 60_000)
  return { child, line }
}

function psql(line: string, sql: string) {
  return run('bash', ['-c', `${line} -XAt -c "$1"`, 'bash', sql])
}

beforeAll(async () => {
  // The usual port is taken, here or by another gateway.
  await new Promise<void>((resolve) => {
    blocker.once('error', () => resolve())
    blocker.listen(15432, '127.0.0.1', resolve)
  })
  const started = await serve()
  gateway = started.child
  printed = started.line
})

afterAll(async () => {
  await gateway?.stop('SIGINT')
  blocker.close()
  const server = serverUser(join(folder, 'var/demo/postgres')).folder
  for (const path of [folder, server]) rmSync(path, { recursive: true, force: true })
})

test('the printed line works as it is, masked, on a port that is free', async () => {
  expect(gateway?.output()).toContain('(port 15432 is taken)')
  const found = await psql(
    printed,
    'SELECT id, name, email, ssn, card FROM customers WHERE id = 42',
  )
  expect(found.stderr).toBe('')
  expect(found.stdout).toMatch(/^42\|Chiara Eriksen\|/)
  expect(found.stdout).not.toMatch(/example\.com|043-|4000/)
})

test('the suggested DROP is refused with the reason, and the table is still there', async () => {
  const refused = await psql(printed, 'DROP TABLE orders')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('drop')
  expect((await psql(printed, 'SELECT count(*) FROM orders')).stdout).toBe('300000\n')
})

test('the command runs where the build has put it, as npx does', async () => {
  expect(await run(join(dist, 'src/cli/main.js'), ['--help'])).toMatchObject({ code: 0 })
})

test('the scripted agent plays on the running gateway and shows the record', async () => {
  const demo = await run(process.execPath, [join(dist, 'src/demo/demo.js')], {
    cwd: folder,
    timeoutMs: 60_000,
  })
  expect(demo.stderr).toBe('')
  expect(demo.code).toBe(0)
  const [story = '', record = ''] = demo.stdout.split('What ClickHouse holds of it:')
  expect(story).toContain('refused 42501')
  expect(story + record).not.toMatch(/@example\.com|4000000/)
  expect(record).toMatch(/SELECT .*allow/)
  expect(record).toMatch(/DROP .*denied/)
  expect(record).toMatch(/DELETE .*unbounded-write/)
})

test('Ctrl-C stops everything, and the next start has a new token and revokes the former', async () => {
  await gateway?.stop('SIGINT')
  expect(await gateway?.ended).toBe(0)
  const server = serverUser(join(folder, 'var/demo/postgres')).folder
  const left = await run('pgrep', ['-f', '--', `-D ${server}`])
  expect(left.stdout).toBe('')
  const again = await serve()
  gateway = again.child
  expect(again.line).not.toBe(printed)
  const port = /:(\d+)\/demo/.exec(again.line)?.[1]
  const former = printed.replace(/:\d+\/demo/, `:${port}/demo`)
  expect((await psql(former, 'SELECT 1')).stderr).toContain('The credential is not valid.')
  expect((await psql(again.line, 'SELECT 1')).stdout).toBe('1\n')
})
