import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ENTRY = fileURLToPath(
  new URL('../../dist/test/accept/fixtures/few-descriptors.js', import.meta.url),
)

function client(port: number): Promise<'open' | 'closed'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve('closed'))
    socket.on('close', () => resolve('closed'))
    socket.on('connect', () => setTimeout(() => resolve('open'), 300))
  })
}

test('out of descriptors the listener says so, and goes on when there are some again', async () => {
  const shell = ['-c', `ulimit -n 48; exec "$0" "$1"`, process.execPath, ENTRY]
  const child = spawn('sh', shell, { stdio: ['pipe', 'pipe', 'pipe'] })
  const output = async () => String((await once(child.stdout, 'data'))[0]).trim()
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += String(chunk)
  })
  const port = Number(await output())
  const first = await Promise.all(Array.from({ length: 60 }, () => client(port)))
  expect(first).toContain('open')
  await expect.poll(() => log, { timeout: 20_000 }).toMatch(/accept failed|no descriptor/)
  child.stdin.write('let go\n')
  expect(Number(await output())).toBeGreaterThan(5)
  expect(await client(port)).toBe('open')
  child.stdin.end()
  await once(child, 'exit')
})
