/**
 * IO. How the gateway proves itself to a target, and the target to the gateway: from the start-up packet to
 * AuthenticationOk. Weaker ways than the connection lists are refused, every message is bounded, and the target's
 * words reach the client only as an SQLSTATE.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
import { bindingFor } from '../../accept/channel-binding.ts'
import { type Handshake, PeerGone } from '../../accept/handshake.ts'
import { GatewayError } from '../../base/errors.ts'
import type { ConnectionConfig } from '../../config/shape.ts'
import type { Grant } from '../../decide/grant.ts'
import type { ControlPort } from '../../threads/control-port.ts'
import type { ChannelBinding, TargetLogin } from '../../threads/messages.ts'
import { DOWN } from './frame.ts'
import { readFields } from './read.ts'
import * as write from './write.ts'

const FRAME_BYTES_MAX = 64 << 10
const SCRAM = 'SCRAM-SHA-256'
const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS'

export interface Login {
  readonly grant: Grant
  readonly control: ControlPort
  /** Minor version that the start-up packet asked for. */
  readonly minor: number
  /** The target's certificate (DER), with TLS. */
  readonly certificate: Uint8Array | undefined
}

export async function frameOf(target: Handshake): Promise<{ kind: number; frame: Buffer }> {
  const head = await target.take(5)
  const size = head.readInt32BE(1)
  if (size < 4 || size > FRAME_BYTES_MAX) {
    throw new GatewayError('GW_UPSTREAM_MALFORMED', `login message of ${size} bytes`)
  }
  const frame = Buffer.concat([head, await target.take(size - 4)])
  return { kind: frame[0]!, frame }
}

/** The target is starting, stopping, or in recovery. */
export class NotNow extends GatewayError {}
const CANNOT_CONNECT_NOW = '57P03'

/** The target may be one that knows no minor version but 3.0. */
export class TooNew extends Error {}

/** Up to AuthenticationOk; answers the minor version that is spoken. Rejects with TooNew where 3.0 is worth trying. */
export async function authenticate(target: Handshake, login: Login): Promise<number> {
  const { grant } = login
  const { connection } = grant
  let minor = login.minor
  let isFirst = true
  let negotiated = false
  let proven = false
  while (true) {
    const { kind, frame } = isFirst ? await firstFrame(target, minor) : await frameOf(target)
    isFirst = false
    if (kind === DOWN.error) throw refused(frame, connection)
    if (kind === DOWN.negotiate && !negotiated && !proven) {
      negotiated = true
      minor = lowered(frame, minor)
      continue
    }
    if (kind !== DOWN.authentication || frame.length < 9) {
      throw new GatewayError('GW_UPSTREAM_MALFORMED', `message ${kind} in place of authentication`)
    }
    const code = frame.readInt32BE(5)
    if (code === 0) {
      // A target that asks for nothing may be another one than we think it is. With `cert` it is verified, and
      // whether it took our certificate for an answer is its own affair.
      const { auth } = grant.credential
      const isFree =
        auth.includes('trust') || (auth.includes('cert') && login.certificate !== undefined)
      if (!proven && !isFree) throw weaker('trust', connection)
      return minor
    }
    if (proven) throw new GatewayError('GW_UPSTREAM_MALFORMED', 'authentication asked for twice')
    await prove(code, frame, { ...login, target })
    proven = true
  }
}

/** A target that does not know how to negotiate ends a login for a newer version, with these codes or without a word. */
async function firstFrame(
  target: Handshake,
  minor: number,
): Promise<{ kind: number; frame: Buffer }> {
  if (minor === 0) return frameOf(target)
  const first = await frameOf(target).catch((error: unknown) => {
    throw error instanceof PeerGone ? new TooNew('closed') : error
  })
  if (first.kind === DOWN.error && /^(08P01|0A000)$/.test(sqlstateOf(first.frame))) {
    throw new TooNew('refused')
  }
  return first
}

/** NegotiateProtocolVersion: a version below the one asked for, and no option, for none was asked for. */
function lowered(frame: Buffer, asked: number): number {
  const minor = frame.length === 13 ? frame.readInt32BE(5) - 0x30000 : -1
  if (minor < 0 || minor >= asked || frame.readInt32BE(9) !== 0) {
    throw new GatewayError('GW_UPSTREAM_MALFORMED', 'a version that was not asked for')
  }
  return minor
}

async function prove(
  code: number,
  frame: Buffer,
  parts: Login & { readonly target: Handshake },
): Promise<void> {
  const { target, grant, control } = parts
  const { connection } = grant
  const { auth } = grant.credential
  const login = { connection: connection.name, role: grant.credentialRole }
  if (code === 10) {
    const offered = frame.toString('latin1', 9, frame.length - 2).split('\0')
    const isPlus = offered.includes(SCRAM_PLUS)
    if (!auth.includes('scram-sha-256') || !(isPlus || offered.includes(SCRAM))) {
      throw weaker(offered.join(','), connection)
    }
    const isVerified = connection.tls.mode === 'verify-full'
    const binding = bindingFor(parts.certificate, { isOffered: isPlus, isVerified })
    if (binding === undefined) {
      throw new GatewayError('GW_UPSTREAM_LOGIN', 'a certificate that SCRAM cannot be bound to', {
        say: `SCRAM cannot be bound to the certificate of the target of "${connection.name}": \`tls: verify-full\` is needed.`,
      })
    }
    // Ours is TLS, and the target offers nothing but what cannot be done here.
    if (binding.flag !== 'p' && !offered.includes(SCRAM)) throw weaker(SCRAM_PLUS, connection)
    await proveScram(target, { login, binding }, control)
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

/** RFC 5802 over SASL, bound to TLS where the target offers it; every secret computation is done by the control thread. */
async function proveScram(
  target: Handshake,
  about: { readonly login: TargetLogin; readonly binding: ChannelBinding },
  control: ControlPort,
): Promise<void> {
  const first = await control.ask({ type: 'scram-first', ...about }, 'scram-first')
  const mechanism = about.binding.flag === 'p' ? SCRAM_PLUS : SCRAM
  target.send(write.saslInitial(mechanism, first.message))
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

/** The target's SQLSTATE tells the client what is wrong without a word of the target's text. */
export function refused(frame: Buffer, connection: ConnectionConfig): GatewayError {
  const sqlstate = sqlstateOf(frame)
  const Refusal = sqlstate === CANNOT_CONNECT_NOW ? NotNow : GatewayError
  return new Refusal('GW_UPSTREAM_LOGIN', `target answered ${sqlstate}`, {
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
