/** The built command against a control thread that really runs: what is printed where, and the exit codes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel, MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import type { ControlNews, ControlWorkerData } from '../../src/control/thread.ts'
import type { ShipAnswer, ShipRequest } from '../../src/record/ship-messages.ts'
import { run } from '../lib/child.ts'
import { freePort } from '../lib/free-port.ts'
import { built } from '../lib/gateway.ts'

const ENTRY = built('src/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
const path = join(folder, 'sluice.yaml')
let worker: Worker
let url = ''

const EVIL = 'agent\u001b]0;owned\u0007\nsecond line'

/** The ship thread's side: the questions of an audit query, and sessions. */
function serveStore(port: MessagePort): void {
  port.on('message', (request: ShipRequest) => port.postMessage(answerTo(request)))
}

function answerTo(request: ShipRequest): ShipAnswer {
  const { id } = request
  if (request.type === 'explain')
    return { type: 'failed', id, message: 'Syntax error: near nonsense', exception: 62 }
  if (request.type !== 'query') return { type: 'failed', id, message: 'x', exception: undefined }
  if (request.sql.includes('formatQuerySingleLine'))
    return { type: 'rows', id, rows: [{ formatted: 'SELECT 1' }] }
  if (Object.values(request.params).includes('gone')) return { type: 'rows', id, rows: [] }
  return { type: 'rows', id, rows: [{ session_id: 's1', subject: EVIL, status: 'open' }] }
}

/** Starts workers/control.ts on `data`; resolves with its news when it is up, or when it gave up. */
async function startControl(data: string, listen: string): Promise<[Worker, ControlNews[]]> {
  const text = `data: ${data}\ncontrol: { listen: "${listen}" }\nroles: { agents: { members: ["subject:*"], connections: ["*"], allow: [read] } }\n`
  writeFileSync(path, text)
  const read = readConfig({ path, text, cores: 1 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const spoolFolder = join(read.config.data, 'spool')
  mkdirSync(spoolFolder, { recursive: true, mode: 0o700 })
  const { port1, port2 } = new MessageChannel()
  serveStore(port2)
  port2.unref()
  const workerData: ControlWorkerData = {
    settings: { config: read.config, policyVersion: 1, policyFiles: [] },
    instance: 'test',
    spoolFolder,
    recordKey: new Uint8Array(32),
    store: port1,
  }
  const options = {
    workerData,
    transferList: [port1],
    env: { ...process.env, SLUICE_LOG: 'silent' },
  }
  const started = new Worker(built('workers/control.js'), options)
  const news: ControlNews[] = []
  await new Promise<void>((resolve, reject) => {
    started.on('error', reject)
    started.on('message', (one: ControlNews) => {
      news.push(one)
      if (one.type !== 'control-listening') resolve()
    })
  })
  return [started, news]
}

async function sluice(
  args: readonly string[],
  more: { config?: boolean; env?: NodeJS.ProcessEnv } = {},
) {
  const config = more.config === false ? [] : ['--config', path]
  const env = { ...process.env, SLUICE_TOKEN: undefined, SLUICE_CONFIG: undefined, ...more.env }
  return run(process.execPath, [ENTRY, ...args, ...config], { cwd: folder, env })
}

beforeAll(async () => {
  if (!existsSync(ENTRY)) throw new Error('not built: npm run build')
  const port = await freePort()
  const [started, news] = await startControl('./var', `127.0.0.1:${port}`)
  worker = started
  const listening = news.find((one) => one.type === 'control-listening')
  url = listening?.type === 'control-listening' ? listening.url : JSON.stringify(news)
})

afterAll(async () => {
  await worker?.terminate()
  rmSync(folder, { recursive: true, force: true })
})

describe('sluice token', () => {
  test('issue prints the token and nothing else', async () => {
    const { code, stdout, stderr } = await sluice([
      'token',
      'issue',
      '--subject',
      'ci',
      '--job',
      'j',
      '--ttl',
      '5m',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^slc_[0-9A-Z]{26}_[A-Za-z0-9_-]{43}\n$/)
  })

  test('issue with wrong flags says all that is wrong and exits 2', async () => {
    const { code, stdout, stderr } = await sluice([
      'token',
      'issue',
      '--subject',
      'x',
      '--roles',
      'agnts',
      '--ttl',
      'soon',
    ])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('did you mean agents')
    expect(stderr).toContain('ttl:')
    expect((await sluice(['token', 'issue'])).code).toBe(2)
    expect((await sluice(['token', 'isue'])).code).toBe(2)
  })

  test('list shows every token and no secret; revoke ends one', async () => {
    const token = (await sluice(['token', 'issue', '--subject', 'listed'])).stdout.trim()
    const [, id = '', secret = ''] = /^slc_([^_]+)_(.*)$/.exec(token) ?? []
    const rows = JSON.parse((await sluice(['token', 'list', '--json'])).stdout) as { id: string }[]
    expect(rows.map((row) => row.id)).toContain(id)
    const shown = (await sluice(['token', 'list'])).stdout
    expect(shown).toContain('listed')
    expect(shown).not.toContain(secret)
    const env = { SLUICE_TOKEN: token }
    const mine = await sluice(['whoami', '--url', url, '--json'], { config: false, env })
    expect(JSON.parse(mine.stdout)).toMatchObject({ subject: 'listed', roles: ['agents'] })
    expect((await sluice(['token', 'revoke', token])).code).toBe(0)
    const after = await sluice(['whoami', '--url', url], { config: false, env })
    expect({ code: after.code, stderr: after.stderr }).toEqual({
      code: 2,
      stderr: 'The credential is not valid.\n',
    })
    expect((await sluice(['token', 'revoke', 'NOSUCH'])).code).toBe(2)
  })
})

describe('sluice sessions and audit', () => {
  test('print recorded text so that a terminal obeys none of it', async () => {
    const { stdout } = await sluice(['sessions', 'list'])
    expect(stdout).toContain('agent\\x1b]0;owned\\x07\\nsecond line')
    expect(stdout).not.toContain('\u001b')
    expect(JSON.parse((await sluice(['sessions', 'list', '--json'])).stdout)[0].subject).toBe(EVIL)
    expect((await sluice(['sessions', 'show', 's1'])).stdout).toMatch(/^session_id +s1$/m)
    expect((await sluice(['sessions', 'show', 'gone'])).code).toBe(2)
    expect(await sluice(['sessions', 'kill', 's1'])).toMatchObject({
      code: 2,
      stderr: 'No session of this id is open.\n',
    })
    const worker = new BroadcastChannel('sluice')
    worker.onmessage = () => worker.postMessage({ type: 'ended', sessionId: 's1' })
    expect((await sluice(['sessions', 'kill', 's1'])).code).toBe(0)
    worker.close()
    expect((await sluice(['sessions', 'show', '../tokens'])).code).toBe(2)
    expect((await sluice(['sessions', 'list', '--limit', 'x'])).code).toBe(2)
  })

  test('a query that the store refuses exits 2 with its message', async () => {
    const { code, stderr } = await sluice(['audit', 'query', 'nonsense'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'Syntax error: near nonsense\n' })
  })
})

describe('finding the gateway', () => {
  test('without one exits 3, whether there never was one or it was killed', async () => {
    const other = join(folder, 'other')
    mkdirSync(join(other, 'var'), { recursive: true })
    const config = join(other, 'sluice.yaml')
    writeFileSync(config, 'data: ./var\n')
    const call = () => sluice(['whoami', '--config', config], { config: false })
    expect(await call()).toMatchObject({ code: 3, stdout: '' })
    // Left behind by a gateway that was killed, and somebody else has the port now: no token is sent.
    writeFileSync(join(other, 'var', 'control.json'), JSON.stringify({ url, pid: 2 ** 22 + 1 }))
    writeFileSync(
      join(other, 'var', 'operator.token'),
      readFileSync(join(folder, 'var', 'operator.token')),
    )
    expect((await call()).code).toBe(3)
    const dead = await sluice(['whoami', '--url', 'http://127.0.0.1:1'], {
      config: false,
      env: { SLUICE_TOKEN: 'x' },
    })
    expect(dead.code).toBe(3)
  })

  test('sends no token in clear to another host, and needs one at all', async () => {
    const far = await sluice(['whoami', '--url', 'http://sluice.example.com'], {
      env: { SLUICE_TOKEN: 'x' },
    })
    expect(far).toMatchObject({
      code: 2,
      stderr: '--url: a token is sent by https only, or to this host.\n',
    })
    expect((await sluice(['whoami', '--url', url])).code).toBe(2)
  })

  test('with a wrong configuration exits 2 with every problem and its line', async () => {
    const wrong = join(folder, 'wrong.yaml')
    writeFileSync(wrong, 'datta: ./var\nworkers: many\n')
    for (const verb of ['check', 'serve', 'whoami']) {
      const { code, stderr } = await sluice([verb, '--config', wrong], { config: false })
      expect({ verb, code }).toEqual({ verb, code: 2 })
      expect(stderr).toMatch(/wrong\.yaml:1:/)
      expect(stderr).toMatch(/wrong\.yaml:2:/)
    }
    // For machines they are one object, whichever side of the verb the flag stands on.
    for (const words of [
      ['check', '--json'],
      ['--json', 'policy', 'check'],
    ]) {
      const json = await sluice([...words, '--config', wrong], { config: false })
      expect([json.code, json.stderr]).toEqual([2, ''])
      const { problems } = JSON.parse(json.stdout) as { problems: Record<string, unknown>[] }
      expect(problems.map(({ line, path }) => [line, path])).toEqual([
        [1, 'datta'],
        [2, 'workers'],
      ])
    }
  })
})

describe('sluice check, policy check and doctor', () => {
  test('say what is fine, and what is not with exit code 2 or 1', async () => {
    expect(await sluice(['check'])).toMatchObject({ code: 0, stderr: '' })
    const policy = join(folder, 'p.yaml')
    writeFileSync(
      policy,
      'apiVersion: sluice/v1\nkind: Policy\nname: p\nrules: [{ id: r, when: "sql.wites", then: deny }]\n',
    )
    const refused = await sluice(['policy', 'check', policy])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('p.yaml:4')
    expect((await sluice(['policy', 'check', join(folder, 'none')])).code).toBe(2)
    const doctor = await sluice(['doctor', '--json'])
    const findings = JSON.parse(doctor.stdout) as { about: string; state: string }[]
    expect(findings).toContainEqual(expect.objectContaining({ about: 'gateway', state: 'ok' }))
    expect(findings).toContainEqual(expect.objectContaining({ about: 'node', state: 'ok' }))
  })
})

describe('the control thread', () => {
  test('says in one line that its port is taken, and ends by itself', async () => {
    const before = readFileSync(path, 'utf8')
    const [second, news] = await startControl('./second', new URL(url).host)
    const ended = new Promise((resolve) => second.once('exit', resolve))
    expect(news).toEqual([
      {
        type: 'control-failed',
        say: `The control listener cannot listen on ${new URL(url).host}: it is taken.`,
      },
    ])
    expect(await ended).toBe(0)
    writeFileSync(path, before)
  })

  test('ends cleanly when told to, and takes its address with it', async () => {
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ type: 'stop', deadline: Date.now() + 5000 })
    expect(await ended).toBe(0)
    expect(existsSync(join(folder, 'var', 'control.json'))).toBe(false)
    expect((await sluice(['whoami'])).code).toBe(3)
  })
})
