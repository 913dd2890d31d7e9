/** Pure. What the API answers: JSON, text, or a problem document (RFC 9457). */
import type { ErrorCode, GatewayError } from '../base/errors.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** In place of the body: written as it comes; whoever reads it sets the pace. */
  readonly stream?: AsyncIterable<string>
}

/** One JSON value a line. */
export function lines(stream: AsyncIterable<string>): Answer {
  return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: '', stream }
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

export function text(status: number, body: string, type = 'text/plain; charset=utf-8'): Answer {
  return { status, headers: { 'content-type': type }, body }
}

/** `detail`: a sentence for the caller. Never holds a value of somebody else or the text of an unexpected error. */
export function problem(
  status: number,
  detail: string,
  more: Record<string, unknown> = {},
): Answer {
  const title = TITLES[status] ?? 'Error'
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      // RFC 9110 §11.6.1: a 401 names the scheme.
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="sluice"' } : {}),
    },
    body: JSON.stringify({ type: 'about:blank', title, status, detail, ...more }),
  }
}

/** Says `say` of the table, not the message: that is for the log. */
export function problemOf(error: GatewayError): Answer {
  return problem(STATUS[error.code] ?? (error.spec.side === 'client' ? 400 : 503), error.say, {
    code: error.code,
  })
}

/** RFC 9110 §15. */
export const TITLES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  GW_CREDENTIAL_WRONG: 401,
  GW_CREDENTIAL_LOCKED: 401,
  GW_SESSION_EXPIRED: 401,
  GW_NOT_ALLOWED: 403,
  GW_POLICY_DENIED: 403,
  GW_INTERNAL: 500,
}
