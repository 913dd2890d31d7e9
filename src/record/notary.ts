/**
 * IO (files, time). Keeps the chain of this gateway: covers and signs a few times a second, copies it into the record store
 * every few seconds, hands heads to the anchors, and answers for evidence. Lives in the ship thread.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { clock } from '../base/clock.ts'
import type { SpareMemory } from '../base/spare-memory.ts'
import { Anchors } from './anchor-child.ts'
import { BelievedTime } from './believed-time.ts'
import { Chain, type ChainOptions } from './chain.ts'
import { ChainStore } from './chain-store.ts'
import type { ClickHouse } from './clickhouse.ts'
import type { EngineInserts } from './engine-inserts.ts'
import { Evidence } from './evidence.ts'
import type { EvidenceCursor, EvidencePage, EvidenceScope } from './evidence-page.ts'
import { readHead, type SignedHead } from './proof.ts'
import { sealedFolder } from './sealed-spool.ts'
import type { SegmentContent } from './segment.ts'
import type { SeenHead, ShipWorkerData } from './ship-messages.ts'
import { baseName, spoolFiles } from './spool.ts'
import type { SpoolKeys } from './spool-cipher.ts'

const TICK_MS = 250
const COPY_MS = 5000
/** How long evidence waits for rows that are on their way into the store. */
const STORED_MS_MAX = 10_000
/** How long somebody waits for everything that lies in the spool. */
const SETTLED_MS_MAX = 30_000

export interface NotaryParts {
  readonly database: string
  readonly store: () => Promise<ClickHouse>
  readonly say: ChainOptions['say']
  /** Of encrypted segments. */
  readonly keys: SpoolKeys
  /** For the embedded engine. */
  readonly inserts?: EngineInserts | undefined
  readonly spare?: SpareMemory | undefined
}

export class Notary {
  readonly #options: ChainOptions
  readonly #parts: NotaryParts
  readonly #anchors: Anchors | undefined
  readonly #timer: NodeJS.Timeout
  /** By which retention deletes. */
  readonly believed: BelievedTime
  #chain: Chain
  #copies: ChainStore
  #copying: Promise<void> | undefined
  #copiedMs = 0

  constructor(data: ShipWorkerData, parts: NotaryParts) {
    this.#parts = parts
    const { anchors = [] } = data
    this.#anchors = anchors.length > 0 ? new Anchors(anchors, parts.say) : undefined
    this.#options = {
      folder: data.chainFolder,
      spoolFolder: data.spoolFolder,
      gateway: data.gateway,
      instance: data.instance,
      retention: data.retention,
      clock,
      say: parts.say,
      keys: parts.keys,
      inserts: parts.inserts,
      spare: parts.spare,
      ratchet: data.writes?.ratchet,
      onHead: (head, keys) => this.#anchors?.send(head, keys),
    }
    this.#chain = Chain.open(this.#options)
    this.believed = new BelievedTime({
      path: join(data.chainFolder, 'believed-time'),
      former: this.#chain.former,
      // A clock that was corrected after the start is right by now.
      wall: () => Math.min(clock.microseconds(), Date.now() * 1000),
      elapsed: () => clock.elapsed(),
      say: parts.say,
    })
    this.#copies = new ChainStore(this.#chain, parts.database, parts.say)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  get numbers(): { chainLeaves: number; chainHeadSeconds: number; anchorsBehind: number } {
    const at = this.#chain.head?.at ?? 0
    return {
      chainLeaves: this.#chain.size,
      chainHeadSeconds: Math.max(0, (clock.microseconds() - at) / 1e6),
      anchorsBehind: this.#anchors?.behind ?? 0,
    }
  }

  /** Before it is stored. */
  cover(name: string, content: SegmentContent): void {
    this.#chain.cover(name, content)
    this.#chain.settle()
  }

  /** What is in memory of a complete segment. */
  opened(name: string): SegmentContent | undefined {
    return this.#chain.opened(name)
  }

  stored(name: string): void {
    this.#chain.isStored(name)
  }

  forget(name: string): void {
    this.#chain.forget(name)
  }

  /** What somebody who has seen the chain up to `seen` has not seen. A chain that is behind it is given up. */
  headsAfter(seen: SeenHead | undefined): readonly SignedHead[] {
    if (seen?.chain !== this.#chain.id) return this.#chain.headsAfter(-1)
    if (seen.number > (this.#chain.head?.number ?? -1) || seen.size > this.#chain.size)
      this.#beginAnew(seen.size)
    return this.#chain.headsAfter(seen.chain === this.#chain.id ? seen.number : -1)
  }

  /** Everything that is recorded by now is signed and copied first. */
  async evidence(reader: ClickHouse, from: EvidenceScope | EvidenceCursor): Promise<EvidencePage> {
    const isFirst = !('chains' in from)
    if (isFirst) {
      await this.copyNow()
      // What signed events say of originals was written before them, and takes another way into the store.
      const originals = sealedFolder(this.#options.spoolFolder)
      await shipped([originals], performance.now() + STORED_MS_MAX)
    }
    const [last] = this.#chain.headsAfter(this.#copies.head - 1)
    const head = readHead(last?.text ?? '')
    const evidence = new Evidence(reader, this.#parts.database, {
      id: this.#chain.id,
      size: head?.size ?? 0,
      leaves: (first, to) => this.#chain.leaves(first, to),
      settle: () => this.copyNow(),
    })
    if (!isFirst) return evidence.next(from)
    const page = await evidence.begin(from, head?.at ?? 0)
    const known = last === undefined ? [] : [{ source: 'gateway', ...last }]
    return { ...page, lines: [...page.lines, { known }] }
  }

  get chain(): Chain {
    return this.#chain
  }

  /**
   * Signs what is recorded, and copies it once its rows are in the store; after a while, what is. Rejects with StoreError.
   */
  async copyNow(): Promise<void> {
    this.#chain.tick()
    this.#chain.sign('run')
    const size = this.#chain.head?.size ?? 0
    const deadline = performance.now() + STORED_MS_MAX
    while (this.#chain.stored < size && performance.now() < deadline) await wait(20)
    await this.#copy()
  }

  /** All that was recorded by now is in the store, signed and copied. Rejects where that takes too long. */
  async settle(): Promise<void> {
    const { spoolFolder } = this.#options
    // Sealed originals and their keys too: what comes later must not bring back what is erased.
    const deadline = performance.now() + SETTLED_MS_MAX
    await shipped([spoolFolder, sealedFolder(spoolFolder)], deadline)
    const { size } = this.#chain
    for (;;) {
      await this.copyNow()
      const [copied] = this.#chain.headsAfter(this.#copies.head - 1)
      if ((readHead(copied?.text ?? '')?.size ?? -1) >= size) return
      if (performance.now() > deadline) throw behind()
    }
  }

  async close(deadline: number): Promise<void> {
    clearInterval(this.#timer)
    try {
      this.#chain.close()
      if (Date.now() < deadline && this.#chain.size > 0) await this.#copy()
    } catch (error) {
      this.#say(error)
    }
    await this.#anchors?.close()
  }

  #tick(): void {
    this.#chain.tick()
    const now = performance.now()
    if (now - this.#copiedMs < COPY_MS || this.#copying !== undefined) return
    this.#copiedMs = now
    // The engine is not started for this: there will be something to ship soon, or somebody asks.
    if (this.#copies.isCurrent || this.#chain.size === 0) return
    this.#copy().catch((error: unknown) => this.#say(error))
  }

  /** One at a time. Rejects with StoreError. */
  async #copy(): Promise<void> {
    // How the former one ended is told to whoever began it. Of several that wait, one goes on.
    while (this.#copying !== undefined) await this.#copying.catch(() => {})
    this.#copying = (async () => {
      const found = await this.#copies.copy(await this.#parts.store())
      if (found === 'behind') this.#beginAnew(Number.POSITIVE_INFINITY)
    })()
    try {
      await this.#copying
    } finally {
      this.#copying = undefined
    }
  }

  #beginAnew(known: number): void {
    const { id } = this.#chain
    this.#chain.abandon()
    this.#chain = Chain.open(this.#options, new Map([[id, known]]))
    this.#copies = new ChainStore(this.#chain, this.#parts.database, this.#parts.say)
  }

  #say(error: unknown): void {
    const why = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error)
    this.#parts.say('warn', `the chain is not copied into the record store yet: ${why}`)
  }
}

/** Everything that lies there by now is in the store, or was set aside. Rejects where that takes too long. */
async function shipped(folders: readonly string[], deadline: number): Promise<void> {
  const files = () => folders.flatMap(spoolFiles)
  const names = new Set(files().map(baseName))
  const isLeft = (name: string) => !name.endsWith('.bad') && names.has(baseName(name))
  while (files().some(isLeft)) {
    if (performance.now() > deadline) throw behind()
    await wait(50)
  }
}

function behind(): Error {
  return new Error('the record store is behind; not everything that was recorded is in it yet')
}
