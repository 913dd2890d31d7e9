import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diskProblem } from '../../src/base/disk.ts'

test('a folder is tried, not asked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  expect(diskProblem(folder, 1)).toBeUndefined()
  expect(diskProblem(folder, 1)).toBeUndefined()
  expect(diskProblem(folder, 2 ** 60)).toBe('ENOSPC')
  rmSync(folder, { recursive: true })
  expect(diskProblem(folder, 1)).toBe('ENOENT')
  // The mode says that root may write there.
  expect(diskProblem('/proc/self', 0)).toMatch(/^E[A-Z]+$/)
})
