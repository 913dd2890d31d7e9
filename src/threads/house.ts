/**
 * IO. The two threads that every gateway has once: control and ship. Starts ship first, gives control a port
 * to it, passes the session workers' ports on to control, and puts all of it together again when one is lost.
 */
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Logger } from '../base/log.ts'
import type { ControlNews, ControlWorkerData } from '../control/thread.ts'
import { resolveSecret } from '../dial/secret.ts'
import { anchorTarget } from '../record/anchor.ts'
import { retentionOf } from '../record/retention.ts'
import type { ShipControl, ShipWorkerData } from '../record/ship-messages.ts'
import type { ControlAttach, HouseCommand, Listening, Settings, WorkerHello } from './messages.ts'
import type { SpoolEncryption } from './spool-keys.ts'
import { type News, SupervisedThread } from './supervise.ts'
import { bareEnvironment } from './topology.ts'

export interface HouseOptions {
  readonly instance: string
  /** The same at every start. */
  readonly gatewayId: string
  readonly spoolFolder: string
  readonly recordKey: Uint8Array
  /** undefined: the spool is not encrypted. */
  readonly encryption?: SpoolEncryption | undefined
  readonly entries: { readonly control: string; readonly ship: string }
  /** As they are now; asked at each start of a thread. */
  settings(): Settings
  listening(): readonly Listening[]
  /** Control is up again after it had died, and has lost the ports of all session workers. */
  onControlRestarted(): void
  readonly log: Logger
}

export class House {
  controlUrl = ''
  readonly #options: HouseOptions
  #ship: SupervisedThread | undefined
  #control: SupervisedThread | undefined
  #problems: readonly string[] = []

  private constructor(options: HouseOptions) {
    this.#options = options
  }

  /** Throws `StartError`; then neither thread is left. */
  static async start(options: HouseOptions): Promise<House> {
    const house = new House(options)
    try {
      house.#ship = await house.#startShip()
      house.#control = await house.#startControl()
    } catch (error) {
      await house.stop({ controlMs: 5000, shipMs: 5000 })
      throw error
    }
    return house
  }

  attach(hello: WorkerHello): void {
    const message: ControlAttach = { type: 'attach', thread: hello.thread, port: hello.control }
    // While control is down the port goes nowhere and its worker is told at once: the port closes.
    if (this.#control?.isUp) this.#control.post(message, [hello.control])
    else hello.control.close()
  }

  listening(listeners: readonly Listening[]): void {
    this.#command({ type: 'listening', listeners })
  }

  reloadProblems(problems: readonly string[]): void {
    this.#problems = problems
    this.#command({ type: 'reload', problems })
  }

  /** Control first: it asks ship. Each gets its time; ship uses it to flush the spool. */
  async stop(times: { readonly controlMs: number; readonly shipMs: number }): Promise<void> {
    const until = (ms: number) => ({ type: 'stop', deadline: Date.now() + ms }) as const
    await this.#control?.stop(until(times.controlMs), times.controlMs)
    // A second on top, so that the thread ends by its own deadline, not by ours.
    await this.#ship?.stop(until(times.shipMs), times.shipMs + 1000)
  }

  #startShip(): Promise<SupervisedThread> {
    const { entries, log } = this.#options
    return SupervisedThread.start({
      name: 'ship',
      entry: entries.ship,
      workerOptions: () => ({ workerData: this.#shipData(), env: bareEnvironment() }),
      reader: () => () => ({ type: 'other' }),
      // It says nothing, and nobody waits for it: while it is away the spool grows.
      isReadyOnline: true,
      onLost: () => {},
      onRestarted: () => {
        const port = this.#shipPort()
        this.#command({ type: 'peer', port }, [port])
      },
      log,
    })
  }

  #shipData(): ShipWorkerData {
    const { instance, gatewayId, spoolFolder, encryption } = this.#options
    const { config } = this.#options.settings()
    const { data, recorder } = config
    const { store } = recorder
    const retention = retentionOf(config)
    const chain = {
      chainFolder: join(data, 'chain'),
      anchors: recorder.anchors.map((one) => anchorTarget(one, resolveSecret)),
    }
    const writes = { ratchet: recorder.ratchet, encrypted: encryption !== undefined }
    const spool = { spoolFolder, spoolKeys: encryption?.keys ?? [], writes }
    const shared = { instance, gateway: gatewayId, ...spool, retention, ...chain }
    if (store.embedded) {
      const folder = join(data, 'clickhouse')
      const { listen } = store
      const port =
        listen === undefined ? undefined : { ...listen, password: resolveSecret(listen.password) }
      return { ...shared, store: { embedded: true, folder, port } }
    }
    const password = store.password === undefined ? undefined : resolveSecret(store.password)
    const { url, database, user, cluster } = store
    return { ...shared, store: { embedded: false, url, database, user, cluster, password } }
  }

  #startControl(): Promise<SupervisedThread> {
    const { instance, spoolFolder, recordKey, encryption, entries, log } = this.#options
    const spool = { spoolFolder, encrypt: encryption?.run }
    return SupervisedThread.start({
      name: 'control',
      entry: entries.control,
      workerOptions: () => {
        const store = this.#shipPort()
        const settings = this.#options.settings()
        const workerData: ControlWorkerData = { settings, instance, ...spool, recordKey, store }
        return { workerData, transferList: [store] }
      },
      reader: () => this.#controlReader(),
      onLost: () => {},
      onRestarted: () => {
        this.listening(this.#options.listening())
        this.reloadProblems(this.#problems)
        this.#options.onControlRestarted()
      },
      log,
    })
  }

  /** One end for control; the other goes to ship. */
  #shipPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const attach: ShipControl = { type: 'attach', port: port2 }
    this.#ship?.post(attach, [port2])
    return port1
  }

  /** Up once it listens and its state database answers, in whichever order that comes. */
  #controlReader(): (message: unknown) => News {
    let [isListening, isOpen] = [false, false]
    return (message) => {
      if (!isControlNews(message)) return { type: 'other' }
      if (message.type === 'control-failed') return { type: 'failed', say: message.say }
      if (message.type === 'control-listening') {
        this.controlUrl = message.url
        isListening = true
      } else isOpen = true
      return isListening && isOpen ? { type: 'ready' } : { type: 'other' }
    }
  }

  #command(command: HouseCommand, transfer: readonly MessagePort[] = []): void {
    this.#control?.post(command, transfer)
  }
}

const CONTROL_NEWS: readonly unknown[] = [
  'control-listening',
  'state-open',
  'control-failed',
] satisfies ControlNews['type'][]

function isControlNews(message: unknown): message is ControlNews {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    CONTROL_NEWS.includes(message.type)
  )
}
