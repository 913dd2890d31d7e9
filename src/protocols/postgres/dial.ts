/**
 * IO. The target's side of a PostgreSQL login: TCP, TLS, start-up, authentication, and what the target tells
 * before it is ready. A target is as little trusted as a client: weaker authentication than the connection lists
 * is refused, every message is bounded, and its words reach the client only as an SQLSTATE.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
import { Handshake, PeerGone } from '../../accept/handshake.ts'
import { secureTarget } from '../../accept/tls.ts'
import { SocketWire, type Wire } from '../../accept/wire.ts'
import { GatewayError } from '../../base/errors.ts'
import type { ConnectionConfig } from '../../config/shape.ts'
import type { Grant } from '../../decide/grant.ts'
import type { ControlPort } from '../../threads/control-port.ts'
import type { TargetLogin } from '../../threads/messages.ts'
import type { Claim, Upstream } from '../protocol.ts'
import { DOWN } from './frame.ts'
import { readFields } from './read.ts'
import { startupParameters } from './startup-parameters.ts'
import * as write from './write.ts'

export interface PostgresUpstream extends Upstream {
  /** ParameterStatus frames as the target sent them, for the client's welcome. */
  readonly statuses: Buffer
  readonly parameters: ReadonlyMap<string, string>
  readonly pid: number
  readonly secret: number
  /** Transaction status of the target's first ReadyForQuery. */
  readonly status: number
}

const CONNECT_MS_MAX = 10_000
const LOGIN_MS_MAX = 20_000
const FRAME_BYTES_MAX = 64 << 10

/** Rejects with GW_UPSTREAM_UNREACHABLE, GW_UPSTREAM_LOGIN or GW_UPSTREAM_MALFORMED; none names an address. */
export async function dial(
  claim: Claim,
  grant: Grant,
  control: ControlPort,
): Promise<PostgresUpstream> {
  const { connection } = grant
  const parameters = startupParameters(claim, grant)
  const wire = await connect(connection)
  const timer = setTimeout(() => wire.destroy(), LOGIN_MS_MAX)
  try {
    const target = new Handshake(wire, 1 << 20)
    await negotiateTls(target, connection)
    target.send(write.startup(parameters))
    await authenticate(target, grant, control)
    return await settle(target, connection)
  } catch (error) {
    wire.destroy()
    if (error instanceof PeerGone) {
      throw new GatewayError('GW_UPSTREAM_LOGIN', error.message, {
        say: `The target of "${connection.name}" closed during the login.`,
      })
    }
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Opens a connection only to cancel what another one runs, as the protocol wants it. */
export async function cancelAt(
  connection: ConnectionConfig,
  key: { pid: number; secret: number },
): Promise<void> {
  const wire = await connect(connection)
  try {
    const target = new Handshake(wire, 1 << 10)
    await negotiateTls(target, connection)
    target.send(write.cancel(key.pid, key.secret))
    // The target closes when it has passed the signal on.
    await target.take(1).catch(() => undefined)
  } finally {
    wire.destroy()
  }
}

async function connect(connection: ConnectionConfig): Promise<Wire> {
  try {
    return await SocketWire.dial(connection.address, CONNECT_MS_MAX)
  } catch (error) {
    // The system's own message holds the address, which does not belong in the log.
    const { code = 'timed out' } = error as NodeJS.ErrnoException
    throw new GatewayError('GW_UPSTREAM_UNREACHABLE', `dial ${connection.name}: ${code}`, {
      say: `The target of "${connection.name}" cannot be reached.`,
    })
  }
}

async function negotiateTls(target: Handshake, connection: ConnectionConfig): Promise<void> {
  if (connection.tls.mode === 'disable') return
  target.send(write.sslRequest())
  const answer = (await target.take(1))[0]
  if (answer !== 0x53 || target.keptBytes > 0) {
    throw new GatewayError('GW_UPSTREAM_UNREACHABLE', 'no TLS at the target', {
      say: `The target of "${connection.name}" offers no TLS, which \`tls\` asks for.`,
    })
  }
  target.wire.pause()
  await secureTarget(target.wire, connection)
}

async function frameOf(target: Handshake): Promise<{ kind: number; frame: Buffer }> {
  const head = await target.take(5)
  const size = head.readInt32BE(1)
  if (size < 4 || size > FRAME_BYTES_MAX) {
    throw new GatewayError('GW_UPSTREAM_MALFORMED', `login message of ${size} bytes`)
  }
  const frame = Buffer.concat([head, await target.take(size - 4)])
  return { kind: frame[0]!, frame }
}

async function authenticate(target: Handshake, grant: Grant, control: ControlPort): Promise<void> {
  const { connection } = grant
  let proven = false
  while (true) {
    const { kind, frame } = await frameOf(target)
    if (kind === DOWN.error) throw refused(frame, connection)
    if (kind === DOWN.negotiate) continue
    if (kind !== DOWN.authentication || frame.length < 9) {
      throw new GatewayError('GW_UPSTREAM_MALFORMED', `message ${kind} in place of authentication`)
    }
    const code = frame.readInt32BE(5)
    if (code === 0) {
      // A target that asks for nothing may be another one than we think it is.
      if (!proven && !grant.credential.auth.includes('trust')) throw weaker('trust', connection)
      return
    }
    if (proven) throw new GatewayError('GW_UPSTREAM_MALFORMED', 'authentication asked for twice')
    await prove(code, frame, { target, grant, control })
    proven = true
  }
}

async function prove(
  code: number,
  frame: Buffer,
  parts: { target: Handshake; grant: Grant; control: ControlPort },
): Promise<void> {
  const { target, grant, control } = parts
  const { connection } = grant
  const { auth } = grant.credential
  const login = { connection: connection.name, role: grant.credentialRole }
  if (code === 10) {
    const offered = frame.toString('latin1', 9, frame.length - 2).split('\0')
    if (!auth.includes('scram-sha-256') || !offered.includes('SCRAM-SHA-256')) {
      throw weaker(offered.join(','), connection)
    }
    await proveScram(target, login, control)
  } else if (code === 5 && frame.length === 13) {
    if (!auth.includes('md5')) throw weaker('md5', connection)
    const salt = Uint8Array.from(frame.subarray(9, 13))
    const { answer } = await control.ask({ type: 'md5', login, salt }, 'md5')
    target.send(write.password(answer))
  } else if (code === 3) {
    if (!auth.includes('password')) throw weaker('password', connection)
    const { password } = await control.ask({ type: 'password', login }, 'password')
    target.send(write.password(password))
  } else throw weaker(`method ${code}`, connection)
}

/** RFC 5802 over SASL; every secret computation is done by the control thread. */
async function proveScram(
  target: Handshake,
  login: TargetLogin,
  control: ControlPort,
): Promise<void> {
  const first = await control.ask({ type: 'scram-first', login }, 'scram-first')
  target.send(write.saslInitial('SCRAM-SHA-256', first.message))
  const serverFirst = await sasl(target, 11)
  const { exchange } = first
  const final = await control.ask({ type: 'scram-final', exchange, serverFirst }, 'scram-final')
  target.send(write.saslFinal(final.message))
  // The target proves that it knows the password too.
  if ((await sasl(target, 12)) !== final.serverFinal) {
    throw new GatewayError(
      'GW_UPSTREAM_LOGIN',
      'the target did not prove that it knows the password',
    )
  }
}

async function sasl(target: Handshake, step: 11 | 12): Promise<string> {
  const { kind, frame } = await frameOf(target)
  if (kind === DOWN.error) {
    throw new GatewayError('GW_UPSTREAM_LOGIN', `SCRAM refused: ${sqlstateOf(frame)}`)
  }
  if (kind !== DOWN.authentication || frame.length < 9 || frame.readInt32BE(5) !== step) {
    throw new GatewayError('GW_UPSTREAM_MALFORMED', 'SASL message out of place')
  }
  return frame.toString('utf8', 9)
}

/** From AuthenticationOk to the first ReadyForQuery. */
async function settle(target: Handshake, connection: ConnectionConfig): Promise<PostgresUpstream> {
  const statuses: Buffer[] = []
  const parameters = new Map<string, string>()
  let pid = 0
  let secret = 0
  while (true) {
    const { kind, frame } = await frameOf(target)
    if (kind === DOWN.parameterStatus) {
      if (statuses.length > 200)
        throw new GatewayError('GW_UPSTREAM_MALFORMED', 'too many parameters')
      const [name = '', value = ''] = frame.toString('utf8', 5, frame.length - 1).split('\0')
      parameters.set(name, value)
      statuses.push(frame)
    } else if (kind === DOWN.backendKeyData && frame.length === 13) {
      pid = frame.readInt32BE(5)
      secret = frame.readInt32BE(9)
    } else if (kind === DOWN.readyForQuery && frame.length === 6) {
      const { wire } = target
      const all = Buffer.concat(statuses)
      return {
        wire,
        rest: target.rest(),
        statuses: all,
        parameters,
        pid,
        secret,
        status: frame[5]!,
      }
    } else if (kind === DOWN.error) throw refused(frame, connection)
    else if (kind !== DOWN.notice) {
      throw new GatewayError('GW_UPSTREAM_MALFORMED', `message ${kind} before the target is ready`)
    }
  }
}

/** The target's SQLSTATE tells the client what is wrong without a word of the target's text. */
function refused(frame: Buffer, connection: ConnectionConfig): GatewayError {
  const sqlstate = sqlstateOf(frame)
  return new GatewayError('GW_UPSTREAM_LOGIN', `target answered ${sqlstate}`, {
    say: `The target of "${connection.name}" refused the gateway's login (SQLSTATE ${sqlstate}).`,
  })
}

function sqlstateOf(frame: Buffer): string {
  const code = readFields(frame, 0, frame.length)?.get('C') ?? ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : 'unknown'
}

function weaker(asked: string, connection: ConnectionConfig): GatewayError {
  return new GatewayError('GW_UPSTREAM_LOGIN', `target asks for ${asked}`, {
    say: `The target of "${connection.name}" asks for a way of authentication that \`auth\` does not list.`,
  })
}
