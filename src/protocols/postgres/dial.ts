/**
 * IO. The way to a target: TCP, TLS, start-up, and what the target tells between its AuthenticationOk and its first
 * ReadyForQuery; and the way to cancel. Authentication stands in authenticate.ts. A target is as little trusted as
 * a client: every message is bounded, and its words reach the client only as an SQLSTATE.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
import { Handshake, PeerGone } from '../../accept/handshake.ts'
import { PlaceNotes } from '../../accept/place-notes.ts'
import { CONNECT_MS_MAX, placeOf, type Reached, reach, reachPlace } from '../../accept/reach.ts'
import { secureTarget } from '../../accept/tls.ts'
import { monotonicMs } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { ConnectionConfig } from '../../config/shape.ts'
import type { Grant } from '../../decide/grant.ts'
import type { ControlPort } from '../../threads/control-port.ts'
import type { Claim, Upstream } from '../protocol.ts'
import { authenticate, frameOf, type Login, NotNow, refused, TooNew } from './authenticate.ts'
import { DOWN, isStatus } from './frame.ts'
import { type Reported, reported } from './reported.ts'
import { startupParameters } from './startup-parameters.ts'
import * as write from './write.ts'

export interface PostgresUpstream extends Upstream, Reported {
  readonly pid: number
  /** Cancels what runs there, over a connection of its own. */
  cancel(): Promise<void>
  /** Transaction status of the target's first ReadyForQuery. */
  readonly status: number
}

/** From the first packet to the target's close: who waits for it sends nothing meanwhile. */
const CANCEL_MS_MAX = 5_000
const LOGIN_MS_MAX = 20_000
/** For all addresses together: a client waits for its login meanwhile, and holds a place. */
const DIAL_MS_MAX = 30_000
/** A target that was replaced by a newer one is asked anew after this. */
const ONLY_OLDEST_MS = 10 * 60_000

/** The newest minor version that is asked for: 3.2 has cancel keys of more than four bytes. */
const MINOR_VERSION = 2
const CANCEL_KEY_BYTES_MAX = 256

/** Targets, by address, that end a login which asks for more than protocol 3.0 (old poolers do). */
const onlyOldest = new PlaceNotes({ forMs: ONLY_OLDEST_MS, placesMax: 1000, now: monotonicMs })

export interface DialOptions {
  readonly waitMsMax?: number
  readonly onlyOldest?: PlaceNotes
  /** Aborted when the client has left: the dial is given up, and rejects with its reason. */
  readonly left?: AbortSignal
}

/** Rejects with GW_UPSTREAM_UNREACHABLE, GW_UPSTREAM_LOGIN or GW_UPSTREAM_MALFORMED; none names an address. */
export async function dial(
  claim: Claim,
  grant: Grant,
  control: ControlPort,
  options: DialOptions = {},
): Promise<PostgresUpstream> {
  const { connection } = grant
  const oldest = options.onlyOldest ?? onlyOldest
  const gone = options.left ?? new AbortController().signal
  const parameters = startupParameters(claim, grant)
  const without = new Set<string>()
  const tooNew = new Set<string>()
  const deadline = monotonicMs() + (options.waitMsMax ?? DIAL_MS_MAX)
  let notNow: NotNow | undefined
  for (;;) {
    gone.throwIfAborted()
    const left = deadline - monotonicMs()
    if (left <= 0) throw notNow ?? tooSlow(connection, options.waitMsMax ?? DIAL_MS_MAX)
    const waitMsMax = Math.min(left, CONNECT_MS_MAX)
    const way = { without, waitMsMax, left: gone }
    const reached = await reach(connection, way).catch((error: unknown) => {
      gone.throwIfAborted()
      throw notNow ?? error
    })
    const place = placeOf(reached.at)
    const minor = oldest.has(place) || tooNew.has(place) ? 0 : MINOR_VERSION
    const waitMs = Math.max(0, Math.min(deadline - monotonicMs(), LOGIN_MS_MAX))
    try {
      const upstream = await logIn(parameters, { grant, control, minor, reached, waitMs, gone })
      if (tooNew.has(place)) oldest.add(place)
      return upstream
    } catch (error) {
      if (error instanceof TooNew && minor > 0) tooNew.add(place)
      else if (error instanceof NotNow) {
        // It is starting or stopping; another of its addresses may serve.
        notNow = error
        without.add(place)
      } else throw error
    }
  }
}

async function logIn(
  parameters: ReadonlyMap<string, string>,
  login: Omit<Login, 'certificate'> & {
    readonly reached: Reached
    readonly waitMs: number
    readonly gone: AbortSignal
  },
): Promise<PostgresUpstream> {
  const { connection } = login.grant
  const { wire } = login.reached
  const target = new Handshake(wire, 1 << 20)
  const giveUp = (error: Error) => {
    target.abort(error)
    wire.destroy()
  }
  const timer = setTimeout(() => giveUp(tooSlow(connection, login.waitMs)), login.waitMs)
  const leave = () => giveUp(login.gone.reason as Error)
  login.gone.addEventListener('abort', leave)
  try {
    const certificate = await negotiateTls(target, login.reached, login)
    target.send(write.startup(parameters, login.minor))
    const minor = await authenticate(target, { ...login, certificate })
    const { secret, ...said } = await settle(target, connection, minor)
    const { rest, statuses, parameters: about, pid, status } = said
    const cancel = () => cancelAt(login.reached, { pid, secret }, login)
    return { wire: said.wire, rest, statuses, parameters: about, pid, status, cancel }
  } catch (error) {
    wire.destroy()
    login.gone.throwIfAborted()
    if (error instanceof PeerGone) {
      throw new GatewayError('GW_UPSTREAM_LOGIN', error.message, {
        say: `The target of "${connection.name}" closed during the login.`,
      })
    }
    throw error
  } finally {
    clearTimeout(timer)
    login.gone.removeEventListener('abort', leave)
  }
}

/** Opens a connection, to the same machine, only to cancel what another one runs, as the protocol wants it. */
async function cancelAt(
  reached: Reached,
  key: { pid: number; secret: Uint8Array },
  by: Pick<Login, 'grant' | 'control'>,
): Promise<void> {
  const until = monotonicMs() + CANCEL_MS_MAX
  const wire = await reachPlace(by.grant.connection.name, reached.at, CANCEL_MS_MAX)
  const timer = setTimeout(() => wire.destroy(), until - monotonicMs())
  try {
    const target = new Handshake(wire, 1 << 10)
    await negotiateTls(target, reached, by)
    target.send(write.cancel(key.pid, key.secret))
    // The target closes when it has passed the signal on.
    await target.take(1).catch(() => undefined)
  } finally {
    clearTimeout(timer)
    wire.destroy()
  }
}

function tooSlow({ name }: ConnectionConfig, waitMs: number): GatewayError {
  const seconds = Math.ceil(waitMs / 1000)
  return new GatewayError('GW_UPSTREAM_LOGIN', `no end of the login within ${seconds} s`, {
    say: `The target of "${name}" did not finish the login within ${seconds} s.`,
  })
}

/** Answers the target's certificate (DER), with TLS. A Unix socket has none, and the kernel vouches for it. */
async function negotiateTls(
  target: Handshake,
  { host }: Reached,
  { grant, control }: Pick<Login, 'grant' | 'control'>,
): Promise<Uint8Array | undefined> {
  const { connection } = grant
  if (connection.tls.mode === 'disable' || host === undefined) return undefined
  target.send(write.sslRequest())
  const answer = (await target.take(1))[0]
  if (answer !== 0x53 || target.keptBytes > 0) {
    throw new GatewayError('GW_UPSTREAM_UNREACHABLE', 'no TLS at the target', {
      say: `The target of "${connection.name}" offers no TLS, which \`tls\` asks for.`,
    })
  }
  target.wire.pause()
  if (connection.tls.cert === undefined)
    return target.meanwhile(secureTarget(target.wire, connection, { host, key: undefined }))
  const { key } = await control.ask(
    { type: 'client-key', connection: connection.name },
    'client-key',
  )
  return target.meanwhile(secureTarget(target.wire, connection, { host, key }))
}

/** From AuthenticationOk to the first ReadyForQuery. */
async function settle(
  target: Handshake,
  connection: ConnectionConfig,
  minor: number,
): Promise<Omit<PostgresUpstream, 'cancel'> & { readonly secret: Uint8Array }> {
  const statuses: Buffer[] = []
  let pid = 0
  let secret: Uint8Array = new Uint8Array(4)
  const keyBytesMax = minor >= 2 ? CANCEL_KEY_BYTES_MAX : 4
  while (true) {
    const { kind, frame } = await frameOf(target)
    if (kind === DOWN.parameterStatus) {
      if (statuses.length > 200)
        throw new GatewayError('GW_UPSTREAM_MALFORMED', 'too many parameters')
      statuses.push(frame)
    } else if (kind === DOWN.backendKeyData && isWithin(frame.length - 9, 4, keyBytesMax)) {
      pid = frame.readInt32BE(5)
      secret = Uint8Array.from(frame.subarray(9))
    } else if (kind === DOWN.readyForQuery && isStatus(frame, 0, frame.length)) {
      const { wire } = target
      const { statuses: all, parameters } = reported(statuses)
      const rest = target.rest()
      return { wire, rest, statuses: all, parameters, pid, secret, status: frame[5]! }
    } else if (kind === DOWN.error) throw refused(frame, connection)
    else if (kind !== DOWN.notice) {
      throw new GatewayError('GW_UPSTREAM_MALFORMED', `message ${kind} before the target is ready`)
    }
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}
