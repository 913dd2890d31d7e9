import { expect, test } from 'vitest'
import { STEPS, tableOf } from '../../src/demo/script.ts'

test('a table has its columns aligned and shows what is missing', () => {
  const rows = [
    { id: 1, name: 'Ada' },
    { id: 20_000, name: null },
  ]
  expect(tableOf(rows)).toBe('id     name\n1      Ada\n20000  -')
  expect(tableOf([])).toBe('')
})

test('every step says what it is about', () => {
  expect(STEPS.filter(({ says, sql }) => says === '' || sql === '')).toEqual([])
})
