import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { resolveSecret } from '../../src/dial/secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-secret-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): { file: string } {
  const path = join(folder, name)
  writeFileSync(path, text)
  return { file: path }
}

describe('a reference to a secret', () => {
  test('loses one newline at the end of a file and nothing else', () => {
    expect(resolveSecret(file('a', 'pass word\n'))).toBe('pass word')
    expect(resolveSecret(file('b', ' x \r\n'))).toBe(' x ')
    expect(resolveSecret(file('c', 'x\n\n'))).toBe('x\n')
  })

  test('is read again after a few seconds, so that a rotated file counts', () => {
    const reference = file('rotated', 'old')
    expect(resolveSecret(reference, 0)).toBe('old')
    file('rotated', 'new')
    expect(resolveSecret(reference, 4999)).toBe('old')
    expect(resolveSecret(reference, 5001)).toBe('new')
  })

  test('that cannot be resolved names the reference and no content', () => {
    delete process.env.SLUICE_TEST_NONE
    const bad = [
      { env: 'SLUICE_TEST_NONE' },
      { file: join(folder, 'none') },
      { file: folder },
      { file: '/dev/zero' },
      file('empty', '\n'),
      file('large', 'x'.repeat(70_000)),
    ]
    for (const reference of bad) {
      const name = 'env' in reference ? reference.env : reference.file
      const wanted = { code: 'GW_UNAVAILABLE', message: expect.stringContaining(name) }
      expect(() => resolveSecret(reference)).toThrow(expect.objectContaining(wanted))
    }
  })
})
