import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeEmptyDefinitions } from '../../src/record/empty-definitions.ts'

const [BASE, KEPT, LOST] = ['1', '2', '3'].map((n) => `${n}1111111-1111-4111-8111-111111111111`)
const folderOf = (uuid: string) => `store/${uuid.substring(0, 3)}/${uuid}`

let store: string
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'sluice-definitions-'))
  put('metadata/sluice.sql', `ATTACH DATABASE _ UUID '${BASE}'`)
  put(`${folderOf(BASE!)}/events.sql`, `ATTACH TABLE _ UUID '${KEPT}'`)
  put(`${folderOf(KEPT!)}/202611_1_1_0/data.bin`, 'rows')
})
afterEach(() => rmSync(store, { recursive: true, force: true }))

function put(path: string, text: string): string {
  const file = join(store, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

test('a whole store, and none at all, stay as they are', () => {
  expect(removeEmptyDefinitions(store)).toBe(0)
  expect(removeEmptyDefinitions(join(store, 'none'))).toBe(0)
})

test('an empty definition goes where no rows lie under it', () => {
  const file = put(`${folderOf(BASE!)}/instances.sql`, '')
  put(`${folderOf(LOST!)}/format_version.txt`, '1')
  expect(removeEmptyDefinitions(store)).toBe(1)
  expect(existsSync(file)).toBe(false)
})

test('with rows that no definition names it stays, and one line says what to do', () => {
  const file = put(`${folderOf(BASE!)}/instances.sql`, '')
  put(`${folderOf(LOST!)}/all_1_1_0/data.bin`, 'rows')
  expect(() => removeEmptyDefinitions(store)).toThrow(/is empty, and the rows in .*from a backup/)
  expect(existsSync(file)).toBe(true)
})

test('an empty definition of the database loses all of its tables', () => {
  put('metadata/sluice.sql', '')
  expect(() => removeEmptyDefinitions(store)).toThrow('from a backup')
})
