/**
 * IO (files, sockets, processes). What the ship thread does: keeps the store running, ships
 * segments, answers queries. `workers/ship.ts` is its entry and nothing more.
 */
import type { MessagePort } from 'node:worker_threads'
import { clock } from '../base/clock.ts'
import { diskProblem } from '../base/disk.ts'
import { SpareMemory } from '../base/spare-memory.ts'
import type { Chain } from './chain.ts'
import { type ClickHouse, openClickHouse, StoreError } from './clickhouse.ts'
import { EngineChild } from './engine-child.ts'
import { EngineInserts } from './engine-inserts.ts'
import { bringLockedBack } from './locked.ts'
import { migrate } from './migrate.ts'
import { Notary } from './notary.ts'
import { answerPrivacy } from './privacy.ts'
import { longestDays } from './retention.ts'
import { CLUSTER_READER, CLUSTER_WRITER } from './schema-cluster.ts'
import { SealedShipper } from './sealed-ship.ts'
import { sealedFolder } from './sealed-spool.ts'
import { Shipper, type ShipperOptions } from './ship.ts'
import { ShipLoop } from './ship-loop.ts'
import type {
  ShipAnswer,
  ShipMetrics,
  ShipRequest,
  ShipShare,
  ShipWorkerData,
} from './ship-messages.ts'
import { lagSeconds, spoolUsage } from './spool.ts'
import { SpoolKeys } from './spool-cipher.ts'

/** Free room without which no statement changes what tables are. */
const TABLES_BYTES_MIN = 16 << 20
const ENGINE_MEMORY_BYTES = 2 * 1024 ** 3
/**
 * Segments that are read and what is sent of them, three of each where the store is behind. Too little is worse than nothing: V8
 * collects the whole heap whenever 20 MB more are taken outside of it than were held after the last time.
 */
const SPARE_BYTES_MAX = { each: 32 << 20, all: 160 << 20 } as const
/**
 * What auditors look for is indexed when parts are merged: at an insert words would cost a seventh of it, the others a twelfth, and
 * what is not merged yet is little.
 */
const INDEXED_LATER = ['by_word', 'by_who', 'by_kind', 'by_rule', 'by_object', 'by_masked']
const EMBEDDED_WRITER = { exclude_materialize_skip_indexes_on_insert: INDEXED_LATER.join(',') }

type Say = ShipperOptions['say']

/** The store of this gateway: started and given its tables when it is first used. */
export class Store {
  readonly #data: ShipWorkerData
  readonly #say: Say
  readonly #engine: EngineChild | undefined
  readonly #client: ClickHouse
  /** Same store, with our database as the current one; for questions. */
  readonly #reader: ClickHouse
  #tables: Promise<void> | undefined
  #questions = 0
  #isBehind = false

  constructor(data: ShipWorkerData, say: Say, entry?: string) {
    this.#data = data
    this.#say = say
    const { store } = data
    if (!store.embedded) {
      const [reader, writer] =
        store.cluster === undefined ? [{}, {}] : [CLUSTER_READER, CLUSTER_WRITER]
      this.#client = openClickHouse(store, 'default', { ...reader, ...writer })
      this.#reader = openClickHouse(store, store.database, reader)
      return
    }
    this.#engine = new EngineChild({
      folder: store.folder,
      memoryBytesMax: store.memoryBytesMax ?? ENGINE_MEMORY_BYTES,
      say,
      port: store.port,
      ...(entry === undefined ? {} : { entry }),
    })
    this.#share()
    const { address } = this.#engine
    this.#client = openClickHouse(address, 'default', EMBEDDED_WRITER)
    this.#reader = openClickHouse(address, this.database)
  }

  get database(): string {
    return this.#data.store.embedded ? 'sluice' : this.#data.store.database
  }

  get restarts(): number {
    return Math.max(0, this.#engine?.restarts ?? 0)
  }

  get pid(): number | undefined {
    return this.#engine?.pid
  }

  /**
   * Ready to be used, with all tables. Rejects where it cannot be reached; the next call tries
   * again.
   */
  readonly ready = async (): Promise<ClickHouse> => {
    await this.#engine?.ready()
    this.#tables ??= this.#migrate().catch((error: unknown) => {
      this.#tables = undefined
      throw error
    })
    await this.#tables
    this.#share()
    return this.#client
  }

  async reader(): Promise<ClickHouse> {
    await this.ready()
    return this.#reader
  }

  /** What waits for it has waited too long, or there is nothing else to do. */
  set isBehind(isBehind: boolean) {
    this.#isBehind = isBehind
    this.#share()
  }

  /** Somebody waits for the answer. */
  async question<Answer>(ask: (reader: ClickHouse) => Promise<Answer>): Promise<Answer> {
    this.#questions++
    this.#share()
    try {
      return await ask(await this.reader())
    } finally {
      this.#questions--
      this.#share()
    }
  }

  #share(): void {
    const isWanted = this.#questions > 0 || this.#isBehind
    if (this.#engine !== undefined) this.#engine.deferred = !isWanted
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#reader.close()
    await this.#engine?.stop()
  }

  /** On a full disk the embedded engine says that a table is made, and what it keeps of it is an empty file, for ever. */
  #checkRoom(): void {
    const { store } = this.#data
    const problem = store.embedded ? diskProblem(store.folder, TABLES_BYTES_MIN) : undefined
    if (problem !== undefined)
      throw new StoreError(`there is no room to make tables in (${problem})`, undefined, undefined)
  }

  async #migrate(): Promise<void> {
    const { database } = this
    const { instance, gateway, retention } = this.#data
    const retentionDays = longestDays(retention)
    const cluster = this.#data.store.embedded ? undefined : this.#data.store.cluster
    const options = { database, retentionDays, cluster }
    const ran = await migrate(this.#client, options, () => this.#checkRoom())
    if (cluster === undefined) await dropTimes(this.#client, database)
    await this.#client.command({
      sql:
        `INSERT INTO \`${database}\`.instances SELECT {instance:String}, {gateway:String}, ` +
        'fromUnixTimestamp64Micro({at:Int64})',
      params: { instance, gateway, at: clock.microseconds() },
    })
    const news = ran.length === 0 ? '' : `; new are ${ran.join(', ')}`
    this.#say('info', `record store has its tables${news}`)
  }
}

export interface ShipThread {
  /** Answers requests on the port from here on. */
  attach(port: MessagePort): void
  /**
   * Ships until the spool is empty or the deadline (milliseconds since 1970) has passed; then
   * closes the store.
   */
  stop(deadline: number): Promise<void>
  readonly store: Store
  /** The gateway's own log of its chain. */
  readonly chain: Chain
  /** Signs what is recorded and copies it into the store, now. */
  copyChain(): Promise<void>
}

/** Starts to ship at once. `entry`: the engine's entry, for tests. */
export function startShipping(data: ShipWorkerData, say: Say, entry?: string): ShipThread {
  const store = new Store(data, say, entry)
  const { spoolFolder, instance } = data
  const cluster = data.store.embedded ? undefined : data.store.cluster
  const keys = new SpoolKeys(data.spoolKeys, data.writes?.encrypted ? instance : undefined)
  bringLockedBack(spoolFolder, keys, say)
  const spare = new SpareMemory(SPARE_BYTES_MAX.each, SPARE_BYTES_MAX.all)
  const inserts = data.store.embedded ? new EngineInserts(undefined, spare) : undefined
  const parts = { database: store.database, store: store.ready, say, keys, inserts, spare }
  const notary = new Notary(data, parts)
  const shipper = new Shipper({
    spoolFolder,
    instance,
    database: store.database,
    cluster,
    store: store.ready,
    opened: (name) => notary.opened(name),
    cover: (name, content) => notary.cover(name, content),
    stored: (name) => notary.stored(name),
    forget: (name) => notary.forget(name),
    say,
    keys,
    inserts,
  })
  shipper.recover()
  // Others ask it when they like, and not only when there is something to store. What fails is said where it is tried again.
  if (data.store.embedded && data.store.port !== undefined) store.ready().catch(() => {})
  const sealed = new SealedShipper({
    spoolFolder,
    instance,
    database: store.database,
    cluster,
    store: store.ready,
    say,
    keys,
  })
  sealed.start()
  const loop = new ShipLoop({ shipper, store, spare })
  return {
    store,
    get chain() {
      return notary.chain
    },
    copyChain: () => notary.copyNow(),
    attach(port) {
      port.on('message', (request: ShipRequest | ShipShare) => {
        if (request.type === 'share') {
          this.attach(request.port)
          return
        }
        answer(request, { data, store, shipper, notary }).then((reply) => port.postMessage(reply))
      })
    },
    async stop(deadline) {
      await loop.stop(deadline)
      await sealed.stop(deadline)
      await notary.close(deadline)
      await store.close()
    },
  }
}

/** A hold must keep rows that are past their time, so that no table may drop them by itself; earlier versions let it. */
async function dropTimes(client: ClickHouse, database: string): Promise<void> {
  const timed = await client.query({
    sql: "SELECT name FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)} AND create_table_query LIKE '% TTL %'",
    params: { database, names: ['events', 'sealed', 'sealed_keys'] },
  })
  for (const { name } of timed)
    await client.command({ sql: `ALTER TABLE \`${database}\`.${String(name)} REMOVE TTL` })
}

interface Parts {
  readonly data: ShipWorkerData
  readonly store: Store
  readonly shipper: Shipper
  readonly notary: Notary
}

async function answer(
  request: ShipRequest,
  { data, store, shipper, notary }: Parts,
): Promise<ShipAnswer> {
  const { id } = request
  try {
    switch (request.type) {
      case 'metrics':
        return {
          type: 'metrics',
          id,
          metrics: { ...numbers(data, store, shipper), ...notary.numbers },
        }
      case 'evidence': {
        const page = await store.question((reader) => notary.evidence(reader, request.from))
        return { type: 'evidence', id, page }
      }
      case 'heads':
        return { type: 'heads', id, heads: notary.headsAfter(request.seen) }
      case 'sweep':
      case 'erasure':
      case 'erase':
      case 'hold': {
        const parts = { data, database: store.database, notary, store: store.ready }
        return await store.question((reader) => answerPrivacy(request, reader, parts))
      }
      default:
    }
    const { sql, settings } = request
    if (request.type === 'explain') {
      const text = await store.question((client) => client.explain({ sql, settings }))
      return { type: 'text', id, text }
    }
    const { params } = request
    const rows = await store.question((client) => client.query({ sql, params, settings }))
    return { type: 'rows', id, rows }
  } catch (error) {
    const exception = error instanceof StoreError ? error.exception : undefined
    const message = error instanceof Error ? error.message : String(error)
    return { type: 'failed', id, message, exception }
  }
}

function numbers(
  { spoolFolder }: ShipWorkerData,
  store: Store,
  shipper: Shipper,
): Omit<ShipMetrics, keyof Notary['numbers']> {
  const waiting = shipper.waiting
  // Sealed originals have a spool of their own, which fills the same disk and may stand still by itself.
  const sealed = spoolUsage(sealedFolder(spoolFolder))
  return {
    spoolBytes: waiting.bytes + sealed.bytes,
    spoolLagSeconds: Math.max(waiting.lagSeconds, lagSeconds(sealed)),
    eventsShipped: shipper.eventsShipped,
    segmentsShipped: shipper.segmentsShipped,
    segmentsBad: shipper.segmentsBad,
    eventsLost: shipper.eventsLost,
    engineRestarts: store.restarts,
    storeOk: shipper.storeOk,
  }
}
