import { expect, test } from 'vitest'
import { assert, ERRORS, GatewayError } from '../../src/base/errors.ts'

test('what a client reads is the sentence of the table, never the message of the log', () => {
  const error = new GatewayError('GW_UPSTREAM_UNREACHABLE', 'connect ECONNREFUSED 10.0.0.5:5432')
  expect(error.say).toBe(ERRORS.GW_UPSTREAM_UNREACHABLE.say)
  expect(error.spec.side).toBe('upstream')
  expect(new GatewayError('GW_INTERNAL', 'x', { say: 'Named.' }).say).toBe('Named.')
})

test('a foreign error becomes an internal one that keeps its cause and says nothing of it', () => {
  const cause = new TypeError("password 'hunter2' is wrong")
  const error = GatewayError.from(cause)
  expect(error.code).toBe('GW_INTERNAL')
  expect(error.cause).toBe(cause)
  expect(error.say).not.toContain('hunter2')
  expect(GatewayError.from(error)).toBe(error)
  expect(GatewayError.from('thrown text').message).toBe('thrown text')
})

test('every sentence is one, and names no address', () => {
  for (const { say } of Object.values(ERRORS)) {
    expect(say).toMatch(/^[A-Z].*\.$/)
    expect(say).not.toMatch(/\d+\.\d+\.\d+/)
  }
})

test('a claim that does not hold is a bug with a name', () => {
  expect(() => assert(false, 'two and two')).toThrow('assertion failed: two and two')
  assert(true, 'nothing')
})
