import { expect, test } from 'vitest'
import { again, calm, unhurried } from '../../../../src/protocols/postgres/sql/calm-question.ts'

test.each([
  ['outside a transaction', calm('SELECT 1'), 'SELECT 1'],
  ['with few settings', calm('SELECT 1', 'few'), 'SELECT 1'],
  ['inside one', unhurried('SELECT 1'), 'RELEASE SAVEPOINT sluice_question'],
])('settings end with the question: %s', (_, text, last) => {
  const statements = text.split('; ')
  const own = /^(SAVEPOINT|ROLLBACK TO SAVEPOINT|RELEASE SAVEPOINT) sluice_question$|^SELECT 1$/
  expect(statements.at(-1)).toBe(last)
  expect(statements.filter((one) => own.test(one)).length).toBe(text.includes('SAVE') ? 4 : 1)
  const settings = statements.filter((one) => !own.test(one))
  expect(settings).toContain('SET LOCAL statement_timeout = 0')
  for (const one of settings) expect(one).toMatch(/^SET LOCAL \w+ = (\w+|'read committed')$/)
})

test('a question that was cancelled goes back to where it began, once', () => {
  const second = again(unhurried('SELECT 1'))
  expect(second).toMatch(/^ROLLBACK TO SAVEPOINT \w+; RELEASE SAVEPOINT \w+; SAVEPOINT/)
  expect(again(second)).toBe(second)
})
