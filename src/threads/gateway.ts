/**
 * IO. The running gateway as main sees it: threads, listeners, and how all of it starts, reloads and ends.
 *
 *   start:  folder locked → ship → control → session workers → listeners
 *   end:    listeners → sessions (drained) → control → ship (spool flushed) → lock
 *
 * Parses nothing and opens no database. Signals and the choice of configuration are main.ts.
 */
import { randomInt } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'
import { descriptorsMax } from '../accept/descriptor.ts'
import { ConnectionCount, type LimitFinding } from '../accept/limit.ts'
import { AddressSeats } from '../accept/seats.ts'
import { type Gate, type Listener, listen } from '../accept/tcp.ts'
import { isWithin } from '../base/cidr.ts'
import type { ErrorCode } from '../base/errors.ts'
import { ulid } from '../base/id.ts'
import type { Logger } from '../base/log.ts'
import type { Config, LimitsConfig } from '../config/shape.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { Handover } from './handover.ts'
import { House } from './house.ts'
import type { Broadcast, Listening, SessionWorkerData, Settings } from './messages.ts'
import { SessionPool } from './pool.ts'
import { reloadable } from './reloadable.ts'
import { spoolEncryption } from './spool-keys.ts'
import { StartError } from './start-error.ts'
import { bareEnvironment, entryOf, sessionLimits } from './topology.ts'

export interface GatewayOptions {
  readonly settings: Settings
  /** A taken port moves to a free one. */
  readonly freePorts?: boolean
  /** The protocol's words for a connection that is refused before its handshake. */
  refusalAtAccept(protocol: string, code: ErrorCode): Uint8Array
  readonly log: Logger
  /** Other entry points than the product's, for tests of this file. */
  readonly entries?: {
    readonly session?: string
    readonly control?: string
    readonly ship?: string
  }
}

export interface Gateway {
  readonly controlUrl: string
  /** In the order of `config.listeners`, with the ports that were really picked. */
  readonly listening: readonly Listening[]
  /** Connections that are open now. */
  readonly running: number
  /**
   * Ends the gateway: nothing new, sessions end when idle and all of them after `ms`. May be called again with
   * less time; resolves with `closed`.
   */
  drain(ms: number): Promise<void>
  /** Ends the gateway now: sessions are cut off, and what is not shipped yet is at the next start. */
  abandon(): Promise<void>
  /** Returns what keeps its old value until the next start. */
  reload(settings: Settings): readonly string[]
  /** A reload was refused, or (none) the last one was good. */
  reloadProblems(problems: readonly string[]): void
  readonly closed: Promise<void>
}

/** Sessions notice the deadline by themselves; this much later their workers are ended. */
const GRACE_MS = 2000
/** For listeners, threads' pipes, databases and segment files. */
const DESCRIPTORS_KEPT = 256
const STOP_MS = { controlMs: 5000, shipMs: 15_000 }
const ABANDON_MS = { controlMs: 1000, shipMs: 500 }

/** Throws `StartError` with one sentence for the person who starts it; then nothing is left running. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const folder = openDataFolder(options.settings.config.data)
  const gateway = new RunningGateway(options, folder)
  try {
    await gateway.start()
  } catch (error) {
    await gateway.drain(0)
    throw error
  }
  return gateway
}

class RunningGateway implements Gateway {
  readonly #options: GatewayOptions
  readonly #folder: DataFolder
  readonly #channel = new BroadcastChannel('sluice')
  readonly #count: ConnectionCount
  readonly #listeners: Listener[] = []
  #settings: Settings
  #house: House | undefined
  #pool: SessionPool | undefined
  #seats: AddressSeats | undefined
  #ending: Promise<void> | undefined
  #stopMs = STOP_MS
  #hurry: (ms: number) => void = () => {}
  readonly closed: Promise<void>
  #close: () => void = () => {}

  constructor(options: GatewayOptions, folder: DataFolder) {
    this.#options = options
    this.#folder = folder
    this.#settings = options.settings
    this.#channel.unref()
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
    this.#count = new ConnectionCount(this.#affordable(options.settings.config.limits))
    if (folder.isOpenToOthers) {
      options.log.warn({ data: options.settings.config.data }, 'others may list the data folder')
    }
  }

  get controlUrl(): string {
    return this.#house?.controlUrl ?? ''
  }

  get listening(): readonly Listening[] {
    return this.#listeners.map(({ host, port }, at) => ({
      protocol: this.#settings.config.listeners[at]!.protocol,
      host,
      port,
    }))
  }

  get running(): number {
    return this.#count.open
  }

  async start(): Promise<void> {
    const { log, entries } = this.#options
    const encryption = spoolEncryption(this.#settings.config.recorder)
    const shared = {
      instance: ulid(),
      spoolFolder: this.#folder.spoolFolder,
      recordKey: this.#folder.recordKey,
    }
    this.#house = await House.start({
      ...shared,
      encryption,
      gatewayId: this.#folder.gatewayId,
      settings: () => this.#settings,
      listening: () => this.listening,
      entries: {
        control: entries?.control ?? entryOf('control'),
        ship: entries?.ship ?? entryOf('ship'),
      },
      onControlRestarted: () => {
        this.#catchUp()
        this.#tell({ type: 'hello-again' })
      },
      log,
    })
    const handover = Handover.ofSize(descriptorsMax())
    this.#seats = AddressSeats.ofSize(descriptorsMax(), [randomInt(2 ** 31), randomInt(2 ** 31)])
    const workerData: SessionWorkerData = {
      ...shared,
      encrypt: encryption?.run,
      settings: this.#settings,
      handover: handover.shared,
      seats: this.#seats.shared,
    }
    this.#pool = await SessionPool.start({
      entry: entries?.session ?? entryOf('session'),
      size: this.#settings.config.workers,
      limits: sessionLimits(),
      environment: bareEnvironment(keyVariables(this.#settings.config)),
      workerData,
      handover,
      log,
      onHello: (hello) => {
        this.#house?.attach(hello)
        this.#catchUp()
      },
    })
    for (const [index, listener] of this.#settings.config.listeners.entries()) {
      await this.#listen(index, listener.listen)
    }
    this.#house.listening(this.listening)
  }

  drain(ms: number): Promise<void> {
    if (this.#ending === undefined) this.#ending = this.#end(ms)
    else this.#hurry(ms)
    return this.closed
  }

  abandon(): Promise<void> {
    this.#stopMs = ABANDON_MS
    return this.drain(-GRACE_MS)
  }

  reload(settings: Settings): readonly string[] {
    const { config, kept } = reloadable(this.#settings.config, settings.config)
    this.#settings = { ...settings, config }
    this.#count.relimit(this.#affordable(config.limits))
    this.#pool?.resettle(this.#settings)
    this.#announce()
    if (kept.length > 0) this.#options.log.warn({ kept }, 'needs a new start to take effect')
    return kept
  }

  reloadProblems(problems: readonly string[]): void {
    this.#house?.reloadProblems(problems)
  }

  async #listen(index: number, place: { host: string; port: number }): Promise<void> {
    const { freePorts, log } = this.#options
    const { protocol } = this.#settings.config.listeners[index]!
    const options = {
      listener: index,
      ...place,
      freePort: freePorts ?? false,
      gate: this.#gate(index, protocol),
      log,
    }
    try {
      const listener = await listen(options)
      this.#listeners.push(listener)
      log.info({ protocol, host: listener.host, port: listener.port }, 'listening')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
      const where = `${place.host}:${place.port}`
      throw new StartError(`The ${protocol} listener cannot listen on ${where}${code}.`, error)
    }
  }

  #gate(index: number, protocol: string): Gate {
    // undefined: a trusted proxy, whose connections are others'. Asked for each, as a reload may have changed it.
    const addressOf = (peer: string) => {
      const proxies = this.#settings.config.listeners[index]?.proxyProtocolFrom ?? []
      return isWithin(peer, proxies) ? undefined : peer
    }
    return {
      admit: (address) => {
        if (this.#ending !== undefined) return 'GW_DRAINING'
        // Nobody to serve it: better a clear word now than a connection that hangs.
        if (this.#pool === undefined || this.#pool.size === 0) return 'GW_UNAVAILABLE'
        const finding = this.#count.admit(addressOf(address))
        return REFUSALS[finding]
      },
      take: (arrival) => {
        // Whom a proxy speaks for is counted by the worker that reads it, and given back here, whatever becomes of that.
        const by = addressOf(arrival.address)
        const seat = by === undefined ? this.#seats?.assign() : undefined
        const over = this.#pool?.run({ ...arrival, seat }) ?? Promise.resolve()
        void over.then(() => {
          this.#count.release(by)
          if (seat !== undefined) this.#seats?.leave(seat)
        })
      },
      release: (address) => this.#count.release(addressOf(address)),
      refusal: (code) => this.#options.refusalAtAccept(protocol, code),
    }
  }

  async #end(ms: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.#drainSessions(ms)
    await this.#pool?.close()
    await this.#house?.stop(this.#stopMs)
    this.#channel.close()
    this.#folder.close()
    this.#close()
  }

  /** Until the pool is empty or the deadline is over; `#hurry` brings the deadline nearer. */
  async #drainSessions(ms: number): Promise<void> {
    const pool = this.#pool
    if (pool === undefined) return
    let deadline = Number.POSITIVE_INFINITY
    let wake = () => {}
    this.#hurry = (less) => {
      const sooner = Date.now() + less
      if (sooner >= deadline) return
      deadline = sooner
      this.#tell({ type: 'drain', deadline })
      wake()
    }
    this.#hurry(ms)
    while (pool.running > 0 && Date.now() < deadline + GRACE_MS) {
      const hurried = new Promise<void>((resolve) => {
        wake = resolve
      })
      await Promise.race([pool.idle(deadline + GRACE_MS - Date.now()), hurried])
    }
    this.#hurry = () => {}
    if (pool.running > 0) this.#options.log.warn({ sessions: pool.running }, 'sessions cut off')
  }

  /** A thread that was loading, and deaf, while a reload was announced must not miss it. */
  #catchUp(): void {
    if (this.#settings !== this.#options.settings) this.#announce()
  }

  #announce(): void {
    this.#tell({ type: 'settings', settings: this.#settings })
  }

  #tell(message: Broadcast): void {
    this.#channel.postMessage(message)
  }

  /** Each session needs two descriptors, and a process that has none left can do nothing in order. */
  #affordable(limits: LimitsConfig): LimitsConfig {
    const max = Math.max(1, Math.floor((descriptorsMax() - DESCRIPTORS_KEPT) / 2))
    if (limits.connections <= max) return limits
    const facts = { wanted: limits.connections, max }
    this.#options.log.warn(facts, 'the open-files limit allows fewer connections than configured')
    return { ...limits, connections: max }
  }
}

const REFUSALS: Readonly<Record<LimitFinding, ErrorCode | undefined>> = {
  open: undefined,
  full: 'GW_TOO_MANY',
  'address-full': 'GW_TOO_MANY_FROM_ADDRESS',
}

/** Variables that hold private keys of listeners, which the session workers serve TLS with. */
function keyVariables({ listeners }: Config): string[] {
  return listeners.flatMap(({ tls }) =>
    tls !== undefined && 'env' in tls.key ? [tls.key.env] : [],
  )
}
