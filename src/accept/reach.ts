/**
 * IO. The way to a target by the addresses of its connection: Unix sockets, and TCP to each address that a name has at
 * this moment; one after the other, in the order of the configuration, until one accepts.
 *
 * A name is looked up at every dial, so that a changed one counts at once; nothing of an answer is kept, and who
 * asks while it is looked up shares that. What failed a moment ago goes last and is never left out, so that not every
 * login waits for a machine that is gone.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { monotonicMs } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { ConnectionConfig, TargetAddress } from '../config/shape.ts'
import { hostPort } from './address.ts'
import { isDialable } from './dialable.ts'
import { PlaceNotes } from './place-notes.ts'
import { SocketWire, type Wire } from './wire.ts'

export interface Reached {
  readonly wire: Wire
  /** Where it is: an address and no name, so that a cancel finds the same machine. */
  readonly at: TargetAddress
  /** As configured, which a certificate must be for. undefined: a Unix socket, which carries no TLS. */
  readonly host: string | undefined
}

export interface ReachOptions {
  /** Places (`placeOf`) that have been tried already. */
  readonly without?: ReadonlySet<string>
  /** All addresses of a name; the system's resolver by default. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
  /** Rejects after `waitMsMax`; a real connection by default. */
  readonly dial?: (at: TargetAddress, waitMsMax: number, left?: AbortSignal) => Promise<Wire>
  readonly waitMsMax?: number
  /** Aborted when nobody wants to get there any more: rejects with its reason. */
  readonly left?: AbortSignal
}

type Candidate = Pick<Reached, 'at' | 'host'>
type Named = Pick<ConnectionConfig, 'name' | 'addresses'>

export const CONNECT_MS_MAX = 10_000
const FAILED_MS = 30_000
const FAILED_MAX = 1000

/** They go last; of this thread. */
const failed = new PlaceNotes({ forMs: FAILED_MS, placesMax: FAILED_MAX, now: monotonicMs })

/** Rejects with GW_UPSTREAM_UNREACHABLE, which says what happened and names no address. */
export async function reach(connection: Named, options: ReachOptions = {}): Promise<Reached> {
  const deadline = performance.now() + (options.waitMsMax ?? CONNECT_MS_MAX)
  const faults: string[] = []
  const way = new Way(connection, { options, deadline, faults })
  for (let next = await way.next(); next !== undefined; next = await way.next()) {
    const { at, host } = next
    options.left?.throwIfAborted()
    const waitMs = way.shareMs
    if (waitMs <= 0) break
    try {
      const wire = await (options.dial ?? SocketWire.dial)(at, waitMs, options.left)
      failed.forget(placeOf(at))
      return { wire, at, host }
    } catch (error) {
      // It says nothing of the target.
      options.left?.throwIfAborted()
      // The system's own message holds the address, which does not belong in the log.
      const { code = SILENT } = error as NodeJS.ErrnoException
      if (OURS.has(code)) throw exhausted(connection.name, code)
      failed.add(placeOf(at))
      faults.push(code)
    }
  }
  throw unreachable(connection.name, faults)
}

/** To one place, as it is. */
export async function reachPlace(
  name: string,
  at: TargetAddress,
  waitMsMax: number,
): Promise<Wire> {
  try {
    return await SocketWire.dial(at, waitMsMax)
  } catch (error) {
    throw unreachable(name, [(error as NodeJS.ErrnoException).code ?? SILENT])
  }
}

export function placeOf(at: TargetAddress): string {
  return 'path' in at ? at.path : hostPort(at.host, at.port)
}

const SILENT = 'timed out'
/** Nothing that the target could do about: this process, or the machine, may open no more. */
const OURS = new Set(['EMFILE', 'ENFILE'])

interface WayParts {
  readonly options: ReachOptions
  readonly deadline: number
  readonly faults: string[]
}

/** Where to try next. A name is looked up when its turn comes: who stands before it need not wait for its name server. */
class Way {
  readonly #parts: WayParts
  readonly #unasked: TargetAddress[]
  #found: Candidate[] = []
  readonly #last: Candidate[] = []

  constructor(connection: Named, parts: WayParts) {
    this.#parts = parts
    this.#unasked = [...connection.addresses]
  }

  /** For what is tried now: a silent machine, or name server, leaves time for those behind it. */
  get shareMs(): number {
    const behind = this.#unasked.length + this.#found.length + this.#last.length
    return (this.#parts.deadline - performance.now()) / (1 + behind)
  }

  async next(): Promise<Candidate | undefined> {
    for (;;) {
      const next = this.#found.shift()
      if (next === undefined) {
        const address = this.#unasked.shift()
        if (address === undefined) return this.#last.shift()
        this.#found = await this.#candidatesOf(address)
      } else if (this.#parts.options.without?.has(placeOf(next.at)) !== true) {
        if (!failed.has(placeOf(next.at))) return next
        this.#last.push(next)
      }
    }
  }

  async #candidatesOf(address: TargetAddress): Promise<Candidate[]> {
    const { options, faults } = this.#parts
    if ('path' in address) return [{ at: address, host: undefined }]
    const { host, port } = address
    if (isIP(host) !== 0) return [{ at: address, host }]
    const resolve = options.resolve ?? addressesOf
    const late = performance.now() + this.shareMs
    const found = await inTime(resolve(host), late).catch((error) => {
      faults.push((error as NodeJS.ErrnoException).code ?? 'no answer from the name server')
      return []
    })
    const dialable = found.filter(isDialable)
    if (dialable.length < found.length) faults.push('a name for an address that is never dialled')
    return dialable.map((one) => ({ at: { host: one, port }, host }))
  }
}

/** Names that the system looks up now. It does so for few at a time in all of the process, and a dead server holds each for long. */
const asking = new Map<string, Promise<readonly string[]>>()

function addressesOf(name: string): Promise<readonly string[]> {
  const shared = asking.get(name)
  if (shared !== undefined) return shared
  const asked = lookup(name, { all: true, verbatim: true })
    .then((found) => found.map(({ address }) => address))
    .finally(() => asking.delete(name))
  asking.set(name, asked)
  return asked
}

function inTime<T>(promise: Promise<T>, deadline: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error('late'))
    const timer = setTimeout(late, Math.max(0, deadline - performance.now()))
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function exhausted(name: string, code: string): GatewayError {
  return new GatewayError('GW_TOO_MANY', `dial ${name}: ${code}`, {
    say: 'The gateway has no descriptor left: raise its open-files limit, or lower limits.connections.',
  })
}

function unreachable(name: string, faults: readonly string[]): GatewayError {
  const silent = faults.length > 0 && faults.every((one) => one === SILENT || one === 'ETIMEDOUT')
  const what = silent ? 'does not answer' : 'cannot be reached'
  const why = faults.length === 0 ? 'no address' : faults.join(', ')
  return new GatewayError('GW_UPSTREAM_UNREACHABLE', `dial ${name}: ${why}`, {
    say: `The target of "${name}" ${what}.`,
  })
}
