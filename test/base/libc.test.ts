import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FileWindow, haveLeft, setCongestionControl, unsentBytes } from '../../src/base/libc.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-window-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what is stored into a window stands in the file at once, and in the next file after it', () => {
  const window = new FileWindow(64 << 10)
  for (const text of ['first', 'second']) {
    const path = join(folder, text)
    const fd = openSync(path, 'wx+')
    window.show(fd)
    expect(window.bytes[0]).toBe(0)
    window.bytes.write(text)
    expect(readFileSync(path, 'utf8').startsWith(text)).toBe(true)
    window.hide()
    ftruncateSync(fd, text.length)
    closeSync(fd)
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
})

test('a window without a file is ordinary memory', () => {
  const window = new FileWindow(64 << 10)
  window.bytes.fill(7)
  expect(window.bytes.every((byte) => byte === 7)).toBe(true)
})

test('a file that may not be written is not shown', () => {
  const path = join(folder, 'read-only')
  closeSync(openSync(path, 'wx'))
  const fd = openSync(path, 'r')
  expect(() => new FileWindow(64 << 10).show(fd)).toThrow('posix_fallocate')
  closeSync(fd)
})

test('pages that are brought in beforehand hold what they held', () => {
  const window = new FileWindow(1 << 20)
  const path = join(folder, 'reached')
  const fd = openSync(path, 'wx+')
  window.show(fd)
  window.bytes.write('here', 100)
  window.reach(200)
  window.bytes.write('there', 300_000)
  window.reach(400_000)
  window.hide()
  closeSync(fd)
  const bytes = readFileSync(path)
  expect(bytes.toString('utf8', 100, 104)).toBe('here')
  expect(bytes.toString('utf8', 300_000, 300_005)).toBe('there')
})

test('a TCP socket takes a congestion control that the kernel has, and no other', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  expect([setCongestionControl(fd, 'reno'), setCongestionControl(fd, 'nosuch')]).toEqual([
    true,
    false,
  ])
  socket.destroy()
  server.close()
})

/** Two ends of a connection of which the first reads nothing, and its descriptor. */
async function unread(): Promise<{ near: Socket; far: Socket; fd: number; close: () => void }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const near = await accepted
  far.on('error', () => {})
  near.on('error', () => {})
  const { fd } = (near as unknown as { _handle: { fd: number } })._handle
  const close = () => {
    near.destroy()
    far.destroy()
    server.close()
  }
  return { near, far, fd, close }
}

test('who has closed or reset is seen behind bytes that nobody has read', async () => {
  const [stays, ends, resets] = [await unread(), await unread(), await unread()]
  const fds = [stays.fd, ends.fd, resets.fd]
  for (const { far } of [stays, ends, resets]) far.write('unread')
  expect(haveLeft(fds)).toEqual([false, false, false])
  ends.far.end()
  resets.far.resetAndDestroy()
  await expect.poll(() => haveLeft(fds)).toEqual([false, true, true])
  expect(haveLeft([])).toEqual([])
  for (const { close } of [stays, ends, resets]) close()
})

test('what was sent and not taken is counted until it is taken', async () => {
  const { near, far, fd, close } = await unread()
  far.pause()
  expect(unsentBytes(fd)).toBe(0)
  const chunk = Buffer.alloc(64 << 10)
  while (near.write(chunk));
  await expect.poll(() => unsentBytes(fd)).toBeGreaterThan(0)
  far.resume()
  await expect.poll(() => unsentBytes(fd)).toBe(0)
  close()
})
