/**
 * Pure. Every failure the gateway knows: who is at fault, what the client may read, and what it ends.
 *
 * `say` is all that a client ever sees; `message` and `cause` go to the log. Neither holds a statement, a
 * credential or the address of a target. Each protocol words these codes in its own form
 * (protocols/<name>/write.ts) and does not compile until every one has a form.
 */

export interface ErrorSpec {
  /** Who caused it. */
  readonly side: 'client' | 'upstream' | 'gateway'
  /** The sentence that a client reads. */
  readonly say: string
  /** What is over afterwards. */
  readonly ends: 'action' | 'session'
  /** The word of the machine-readable refusal (`verdict` of the contract). */
  readonly verdict:
    | 'denied'
    | 'over_limit'
    | 'frozen'
    | 'not_allowed'
    | 'not_understood'
    | 'unavailable'
}

export const ERRORS = {
  GW_MALFORMED: spec(
    'client',
    'The message is malformed or unknown to the gateway.',
    'session',
    'not_understood',
  ),
  GW_FRAME_TOO_LARGE: spec(
    'client',
    'The message is larger than the gateway accepts.',
    'session',
    'over_limit',
  ),
  GW_CREDENTIAL_WRONG: spec('client', 'The credential is not valid.', 'session', 'not_allowed'),
  GW_CREDENTIAL_LOCKED: spec(
    'client',
    'This token is locked after too many wrong attempts; try again later.',
    'session',
    'not_allowed',
  ),
  GW_PLAINTEXT: spec('client', 'This address must connect with TLS.', 'session', 'not_allowed'),
  GW_NOT_ALLOWED: spec(
    'client',
    'There is no such connection for this identity.',
    'session',
    'not_allowed',
  ),
  GW_SESSION_EXPIRED: spec(
    'client',
    'The credential of this session has expired.',
    'session',
    'not_allowed',
  ),
  GW_SESSION_KILLED: spec('gateway', 'The session was ended by an operator.', 'session', 'frozen'),
  GW_POLICY_DENIED: spec('client', 'Refused by policy.', 'action', 'denied'),
  GW_CLASS_DENIED: spec(
    'client',
    'No role of this identity allows an action of this class.',
    'action',
    'not_allowed',
  ),
  GW_NOT_UNDERSTOOD: spec(
    'client',
    'The gateway cannot tell what this action does.',
    'action',
    'not_understood',
  ),
  GW_STATEMENT_TOO_LARGE: spec(
    'client',
    'The statement is larger than limits.statement_bytes_max.',
    'action',
    'over_limit',
  ),
  GW_UNSUPPORTED: spec(
    'client',
    'The gateway does not serve this part of the protocol.',
    'session',
    'not_understood',
  ),
  GW_STATEMENT_TIMEOUT: spec(
    'client',
    'The statement ran longer than connections.<name>.statement_timeout.',
    'action',
    'over_limit',
  ),
  GW_TOO_MANY: spec(
    'gateway',
    'The gateway has as many connections as limits.connections or its open-files limit allows.',
    'session',
    'over_limit',
  ),
  GW_TOO_MANY_SESSIONS: spec(
    'gateway',
    'There are as many sessions as connections.<name>.max_sessions allows, and none ended in time.',
    'session',
    'over_limit',
  ),
  GW_TOO_MANY_FROM_ADDRESS: spec(
    'client',
    'This address has as many connections as limits.connections_per_address allows.',
    'session',
    'over_limit',
  ),
  GW_HANDSHAKE_TIMEOUT: spec(
    'client',
    'The handshake took longer than limits.handshake.',
    'session',
    'over_limit',
  ),
  GW_IDLE_TIMEOUT: spec(
    'client',
    'The session was idle for longer than limits.idle.',
    'session',
    'over_limit',
  ),
  GW_DRAINING: spec(
    'gateway',
    'The gateway is shutting down; connect again.',
    'session',
    'unavailable',
  ),
  GW_UPSTREAM_UNREACHABLE: spec(
    'upstream',
    'The target cannot be reached.',
    'session',
    'unavailable',
  ),
  GW_UPSTREAM_LOGIN: spec(
    'upstream',
    'The target did not accept the login of the gateway.',
    'session',
    'unavailable',
  ),
  GW_UPSTREAM_MALFORMED: spec(
    'upstream',
    'The target sent what its protocol does not allow.',
    'session',
    'unavailable',
  ),
  GW_UPSTREAM_LOST: spec('upstream', 'The target closed the connection.', 'session', 'unavailable'),
  GW_RECORDING_LOST: spec('gateway', 'The session cannot be recorded.', 'session', 'unavailable'),
  GW_UNAVAILABLE: spec(
    'gateway',
    'A part of the gateway that this needs does not answer.',
    'session',
    'unavailable',
  ),
  GW_INTERNAL: spec(
    'gateway',
    'The gateway failed; the session is ended.',
    'session',
    'unavailable',
  ),
} as const satisfies Record<string, ErrorSpec>

export type ErrorCode = keyof typeof ERRORS

/** A failure of the world. `message` is for the log only; the client reads `ERRORS[code].say` or `say`. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  /** Replaces the table's sentence where one may say more, such as the name of the connection. */
  readonly say: string

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; say?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.say = options?.say ?? ERRORS[code].say
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code]
  }

  /** Only at the end of a session, of a thread, and in the admin API. */
  static from(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error
    return new GatewayError('GW_INTERNAL', error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  }
}

/** A bug, not a failure of the world: ends the session and is logged with its stack. */
export function assert(claim: boolean, message: string): asserts claim {
  if (!claim) throw new Error(`assertion failed: ${message}`)
}

function spec(
  side: ErrorSpec['side'],
  say: string,
  ends: ErrorSpec['ends'],
  verdict: ErrorSpec['verdict'],
): ErrorSpec {
  return { side, say, ends, verdict }
}
