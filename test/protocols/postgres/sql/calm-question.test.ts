import { expect, test } from 'vitest'
import { calm } from '../../../../src/protocols/postgres/sql/calm-question.ts'

test('the settings end with the question, and the question stands last', () => {
  const statements = calm('SELECT 1').split('; ')
  expect(statements.at(-1)).toBe('SELECT 1')
  expect(statements.length).toBeGreaterThan(2)
  for (const one of statements.slice(0, -1)) expect(one).toMatch(/^SET LOCAL \w+ = \w+$/)
})
