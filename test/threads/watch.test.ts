import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchFiles } from '../../src/threads/watch.ts'
import { pause, until } from './settings.ts'

test('a file written, replaced, added in a folder or removed is a change; silence is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-watch-'))
  const [file, policies] = [join(folder, 'sluice.yaml'), join(folder, 'policies')]
  writeFileSync(file, 'a')
  mkdirSync(policies)
  let changes = 0
  const watch = watchFiles(
    () => [file, policies],
    () => void changes++,
    20,
  )
  await pause(150)
  expect(changes).toBe(0)
  writeFileSync(file, 'bb')
  await until(() => changes === 1, 'written')
  writeFileSync(`${file}.new`, 'cc')
  renameSync(`${file}.new`, file)
  await until(() => changes === 2, 'replaced')
  writeFileSync(join(policies, 'one.yaml'), 'x')
  await until(() => changes === 3, 'added')
  renameSync(file, `${file}.old`)
  await until(() => changes === 4, 'removed')
  watch.close()
  writeFileSync(file, 'dddd')
  await pause(150)
  expect(changes).toBe(4)
})

test('what is written while a change is taken in is another change', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-watch-'))
  const file = join(folder, 'sluice.yaml')
  writeFileSync(file, 'a')
  let changes = 0
  const watch = watchFiles(
    () => [file],
    () => {
      changes++
      if (changes === 1) writeFileSync(file, 'ccc')
    },
    20,
  )
  await pause(150)
  writeFileSync(file, 'bb')
  await until(() => changes === 2, 'the second change')
  watch.close()
})
