import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FileWindow } from '../../src/base/libc.ts'

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
