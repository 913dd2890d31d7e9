import { expect, test } from 'vitest'
import { crashFacts, StartError } from '../../src/threads/start-error.ts'

test('a start error carries its sentence and its cause', () => {
  const cause = new Error('EACCES')
  expect(new StartError('No room.', cause)).toMatchObject({ message: 'No room.', cause })
})

test('what is logged of a crash says where and not what was being worked on', () => {
  let error: unknown
  try {
    JSON.parse('SELECT secret')
  } catch (caught) {
    error = caught
  }
  const facts = crashFacts(error)
  expect(facts.kind).toBe('SyntaxError')
  expect(facts.at?.length).toBeGreaterThan(0)
  expect(JSON.stringify(facts)).not.toContain('secret')
  expect(crashFacts('secret')).toEqual({ kind: 'string' })
})
