/** What the verifier says of files of evidence that somebody made by hand; attacks on real records are in tamper.test.ts. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { CANONICAL, CANONICAL_COLUMNS } from '../../src/record/canonical.ts'
import { CONTENT_COLUMNS } from '../../src/record/row-binary.ts'
import { describe, Verifier } from '../../src/replay/verifier.mjs'

const VERIFIER = fileURLToPath(new URL('../../src/replay/verifier.mjs', import.meta.url))
const BEGIN = {
  ...{ sluice: 'evidence', version: 1, canonical: CANONICAL, made: 5 },
  ...{ scope: { type: 'session', session: '01S' }, columns: CANONICAL_COLUMNS },
  contents: CONTENT_COLUMNS.length,
}

test('columns under other names are refused: no digest holds their names', () => {
  const renamed = CANONICAL_COLUMNS.map(([name, type]) => [
    { subject: 'owner', owner: 'subject' }[name] ?? name,
    type,
  ])
  expect(() => new Verifier().line({ ...BEGIN, columns: renamed })).toThrow('columns')
  expect(() => new Verifier().line({ ...BEGIN, contents: 5 })).toThrow('columns')
  expect(() => new Verifier().line(BEGIN)).not.toThrow()
})

test('nothing in a file of evidence is obeyed by the terminal of who verifies it', () => {
  const verifier = new Verifier()
  verifier.line(BEGIN)
  const chain = '\x1b]0;x\x07\u009b2J\u202e'
  verifier.line({ known: [{ source: chain, text: '', signature: '' }] })
  verifier.line({ chain, from: { text: '', peaks: [] } })
  const said = describe(verifier.finish())
  expect(said).toContain('chain \\u{1b}]0;x\\u{7}\\u{9b}2J\\u{202e}')
  expect(said).not.toMatch(/[^\P{C}\n]/u)
})

test('a length without an end, and a leaf that claims to speak for more events than there are, take no time', () => {
  const verifier = new Verifier()
  verifier.line(BEGIN)
  verifier.line({ chain: 'g.c' })
  const endless = Buffer.concat([Buffer.alloc(200, 0x80), Buffer.of(0)]).toString('base64')
  expect(() => verifier.line({ leaves: [], rows: endless })).toThrow('cut off')
  const leaf = ['sluice-leaf-1', 'g.c', 0, 1, 'seg', '01S', 1, 2 ** 53, '', '', '', 'live', 'demo']
  verifier.line({ leaves: [{ text: JSON.stringify(leaf), salt: '', hints: '' }], rows: '' })
  const { findings } = verifier.finish()
  const missing = { kind: 'missing', session: '01S', first: 1, last: 2 ** 53 }
  expect(findings).toContainEqual(expect.objectContaining(missing))
})

test('as a program it judges whatever its file is called', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-verifier-'))
  try {
    const evidence = join(folder, 'evidence.ndjson')
    writeFileSync(evidence, `${JSON.stringify(BEGIN)}\n`)
    for (const name of ['verifier.mjs', 'verifier (1).mjs', 'sluice-check_2.mjs', 'linked.mjs']) {
      const path = join(folder, name)
      if (name === 'linked.mjs') symlinkSync(VERIFIER, path)
      else copyFileSync(VERIFIER, path)
      const { status, stdout } = spawnSync(process.execPath, [path, evidence], { encoding: 'utf8' })
      expect([name, status]).toEqual([name, 1])
      expect(stdout).toContain('the file of evidence is cut off')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
