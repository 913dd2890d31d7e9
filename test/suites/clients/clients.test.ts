/**
 * Clients in other languages. Each is a program that does what its driver can and prints what it saw: through the
 * gateway that must be, to the letter, what it sees without it. Then it meets refusals and masks in its own way.
 *
 * `SLUICE_PYTHON` names another Python, to try other versions of its drivers than Debian's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../lib/child.ts'
import { type Stage, startStage } from '../../lib/stage.ts'

const PYTHON = process.env.SLUICE_PYTHON ?? '/usr/bin/python3'
const folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'))
const here = (name: string): string => join(import.meta.dirname, name)
const built = (name: string): string => join(folder, name)

const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  asyncpg: [PYTHON, here('asyncpg_client.py')],
  'psycopg 3': [PYTHON, here('psycopg_client.py')],
  SQLAlchemy: [PYTHON, here('sqlalchemy_client.py')],
  Django: [PYTHON, here('django_client.py')],
  JDBC: ['/usr/bin/java', '-cp', `/usr/share/java/postgresql.jar:${folder}`, 'JdbcClient'],
  pgx: [built('pgx')],
}

let stage: Stage
beforeAll(async () => {
  await build('/usr/bin/javac', [
    '-cp',
    '/usr/share/java/postgresql.jar',
    '-d',
    folder,
    here('JdbcClient.java'),
  ])
  await build('/usr/bin/go', ['build', '-o', built('pgx'), here('pgx_client.go')])
  stage = await startStage({ postgres: { config: ["timezone = 'UTC'"] } })
}, 300_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Debian's packages of Go sources are no modules. */
async function build(program: string, args: readonly string[]): Promise<void> {
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: built('go-cache'),
    GOROOT: '',
  }
  const { code, stdout, stderr } = await run(program, args, { env, timeoutMs: 240_000 })
  if (code !== 0) throw new Error(`${program}: ${code}\n${stdout}${stderr}`)
}

describe.each(Object.entries(CLIENTS))('%s', (_, [program = '', ...first]) => {
  const call = (...args: string[]) => run(program, [...first, ...args], { timeoutMs: 110_000 })

  test('sees through the gateway what it sees without it', { timeout: 240_000 }, async () => {
    const direct = await call('same', stage.direct)
    expect([direct.stderr, direct.code]).toEqual(['', 0])
    expect(direct.stdout.split('\n').length).toBeGreaterThan(50)
    const through = await call('same', stage.url('write'))
    expect([through.stderr, through.code]).toEqual(['', 0])
    expect(through.stdout.split('\n')).toEqual(direct.stdout.split('\n'))
  })

  test('shows a refusal and a masked value in its own way', { timeout: 120_000 }, async () => {
    const answer = await call('guard', stage.url('read'), stage.url('read', 'masked'))
    expect(answer).toEqual({ code: 0, stdout: 'fine\n', stderr: '' })
  })
})
