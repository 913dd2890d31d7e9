import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { Client, fixture, pause, REFUSAL, until } from './settings.ts'

let child: ChildProcess | undefined

interface Process {
  readonly child: ChildProcess
  readonly port: number
  log(): string
}

async function begin(): Promise<Process> {
  const one = spawn(process.execPath, [fixture('serve')], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = one
  let log = ''
  one.stderr.on('data', (chunk) => {
    log += String(chunk)
  })
  const [line] = await once(one.stdout, 'data')
  return { child: one, port: Number(String(line)), log: () => log }
}

afterEach(() => child?.kill('SIGKILL'))

test('SIGTERM lets a busy session finish, and the process ends with 0', async () => {
  const one = await begin()
  const [idle, busy] = [new Client(one.port), new Client(one.port)]
  await Promise.all([idle.ask('hi'), busy.ask('busy')])
  one.child.kill('SIGTERM')
  await idle.closed
  expect(await busy.ask('working')).toBe('working')
  busy.socket.end()
  expect(await once(one.child, 'exit')).toEqual([0, null])
  expect(one.log()).not.toContain('cut off')
})

test('a second signal ends it at once; the same key press counted twice does not', async () => {
  const one = await begin()
  const busy = new Client(one.port)
  await busy.ask('busy')
  one.child.kill('SIGINT')
  one.child.kill('SIGINT')
  await until(() => one.log().includes('"say":"draining"'), 'the first to be heard')
  await pause(400)
  expect(await busy.ask('still here')).toBe('still here')
  one.child.kill('SIGINT')
  // Not 0, as after a drain, and not SIGKILL, as when it does not end by itself.
  expect(await once(one.child, 'exit')).toEqual([130, null])
})

test('SIGHUP reloads; a bad reload keeps what runs and names every problem', async () => {
  const one = await begin()
  const client = new Client(one.port)
  expect(await client.ask('version')).toBe('1')
  one.child.kill('SIGHUP')
  await until(() => one.log().includes('"say":"reloaded"'), 'reloaded')
  expect(await client.ask('version')).toBe('2')
  one.child.kill('SIGHUP')
  await until(() => one.log().includes('"say":"reload refused"'), 'refused')
  expect(one.log()).toContain('"line":3')
  expect(await client.ask('version')).toBe('2')
})

test('while it drains nobody is let in, and the words are gone with the listener', async () => {
  const one = await begin()
  const busy = new Client(one.port)
  await busy.ask('busy')
  one.child.kill('SIGTERM')
  await pause(100)
  const late = new Client(one.port)
  await late.closed
  expect(late.text).not.toContain(REFUSAL)
  busy.socket.destroy()
  await once(one.child, 'exit')
})
