import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  closeDescriptor,
  descriptorsMax,
  duplicate,
  lockFile,
} from '../../src/accept/descriptor.ts'

test('a duplicate outlives its socket and is closed on exec', async () => {
  const server = createServer({ pauseOnConnect: true })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  const client = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  client.on('error', () => {})
  const socket = await accepted
  const fd = duplicate(socket)!
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(fstatSync(fd).isSocket()).toBe(true)
  const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))
  expect(Number.parseInt(flags![1]!, 8) & 0o2000000).not.toBe(0)
  expect(duplicate(socket)).toBeUndefined()
  closeDescriptor(fd)
  closeDescriptor(fd) // The second time is a bug of the caller's, but no crash.
  expect(() => fstatSync(fd)).toThrow('EBADF')
  client.destroy()
  server.close()
})

test('a file is locked once, until its descriptor is closed', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-lock-')), 'lock')
  const [first, second] = [openSync(path, 'a+'), openSync(path, 'a+')]
  expect([lockFile(first), lockFile(second)]).toEqual([true, false])
  closeSync(first)
  expect(lockFile(second)).toBe(true)
  closeSync(second)
})

test('the limit of open files is a number', () => {
  expect(descriptorsMax()).toBeGreaterThan(100)
})
