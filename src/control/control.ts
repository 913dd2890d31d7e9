/**
 * IO. The control thread, put together: state, identity, vault, the API and its listener. Everything that is a secret at
 * rest is opened here and in no other thread.
 *
 * The listener comes first, the state database after it: making a new one takes seconds, in which `/readyz` says no and
 * whoever asks who somebody is waits.
 */
import { join } from 'node:path'
import { BroadcastChannel, type MessagePort } from 'node:worker_threads'
import { hostPort } from '../accept/address.ts'
import { isLoopback } from '../base/cidr.ts'
import { clock } from '../base/clock.ts'
import { diskProblem } from '../base/disk.ts'
import { GatewayError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { Vault } from '../dial/vault.ts'
import { type Attempt, identify, REAL_TIME } from '../identify/identify.ts'
import type { Identity } from '../identify/identity.ts'
import { Lockout } from '../identify/lockout.ts'
import { openRecorder } from '../record/recorder.ts'
import { retentionOf } from '../record/retention.ts'
import type { SeenHead } from '../record/ship-messages.ts'
import { SEGMENT_BYTES_MAX } from '../record/spool.ts'
import { Store } from '../replay/store.ts'
import type { Broadcast, HouseCommand, Listening, Settings } from '../threads/messages.ts'
import { type ApiParts, api } from './api/api.ts'
import { Endings } from './endings.ts'
import { type Listener, listen } from './http.ts'
import { exposition, WorkerNumbers } from './metrics.ts'
import { announceControl, operatorHash, withdrawControl } from './operator.ts'
import { Places } from './places.ts'
import { PolicyRecord } from './policy-record.ts'
import { PolicyWork } from './policy-work.ts'
import { WorkerPorts } from './ports.ts'
import { Privacy } from './privacy.ts'
import { AdminRecord } from './record.ts'
import { recipientsOf, Seals } from './seals.ts'
import { ChainHeads } from './state/heads.ts'
import { Questions } from './state/questions.ts'
import { StateThread } from './state/state-thread.ts'
import { Tokens } from './state/tokens.ts'
import type { ControlNews, ControlWorkerData } from './thread.ts'

const BODY_BYTES_MAX = 128 * 1024
/** Candidates and schemas are files. */
const POLICIES_BYTES_MAX = 2 * 1024 * 1024

export interface ControlOptions extends ControlWorkerData {
  readonly thread: number
  readonly log: Logger
  /** To main. */
  tell(news: ControlNews): void
  /** Nothing is open any more and the thread may end. */
  onStopped(): void
}

/** How long a session waits for another one of its connection to end. */
const PLACE_WAIT_MS = 5000
const HEADS_MS = 1000
const PROBE_MS = 1000

export class Control {
  readonly #options: ControlOptions
  readonly #channel = new BroadcastChannel('sluice')
  readonly #numbers = new WorkerNumbers(this.#channel)
  readonly #endings = new Endings((message) => this.#channel.postMessage(message))
  readonly #lockout = new Lockout()
  readonly #ports: WorkerPorts
  readonly #seals: Seals
  readonly #record: AdminRecord
  readonly #policyRecord: PolicyRecord
  readonly #privacy: Privacy
  readonly #policies = new PolicyWork()
  #settings: Settings
  #listening: readonly Listening[] = []
  #reloadProblems: readonly string[] = []
  #store: Store | undefined
  #listener: Listener | undefined
  #state: StateThread | undefined
  #tokens: Promise<Tokens> | undefined
  #heads: ChainHeads | undefined
  #headTimer: NodeJS.Timeout | undefined
  #isStopped = false
  #spoolProbe: { at: number; code: string | undefined } = { at: -PROBE_MS, code: undefined }

  constructor(options: ControlOptions) {
    this.#options = options
    this.#settings = options.settings
    const vault = new Vault(() => this.#settings.config.connections)
    const places = new Places({
      max: (connection) => this.#settings.config.connections.get(connection)?.maxSessions,
      waitMs: PLACE_WAIT_MS,
    })
    this.#seals = openSeals(options)
    const sealKey = (session: string) => this.#seals.keyFor(session)
    this.#ports = new WorkerPorts({ identify: this.#identify, vault, places, sealKey }, (thread) =>
      this.#numbers.gone(thread),
    )
    this.#record = openRecord(options)
    this.#policyRecord = new PolicyRecord((moments) => this.#record.policy(moments))
    this.#sayPolicy()
    this.#privacy = this.#openPrivacy()
    if (options.store !== undefined) this.#useStore(options.store)
    this.#channel.onmessage = (event: unknown) => this.#onBroadcast(event as { data: Broadcast })
  }

  /** Tells main how it went; never rejects. */
  async start(): Promise<void> {
    try {
      await this.#listen()
      await this.#openTokens()
      this.#options.tell({ type: 'state-open' })
      this.#keepHeads()
      this.#privacy.start()
    } catch (error) {
      if (this.#isStopped) return
      this.#options.log.error({ code: GatewayError.from(error).code }, 'control does not start')
      this.#options.tell({ type: 'control-failed', say: GatewayError.from(error).message })
      await this.stop()
    }
  }

  onCommand(command: HouseCommand): void {
    switch (command.type) {
      case 'attach':
        this.#ports.attach(command.thread, command.port)
        return
      case 'peer':
        this.#useStore(command.port)
        return
      case 'listening':
        this.#listening = command.listeners
        return
      case 'reload':
        this.#reloadProblems = command.problems
        return
      case 'stop':
        void this.stop()
        return
      default: // `worker-gone` is for ship.
    }
  }

  /** May be called twice. The listen socket goes first: a thread that ends with one aborts the process. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#privacy.stop()
    clearInterval(this.#headTimer)
    if (this.#listener !== undefined) withdrawControl(this.#settings.config.data)
    this.#listener?.close()
    this.#ports.close()
    this.#policies.close()
    this.#store?.close()
    this.#channel.close()
    try {
      this.#record.close()
    } catch (error) {
      this.#options.log.error({ code: GatewayError.from(error).code }, 'admin events not flushed')
    }
    await this.#state?.close()
    this.#options.onStopped()
  }

  async #listen(): Promise<void> {
    const { config } = this.#settings
    const { host, port } = config.control.listen
    if (!isLoopback(host))
      throw unavailable('control.listen beyond loopback needs TLS, which this version has not.')
    const bodyBytesMax = (path: string): number =>
      path.startsWith('/api/v1/policies/') ? POLICIES_BYTES_MAX : BODY_BYTES_MAX
    const options = { host, bodyBytesMax, handle: api(this.#apiParts()) }
    let listener = await listen({ ...options, port })
    // Without a configuration nobody chose the port, so any will do.
    if (listener === undefined && config.path === undefined)
      listener = await listen({ ...options, port: 0 })
    if (listener === undefined)
      throw unavailable(
        `The control listener cannot listen on ${hostPort(host, port)}: it is taken.`,
      )
    this.#listener = listener
    announceControl(config.data, listener.url)
    this.#options.log.info({ url: listener.url }, 'control listening')
    this.#options.tell({ type: 'control-listening', url: listener.url })
  }

  /** Once for all callers; a failure is final, and main is told by `start`. */
  #openTokens(): Promise<Tokens> {
    const { log } = this.#options
    const options = {
      folder: join(this.#settings.config.data, 'state'),
      onChange: (problem: string | undefined) => {
        if (problem === undefined) log.info('the state database is there again')
        else log.error(problem)
      },
    }
    this.#tokens ??= StateThread.open(options).then(async (state) => {
      if (this.#isStopped) await state.close()
      this.#state = state
      this.#heads = new ChainHeads(state)
      return new Tokens(state)
    })
    return this.#tokens
  }

  /** Each signed head is in the state database a second later; there it outlives a record that is rolled back. */
  #keepHeads(): void {
    let [isAsking, isFailing] = [false, false]
    let seen: SeenHead | undefined
    const keep = async () => {
      const [heads, store] = [this.#heads, this.#store]
      if (isAsking || heads === undefined || store === undefined || this.#isStopped) return
      isAsking = true
      try {
        seen ??= await heads.newest()
        seen = (await heads.insert(await store.heads(seen))) ?? seen
        isFailing = false
      } catch (error) {
        const { code, message } = GatewayError.from(error)
        if (!isFailing && !this.#isStopped)
          this.#options.log.warn({ code }, `heads of the chain are not kept: ${message}`)
        isFailing = true
      }
      isAsking = false
    }
    this.#headTimer = setInterval(() => {
      this.#sayPolicy()
      void keep()
    }, HEADS_MS)
    this.#headTimer.unref()
  }

  readonly #identify = (attempt: Attempt): Promise<Identity> =>
    identify(attempt, {
      ...REAL_TIME,
      lockout: this.#lockout,
      find: async (id) => (await this.#openTokens()).find(id),
    })

  #onBroadcast({ data }: { data: Broadcast }): void {
    this.#numbers.onBroadcast(data)
    this.#endings.onBroadcast(data)
    if (data.type !== 'settings') return
    this.#settings = data.settings
    this.#sayPolicy()
  }

  /** Where it cannot be written yet, no action is recorded either: it is tried again with the heads. */
  #sayPolicy(): void {
    try {
      this.#policyRecord.inForce(this.#settings)
    } catch (error) {
      this.#options.log.error({ code: GatewayError.from(error).code }, 'the policy is not recorded')
    }
  }

  #apiParts(): ApiParts {
    return {
      config: () => this.#settings.config,
      listening: () => this.#listening,
      tokens: () => this.#openTokens(),
      questions: async () => {
        await this.#openTokens()
        return new Questions(this.#needState())
      },
      store: () => this.#needStore(),
      work: (job, gone) =>
        this.#policies.ask(job, { settings: this.#settings, store: this.#store, gone }),
      record: (caller, moment) => this.#record.admin(caller, moment),
      seals: this.#seals,
      // Nothing has been approved where there are no requests.
      unsealApproval: () => Promise.resolve(undefined),
      use: () => Promise.resolve(false),
      recordRefused: (address, status) => this.#recordRefused(address, status),
      broadcast: (message) => this.#channel.postMessage(message),
      endSession: (id) => this.#endings.end(id),
      privacy: this.#privacy,
      knownHeads: async () => (await this.#heads?.known()) ?? [],
      operatorHash: operatorHash(this.#settings.config.data),
      identify: this.#identify,
      notReady: () => this.#notReady(),
      metrics: () => this.#metrics(),
      now: REAL_TIME.now,
      log: this.#options.log,
    }
  }

  #openPrivacy(): Privacy {
    return new Privacy({
      retention: () => retentionOf(this.#settings.config),
      state: async () => {
        await this.#openTokens()
        return this.#needState()
      },
      store: () => this.#needStore(),
      record: (caller, moment) => this.#record.admin(caller, moment),
      now: () => clock.microseconds(),
      log: this.#options.log,
    })
  }

  /** The port to a ship thread; the former one, if any, is dead. */
  #useStore(port: MessagePort): void {
    const { store } = this.#settings.config.recorder
    this.#store?.close()
    this.#store = new Store(port, store.embedded ? 'sluice' : store.database)
  }

  #needStore(): Store {
    if (this.#store === undefined) throw unavailable('there is no ship thread')
    return this.#store
  }

  #needState(): StateThread {
    if (this.#state === undefined) throw unavailable('the state is not open')
    return this.#state
  }

  /** Terse on purpose: anybody may ask. */
  #notReady(): string | undefined {
    if (this.#state === undefined || this.#ports.threads.length === 0) return 'it is starting'
    // Main listens when all its session workers are up.
    if (this.#listening.length < this.#settings.config.listeners.length) return 'it is starting'
    const now = performance.now()
    // Asked by anybody and as often as they like: the disk is not.
    if (now - this.#spoolProbe.at > PROBE_MS)
      this.#spoolProbe = {
        at: now,
        code: diskProblem(this.#options.spoolFolder, SEGMENT_BYTES_MAX),
      }
    const { code } = this.#spoolProbe
    if (code !== undefined) return `nothing can be recorded (${code})`
    return this.#state.problem === undefined ? undefined : 'the state database is away'
  }

  async #metrics(): Promise<string> {
    const [workers, store] = await Promise.all([
      this.#numbers.ask(this.#ports.threads),
      this.#store?.metrics().catch(() => undefined),
    ])
    return exposition(workers, {
      policyVersion: this.#settings.policyVersion,
      reloadRefused: this.#reloadProblems.length > 0,
      store,
    })
  }

  /** The answer is a refusal either way, so a spool that cannot be written changes nothing here. */
  #recordRefused(address: string, status: string): void {
    try {
      this.#record.refused(address, status)
    } catch (error) {
      this.#options.log.error({ code: GatewayError.from(error).code }, 'refusal not recorded')
    }
  }
}

function openRecord(options: ControlOptions): AdminRecord {
  const { recorder } = options.settings.config
  return new AdminRecord(
    openRecorder({
      spoolFolder: options.spoolFolder,
      instance: options.instance,
      thread: options.thread,
      recordKey: options.recordKey,
      bytesMax: recorder.spoolBytesMax,
      strict: recorder.durability === 'strict',
      ratchet: recorder.ratchet,
      encrypt: options.encrypt,
      clock,
    }),
    options.instance,
  )
}

function openSeals({ settings }: ControlOptions): Seals {
  const { data, recorder } = settings.config
  return new Seals(join(data, 'seal'), recipientsOf(recorder.seal), REAL_TIME.now)
}

function unavailable(message: string): GatewayError {
  return new GatewayError('GW_UNAVAILABLE', message)
}
