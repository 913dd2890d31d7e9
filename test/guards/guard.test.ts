import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAst } from 'vitest/node'
import { faultsOf, namePattern, soundFaults, without } from './guard.ts'
import { GUARDS } from './guards.ts'

test('an edit applies where its text stands once, and nowhere else', () => {
  expect(without('a b c', { from: 'b', to: '' })).toBe('a  c')
  expect(without('a b b', { from: 'b', to: '' })).toBeUndefined()
  expect(without('a', { from: 'b', to: '' })).toBeUndefined()
  expect(without('a', { from: 'a', to: 'a' })).toBeUndefined()
})

test('a guard is shown only by tests that ran and failed, all of them', () => {
  const passed = { name: 'x > SELECT 1', passed: true }
  const failed = { name: 'x > SELECT 2', passed: false }
  expect(faultsOf(['SELECT 2'], [passed, failed])).toEqual([])
  expect(faultsOf(['SELECT'], [passed, failed])).toEqual(['passes without it: x > SELECT 1'])
  expect(faultsOf(['DROP'], [failed])).toEqual(['no test has a name with: DROP'])
  expect(faultsOf(['SELECT'], [])).toEqual(['no test ran'])
  expect(soundFaults(['SELECT 1'], [passed])).toEqual([])
  expect(soundFaults(['SELECT 2', 'DROP'], [failed])).toHaveLength(2)
})

test('names stand for themselves in a pattern', () => {
  const name = 'SELECT count(*) FROM t WHERE a = $1 [x] {y}'
  expect(new RegExp(namePattern(['no', name])).test(`is refused ${name}`)).toBe(true)
})

test('every guard has a name of its own, and cases in files that are there', () => {
  expect(new Set(GUARDS.map(({ id }) => id)).size).toBe(GUARDS.length)
  for (const { id, fails } of GUARDS)
    for (const [file, names] of Object.entries(fails))
      expect([id, file, existsSync(file), names.length > 0]).toEqual([id, file, true, true])
})

test.each(GUARDS.map((guard) => [guard.id, guard] as const))(
  'the text that %s takes away stands in its file once, and what is left can be read',
  (_, guard) => {
    const left = without(readFileSync(guard.file, 'utf8'), guard)
    expect(left).toBeDefined()
    // Of a file that does not load no test runs, and nothing is shown.
    expect(() => parseAst(left!, { lang: 'ts' })).not.toThrow()
  },
)
