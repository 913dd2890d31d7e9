/** Masked values of every built-in type, as JDBC reads them. Other drivers: test/real/every-type.test.ts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../lib/child.ts'
import { casesOf, MASKS_OF_EVERY_TYPE, OWN_TYPES, tableOf } from '../../lib/every-type.ts'
import { type Stage, startStage } from '../../lib/stage.ts'

const DRIVER = '/usr/share/java/postgresql.jar'
const CASES = casesOf(15)
const MASKS = Object.keys(MASKS_OF_EVERY_TYPE).map((file) => file.replace('.yaml', ''))
const folder = mkdtempSync(join(tmpdir(), 'sluice-jdbc-'))

let stage: Stage
beforeAll(async () => {
  const source = join(import.meta.dirname, 'MaskedTypes.java')
  const made = await run('/usr/bin/javac', ['-cp', DRIVER, '-d', folder, source], {
    timeoutMs: 120_000,
  })
  expect(made).toMatchObject({ code: 0, stderr: '' })
  stage = await startStage({ aliases: MASKS, gateway: { policies: MASKS_OF_EVERY_TYPE } })
  stage.server.sql(`${OWN_TYPES}${tableOf('every', CASES)}GRANT SELECT ON every TO app`, 'shop')
}, 240_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test.each(MASKS)('JDBC reads what is %s, text and binary', { timeout: 120_000 }, async (mask) => {
  const read = async (form: string) => {
    const url = stage.url('read', mask)
    const words = ['-cp', `${DRIVER}:${folder}`, 'MaskedTypes', url, 'every', form]
    const { code, stdout, stderr } = await run('/usr/bin/java', words, { timeoutMs: 110_000 })
    expect([code, stderr]).toEqual([0, ''])
    return stdout.trimEnd().split('\n')
  }
  const text = await read('text')
  expect(text).toHaveLength(CASES.length * 3)
  const nulls = text.filter((line) => line.startsWith('2 '))
  expect(nulls.every((line) => line.endsWith(' null'))).toBe(true)
  const shown = text.filter((line) => line.startsWith('1 ') && !line.endsWith(' null'))
  const families = new Set(mask === 'gone' ? [] : ['text', 'json', 'uuid', 'bytea'])
  if (mask === 'renamed') families.add('number')
  expect(shown).toHaveLength(CASES.filter((one) => families.has(one.shown)).length)
  expect(await read('binary')).toEqual(text)
})
