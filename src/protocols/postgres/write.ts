/**
 * Pure. Builds the frames that the gateway itself sends: answers and refusals to clients, its own messages to
 * targets. The only door to pg-protocol, whose builders make the latter.
 */
import { serialize } from 'pg-protocol'
import { ByteSink } from '../../base/bytes.ts'
import { ERRORS, type ErrorCode, type GatewayError } from '../../base/errors.ts'
import type { Verdict } from '../../decide/verdict.ts'

/** Complete by type: a new gateway error does not compile until PostgreSQL has a code for it. */
export const SQLSTATE: Record<ErrorCode, string> = {
  GW_MALFORMED: '08P01',
  GW_FRAME_TOO_LARGE: '54000',
  GW_CREDENTIAL_WRONG: '28P01',
  GW_CREDENTIAL_LOCKED: '28000',
  GW_PLAINTEXT: '28000',
  GW_NOT_ALLOWED: '42501',
  GW_SESSION_EXPIRED: '57P01',
  GW_SESSION_KILLED: '57P01',
  GW_POLICY_DENIED: '42501',
  GW_CLASS_DENIED: '42501',
  GW_NOT_UNDERSTOOD: '42601',
  GW_STATEMENT_TOO_LARGE: '53400',
  GW_UNSUPPORTED: '0A000',
  GW_STATEMENT_TIMEOUT: '57014',
  GW_TOO_MANY: '53300',
  GW_TOO_MANY_SESSIONS: '53300',
  GW_TOO_MANY_FROM_ADDRESS: '53300',
  GW_HANDSHAKE_TIMEOUT: '08006',
  GW_IDLE_TIMEOUT: '57P05',
  GW_DRAINING: '57P01',
  GW_UPSTREAM_UNREACHABLE: '08001',
  GW_UPSTREAM_LOGIN: '08004',
  GW_UPSTREAM_MALFORMED: '08P01',
  GW_UPSTREAM_LOST: '08006',
  GW_RECORDING_LOST: '58030',
  GW_UNAVAILABLE: '58030',
  GW_INTERNAL: 'XX000',
}

export interface ErrorFields {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING'
  readonly sqlstate: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** 1-based character position in the statement. */
  readonly position?: number | undefined
}

/** ErrorResponse, or NoticeResponse for the lesser severities. */
export function errorFrame(fields: ErrorFields): Buffer {
  const sink = new ByteSink(256)
  sink.u8(fields.severity === 'NOTICE' || fields.severity === 'WARNING' ? 0x4e : 0x45)
  sink.i32(0)
  const put = (letter: string, value: string | undefined) => {
    if (value === undefined || value === '') return
    sink.u8(letter.charCodeAt(0))
    // A zero byte would end the field early and let the rest pass for another one.
    sink.zeroTerminated(value.replaceAll('\0', ''))
  }
  put('S', fields.severity)
  put('V', fields.severity)
  put('C', fields.sqlstate)
  put('M', fields.message)
  put('D', fields.detail)
  put('H', fields.hint)
  put('P', fields.position === undefined ? undefined : String(fields.position))
  sink.u8(0)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return Buffer.from(sink.view())
}

/** The machine-readable half of a refusal (contract §5), as the DETAIL. */
export function refusalDetail(fields: {
  verdict: string
  rule: string
  policy: number
  say: string
}): string {
  const { verdict, rule, policy, say } = fields
  return JSON.stringify({ sluice: { verdict, rule, policy, request: '', retry: false, say } })
}

/** For a name that the session was not seen to make. */
export function unknownName(
  kind: 'statement' | 'prepared' | 'portal' | 'cursor',
  name: string,
  policy: number,
): Buffer {
  const isStatement = kind === 'statement' || kind === 'prepared'
  const what = isStatement ? 'prepared statement' : kind
  return errorFrame({
    severity: 'ERROR',
    sqlstate: isStatement ? '26000' : '34000',
    message: `${what} ${JSON.stringify(name.substring(0, 63))} does not exist`,
    detail: refusalDetail({
      verdict: 'not_understood',
      rule: '',
      policy,
      say: `The gateway has not seen this ${what} made.`,
    }),
  })
}

/** A refused action: the session goes on. */
export function refusalFrame(verdict: Verdict & { verdict: 'deny' }, policy: number): Buffer {
  const sqlstate = {
    denied: '42501',
    not_allowed: '42501',
    not_understood: '42601',
    over_limit: '53400',
  }
  return errorFrame({
    severity: 'ERROR',
    sqlstate: sqlstate[verdict.kind],
    message: verdict.say,
    detail: refusalDetail({ verdict: verdict.kind, rule: verdict.rule, policy, say: verdict.say }),
    hint: verdict.hint,
    position: verdict.position,
  })
}

/** An error of the gateway that ends the session, or as ERROR only what runs. */
export function fatalFrame(
  error: Pick<GatewayError, 'code' | 'say'>,
  severity: 'FATAL' | 'ERROR' = 'FATAL',
): Buffer {
  const { verdict } = ERRORS[error.code]
  return errorFrame({
    severity,
    sqlstate: SQLSTATE[error.code],
    message: error.say,
    detail: refusalDetail({ verdict, rule: '', policy: 0, say: error.say }),
  })
}

export function readyForQuery(status: number): Buffer {
  return Buffer.from([0x5a, 0, 0, 0, 5, status])
}

export const CLEARTEXT_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
export const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])

/** A parameter that every server reports and none can change. */
export const UNCHANGING = 'integer_datetimes'

export function parameterStatus(name: string, value: string): Buffer {
  const sink = new ByteSink(64)
  sink.u8(0x53)
  sink.i32(0)
  sink.zeroTerminated(name)
  sink.zeroTerminated(value)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return Buffer.from(sink.view())
}

export function backendKeyData(pid: number, secret: Uint8Array): Buffer {
  const sink = new ByteSink(16)
  sink.u8(0x4b)
  sink.i32(8 + secret.length)
  sink.i32(pid)
  sink.append(secret)
  return Buffer.from(sink.view())
}

/** NegotiateProtocolVersion: the newest minor version we speak, and start-up options that we do not know. */
export function negotiateProtocolVersion(minor: number, unknown: readonly string[]): Buffer {
  const sink = new ByteSink(64)
  sink.u8(0x76)
  sink.i32(0)
  sink.i32(0x30000 | minor)
  sink.i32(unknown.length)
  for (const name of unknown) sink.zeroTerminated(name)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return Buffer.from(sink.view())
}

export const sslRequest = (): Buffer => Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

export function startup(parameters: ReadonlyMap<string, string>, minor = 0): Buffer {
  const sink = new ByteSink(256)
  sink.i32(0)
  sink.i32(0x30000 | minor)
  for (const [name, value] of parameters) {
    sink.zeroTerminated(name)
    sink.zeroTerminated(value)
  }
  sink.u8(0)
  sink.bytes.writeInt32BE(sink.size, 0)
  return Buffer.from(sink.view())
}

/** CancelRequest; the key is as long as the target gave it. */
export function cancel(pid: number, secret: Uint8Array): Buffer {
  const sink = new ByteSink(16)
  sink.i32(12 + secret.length)
  sink.i32(80877102)
  sink.i32(pid)
  sink.append(secret)
  return Buffer.from(sink.view())
}

export const password = (text: string): Buffer => serialize.password(text) as Buffer
export const saslInitial = (mechanism: string, message: string): Buffer =>
  serialize.sendSASLInitialResponseMessage(mechanism, message) as Buffer
export const saslFinal = (message: string): Buffer =>
  serialize.sendSCRAMClientFinalMessage(message) as Buffer
export const query = (text: string): Buffer => serialize.query(text) as Buffer
export const parse = (name: string, text: string): Buffer =>
  serialize.parse({ name, text, types: [] }) as Buffer
export const describe = (type: 'S' | 'P', name: string): Buffer =>
  serialize.describe({ type, name }) as Buffer
export const copyFail = (text: string): Buffer => serialize.copyFail(text) as Buffer
export const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])
export const SYNC = Buffer.from([0x53, 0, 0, 0, 4])
export const FLUSH = Buffer.from([0x48, 0, 0, 0, 4])

/** A Query of these bytes. */
export function queryOf(text: Uint8Array): Buffer {
  const sink = new ByteSink(text.length + 6)
  sink.u8(0x51)
  sink.i32(text.length + 5)
  sink.append(text)
  sink.u8(0)
  return sink.view()
}

/** The Parse in [start, end) of `bytes` with another text. */
export function withText(
  bytes: Buffer,
  parse: {
    readonly start: number
    readonly end: number
    readonly body: { readonly textStart: number; readonly textEnd: number }
  },
  text: Uint8Array,
): Buffer {
  const { start, end, body } = parse
  const sink = new ByteSink(end - start + text.length)
  sink.append(bytes, start, body.textStart)
  sink.append(text)
  sink.append(bytes, body.textEnd, end)
  sink.bytes.writeInt32BE(sink.size - 1, 1)
  return sink.view()
}
