/**
 * Not a test: gateways of their own on one store in the real engine, each with a clock that lets years pass, judged by the
 * verifier as an auditor of that time would.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { ulid } from '../../src/base/id.ts'
import { Chain } from '../../src/record/chain.ts'
import { ChainStore } from '../../src/record/chain-store.ts'
import type { ClickHouse } from '../../src/record/clickhouse.ts'
import { Erasure } from '../../src/record/erasure.ts'
import type { Recorder, SessionFacts } from '../../src/record/event.ts'
import { Evidence } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { mutate } from '../../src/record/mutation.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { DAY_MICROSECONDS as DAY, type Retention, type Scope } from '../../src/record/retention.ts'
import { Shipper } from '../../src/record/ship.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { Sweep } from '../../src/record/sweep.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { facts, OUTCOME, Place, SHAPE, TIMES } from './running.ts'

export const TABLES = { database: 'sluice' }
const ALL: EvidenceScope = { type: 'range', since: 0 }
export const OWN: Retention = { days: 400, connections: { orders: 30 } }

/** What all of them share. */
export class WorldStore {
  readonly at: Place
  readonly ship: ShipThread
  readonly admin: ClickHouse
  readonly reader: ClickHouse
  readonly #worlds: World[] = []
  #release = () => {}

  private constructor(
    at: Place,
    parts: { ship: ShipThread; admin: ClickHouse; reader: ClickHouse },
  ) {
    this.at = at
    this.ship = parts.ship
    this.admin = parts.admin
    this.reader = parts.reader
    // Somebody waits for the engine, all the time.
    void this.ship.store.question(() => new Promise<void>((resolve) => (this.#release = resolve)))
  }

  static async start(): Promise<WorldStore> {
    const at = new Place()
    const ship = at.ship()
    const [admin, reader] = [await ship.store.ready(), await ship.store.reader()]
    return new WorldStore(at, { ship, admin, reader })
  }

  world(retention: Retention = OWN): World {
    const made = new World(this, retention)
    this.#worlds.push(made)
    return made
  }

  change(table: string, what: string): Promise<void> {
    return mutate(this.admin, TABLES, { table, change: what })
  }

  /** After each test. */
  end(): void {
    vi.useRealTimers()
    for (const one of this.#worlds.splice(0)) one.close()
  }

  async close(): Promise<void> {
    this.#release()
    await this.at.close()
  }
}

/** A gateway of its own on that store, in whose time nothing happens by itself. */
export class World {
  readonly #store: WorldStore
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-privacy-'))
  readonly gateway = `W${ulid()}`
  readonly instance = ulid()
  now = clock.microseconds() - 1000 * DAY
  retention: Retention
  chain: Chain
  #copies: ChainStore
  #threads = 0
  readonly #clock = { microseconds: () => this.now++, elapsed: () => this.now }

  constructor(store: WorldStore, retention: Retention) {
    this.#store = store
    this.retention = retention
    this.chain = this.open()
    this.#copies = new ChainStore(this.chain, 'sluice')
  }

  open(): Chain {
    return Chain.open({
      folder: join(this.folder, 'chain'),
      spoolFolder: join(this.folder, 'spool'),
      gateway: this.gateway,
      instance: this.instance,
      retention: this.retention,
      clock: this.#clock,
      say: (level, text) => this.#store.at.said.push(`${level} ${text}`),
    })
  }

  /** Records one session, ships and signs it. */
  async session(
    more: Partial<SessionFacts> = {},
    moment?: { kind?: 'sealed'; status: string; text: string },
  ) {
    const recorder = this.recorder()
    const session = recorder.open(facts(this.instance, more))
    if (moment !== undefined) session.moment({ kind: 'admin', ...moment })
    else {
      const shape = recorder.shape(SHAPE)
      session.outcome(shape, session.action(shape, TIMES), {
        ...OUTCOME,
        payload: Buffer.from('secret'),
      })
      session.moment({ kind: 'close', status: 'client', text: '' })
    }
    recorder.flush()
    recorder.close()
    await this.ship()
    return session.sessionId
  }

  recorder(): Recorder {
    return openRecorder({
      spoolFolder: join(this.folder, 'spool'),
      instance: this.instance,
      thread: ++this.#threads,
      recordKey: Buffer.alloc(32),
      bytesMax: 1e9,
      clock: this.#clock,
    })
  }

  /** What lies in segments that are complete. */
  async ship(): Promise<void> {
    const shipper = new Shipper({
      spoolFolder: join(this.folder, 'spool'),
      instance: this.instance,
      database: 'sluice',
      store: this.#store.ship.store.ready,
      cover: (name, content) => this.chain.cover(name, content),
      forget: (name) => this.chain.forget(name),
      say: (level, text) => this.#store.at.said.push(`${level} ${text}`),
    })
    await shipper.round()
    await this.sign()
  }

  async sign(): Promise<void> {
    this.chain.sign('run')
    await this.#copies.copy(this.#store.admin)
  }

  async pass(days: number): Promise<void> {
    this.now += days * DAY
    await this.sign()
  }

  async sweep(holds: readonly Scope[] = []) {
    this.chain.retention = this.retention
    await this.sign()
    await this.#store.admin.command({
      sql: `INSERT INTO sluice.instances SELECT '${this.instance}', '${this.gateway}', now64()`,
    })
    const sweep = new Sweep({
      ...TABLES,
      gateway: this.gateway,
      chainFolder: join(this.folder, 'chain'),
    })
    const swept = await sweep.run(this.#store.admin, this.chain, {
      retention: this.retention,
      holds,
      now: this.now,
    })
    await this.sign()
    return swept
  }

  /** What an auditor is told about this gateway at this moment. */
  async verify(scope: EvidenceScope = ALL): Promise<Report> {
    vi.useFakeTimers({ now: this.now / 1000 + 1, toFake: ['Date'] })
    const own = {
      id: this.chain.id,
      size: this.chain.head?.size ?? 0,
      leaves: (from: number, to: number) => this.chain.leaves(from, to),
      settle: () => Promise.resolve(),
    }
    const evidence = new Evidence(this.#store.reader, 'sluice', own)
    const verifier = new Verifier()
    let page = await evidence.begin(scope, this.now)
    // Other gateways on the store are not what this is about.
    const mine = (page.next?.chains ?? []).filter(({ id }) => id.startsWith(this.gateway))
    for (const line of page.lines) verifier.line(line)
    const [last] = this.chain.headsAfter((this.chain.head?.number ?? 0) - 1)
    verifier.line({ known: [{ source: 'gateway', ...last }] })
    page = { ...page, next: page.next && { ...page.next, chains: mine } }
    while (page.next !== undefined) {
      page = await evidence.next(page.next)
      for (const line of page.lines)
        if (!('strays' in line || 'unspoken' in line)) verifier.line(line)
      const unspoken = page.lines.filter((line) => scope.type === 'session' && 'unspoken' in line)
      for (const line of unspoken) verifier.line(line)
    }
    const report = verifier.finish()
    vi.useRealTimers()
    return report
  }

  async erase(scope: Scope, more: { by?: string; silent?: boolean } = {}) {
    const erasure = new Erasure(this.#store.reader, TABLES)
    const found = await erasure.look({ scope, holds: [] }, this.chain)
    const text = JSON.stringify({ scope, chains: found.chains, reason: 'asked for' })
    if (more.silent !== true)
      await this.session(
        {
          sessionId: `ctl_${ulid()}`,
          protocol: 'control',
          connection: '',
          subject: more.by ?? 'ann',
        },
        { status: 'erase', text },
      )
    await erasure.run({ scope, holds: [] }, found.chains, this.chain)
    return found
  }

  async count(where: string): Promise<number> {
    const [row] = await this.#store.at.rows(
      this.#store.ship,
      `SELECT count() AS n FROM events WHERE instance = '${this.instance}' AND ${where}`,
    )
    return Number(row?.n)
  }

  close(): void {
    this.chain.abandon()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
