import { describe, expect, test } from 'vitest'
import { ERRORS, type ErrorCode, GatewayError } from '../../src/base/errors.ts'
import { json, problem, problemOf, text } from '../../src/control/answer.ts'

describe('an answer', () => {
  test('that is a problem is an RFC 9457 document', () => {
    const answer = problem(404, 'There is nothing here.', { needs: 'view' })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.body)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing here.',
      needs: 'view',
    })
  })

  test('of 401 names the scheme', () => {
    expect(problem(401, 'x').headers['www-authenticate']).toContain('Bearer')
    expect(problem(403, 'x').headers['www-authenticate']).toBeUndefined()
  })

  test('to an error says the sentence of the table and never the message for the log', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const answer = problemOf(new GatewayError(code, 'a secret cause'))
      expect(answer.body).not.toContain('secret')
      expect(JSON.parse(answer.body)).toMatchObject({ code, detail: ERRORS[code].say })
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
  })

  test('is JSON or text with its type', () => {
    expect(json(201, { a: 1 })).toMatchObject({ status: 201, body: '{"a":1}' })
    expect(text(200, 'ok').headers['content-type']).toContain('text/plain')
  })
})
