/**
 * Spool, chain and shipper over a table that fails as engines do, killed between any two steps: what was flushed is in the table
 * once, and leaves speak for each event once, as it stands there. The real engine is in ship.test.ts.
 */
import { createHash } from 'node:crypto'
import fs, { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import { SpareMemory } from '../../src/base/spare-memory.ts'
import { Chain } from '../../src/record/chain.ts'
import { type ClickHouse, StoreError } from '../../src/record/clickhouse.ts'
import { COLUMNS } from '../../src/record/columns.ts'
import type { Recorder, Recording } from '../../src/record/event.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { Shipper } from '../../src/record/ship.ts'
import { makeRunKey, SpoolKeys } from '../../src/record/spool-cipher.ts'
import { type Row, rowBinary, World } from '../fuzz/spool-world.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const realSync = fs.fdatasyncSync
const FAULTS = ['fine', 'nothing', 'unheard', 'token only', 'half'] as const
type Fault = (typeof FAULTS)[number]
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number', mapsAsObjects: false })

/** A MergeTree with tokens, as far as the shipper sees it. */
class Table {
  rows: { token: string; row: Row }[] = []
  readonly tokens = new Set<string>()
  faults: Fault[] = []
  readonly client = {
    query: ({ sql }: { sql: string }) => {
      const names = new Set([...sql.matchAll(/'([^']+)'/g)].map(([, name]) => name))
      const rows = this.rows.filter(({ token }) => names.has(token)).length
      return Promise.resolve([{ rows: sql.includes('mutations') ? 0 : rows, reason: '' }])
    },
    command: ({ sql }: { sql: string }) => {
      const names = new Set([...sql.matchAll(/'([^']+)'/g)].map(([, name]) => name))
      this.rows = this.rows.filter(({ token }) => !names.has(token))
      return Promise.resolve()
    },
    insert: ({
      body,
      settings,
    }: {
      body: readonly Uint8Array[]
      settings: Record<string, unknown>
    }) => {
      const token = String(settings.insert_deduplication_token)
      const fault = this.faults.shift() ?? 'fine'
      const gone = () => Promise.reject(new StoreError('gone', undefined, undefined))
      if (fault === 'nothing') return gone()
      if (!this.tokens.has(token)) {
        this.tokens.add(token)
        const values = unpackr.unpackMultiple(Buffer.concat(body)) as unknown[]
        const rows: Row[] = []
        for (let at = 0; at < values.length; at += COLUMNS.length)
          rows.push(values.slice(at, at + COLUMNS.length).map(World.plain))
        const arrived =
          fault === 'token only' ? 0 : fault === 'half' ? rows.length >> 1 : rows.length
        this.rows.push(...rows.filter((_, at) => at < arrived).map((row) => ({ token, row })))
      }
      return fault === 'fine' ? Promise.resolve() : gone()
    },
  } as unknown as ClickHouse
}

type Kind = { ratchet: boolean; encrypt: boolean; strict: boolean }
const key = { id: Buffer.alloc(8, 3), key: Buffer.alloc(32, 4) }

class Gateway {
  folder: string
  readonly table: Table
  readonly kind: Kind
  readonly said: string[] = []
  instance = ''
  chain!: Chain
  shipper!: Shipper
  recorders: { recorder: Recorder; sessions: Recording[] }[] = []
  #runs = 0
  #threads = 0
  #now = 1.7e15
  readonly flushed: string[] = []
  #pending: string[][] = []
  #seqs = new Map<string, number>()
  readonly chains = new Set<string>()
  readonly #old: Recorder[] = []

  constructor(table: Table, kind: Kind) {
    this.table = table
    this.kind = kind
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'))
    this.start()
  }
  get spool() {
    return join(this.folder, 'spool')
  }
  readonly clock = { microseconds: () => this.#now++, elapsed: () => this.#now - 1.6e15 }

  start(): void {
    this.instance = ulid(1_700_000_000_000 + this.#runs++ * 1000)
    const keys = new SpoolKeys([key], this.kind.encrypt ? this.instance : undefined)
    this.chain = Chain.open({
      ...{
        folder: join(this.folder, 'chain'),
        spoolFolder: this.spool,
        gateway: 'GW',
        instance: this.instance,
      },
      ...{
        retention: { days: 400, connections: {} },
        clock: this.clock,
        ratchet: this.kind.ratchet,
        keys,
        spare: new SpareMemory(4 << 20, 16 << 20),
      },
      say: (level, text) => this.said.push(`${level} ${text}`),
    })
    this.chains.add(this.chain.id)
    this.shipper = new Shipper({
      ...{ spoolFolder: this.spool, instance: this.instance, database: 'db', keys },
      store: () => Promise.resolve(this.table.client),
      opened: (name) => this.chain.opened(name),
      cover: (name, content) => {
        this.chain.cover(name, content)
        this.chain.settle()
      },
      stored: (name) => this.chain.isStored(name),
      forget: (name) => this.chain.forget(name),
      say: (level, text) => this.said.push(`${level} ${text}`),
    })
    this.shipper.recover()
    this.recorders = []
    this.#pending = []
    for (let n = 0; n < 2; n++) this.worker()
  }
  worker(): void {
    const recorder = openRecorder({
      ...{
        spoolFolder: this.spool,
        instance: this.instance,
        thread: ++this.#threads,
        recordKey: Buffer.alloc(32),
      },
      ...{
        bytesMax: 1 << 20,
        clock: this.clock,
        ratchet: this.kind.ratchet,
        strict: this.kind.strict,
      },
      encrypt: this.kind.encrypt ? makeRunKey(key) : undefined,
    })
    this.recorders.push({ recorder, sessions: [] })
    this.#pending.push([])
  }
  record(worker: number, session: number, size: number): void {
    const one = this.recorders[worker % this.recorders.length]!
    const pending = this.#pending[worker % this.recorders.length]!
    if (one.sessions.length <= session % 3)
      one.sessions.push(one.recorder.open(facts(this.instance)))
    const rec = one.sessions[session % one.sessions.length]!
    const shape = one.recorder.shape({ ...SHAPE, statement: `SELECT ${size % 5}` })
    const next = () => {
      const seq = (this.#seqs.get(rec.sessionId) ?? 0) + 1
      this.#seqs.set(rec.sessionId, seq)
      pending.push(`${rec.sessionId}-${seq}`)
    }
    const action = rec.action(shape, TIMES)
    next()
    rec.outcome(shape, action, { ...OUTCOME, payload: Buffer.alloc(size, 0xfe) })
    next()
  }
  flush(worker: number): void {
    const at = worker % this.recorders.length
    this.recorders[at]!.recorder.flush()
    this.flushed.push(...this.#pending[at]!.splice(0))
  }
  /** The disk does not take it, which takes a while. */
  fail(worker: number, ms: number): void {
    let isTold = false
    fs.fdatasyncSync = (descriptor: number) => {
      if (isTold) return realSync(descriptor)
      isTold = true
      this.tick(ms)
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    syncBuiltinESMExports()
    try {
      this.flush(worker)
    } catch (error) {
      expect(error).toMatchObject({ code: 'GW_RECORDING_LOST' })
    } finally {
      fs.fdatasyncSync = realSync
      syncBuiltinESMExports()
    }
  }
  close(worker: number): void {
    if (this.recorders.length < 2) return
    const at = worker % this.recorders.length
    this.flushed.push(...this.#pending[at]!.splice(0))
    this.recorders[at]!.recorder.close()
    this.recorders.splice(at, 1)
    this.#pending.splice(at, 1)
    this.worker()
  }
  tick(ms: number): void {
    this.#now += ms * 1000
    this.chain.tick()
  }
  async ship(faults: readonly Fault[]): Promise<void> {
    this.table.faults = [...faults]
    await this.shipper.round()
    this.table.faults = []
  }
  /** All of it as it is on the disk in this moment, and another run. */
  kill(): void {
    const former = this.folder
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'))
    cpSync(former, this.folder, { recursive: true })
    this.chain.abandon()
    for (const { recorder } of this.recorders) this.#old.push(recorder)
    for (const recorder of this.#old.splice(0)) recorder.close()
    rmSync(former, { recursive: true, force: true })
    this.start()
  }
  /** Once there is nothing in the way any more. */
  async expectWhole(): Promise<void> {
    for (const [at] of this.recorders.entries()) this.flush(at)
    this.kill()
    for (let n = 0; n < 12 && this.shipper.waiting.segments > 0; n++) await this.ship([])
    this.tick(600)
    this.chain.sign('run')
    const { rows } = this.table
    const ids = rows.map(
      ({ row }) => `${row[0]}-${row[COLUMNS.findIndex(([name]) => name === 'seq')]}`,
    )
    expect(ids.toSorted()).toEqual(this.flushed.toSorted())
    expect(this.said.filter((line) => line.startsWith('error'))).toEqual([])
    expect(this.chains.size).toBe(1)
    const byId = new Map(rows.map(({ row }, at) => [ids[at]!, row]))
    const covered: string[] = []
    for (const [, { text, salt }] of this.chain.leaves(0, this.chain.size)) {
      const [, , , , , session, first, last, events, contents, , proof] = JSON.parse(text)
      if (proof === 'broken') throw new Error(`broken ${text}`)
      const [one, other] = [
        createHash('sha256'),
        createHash('sha256').update(Buffer.from(salt, 'hex')),
      ]
      for (let seq = first; seq <= last; seq++) {
        covered.push(`${session}-${seq}`)
        const made = rowBinary(byId.get(`${session}-${seq}`)!)
        one.update(made.events)
        other.update(made.contents)
      }
      expect([one.digest('hex'), other.digest('hex')]).toEqual([events, contents])
    }
    expect(covered.toSorted()).toEqual(this.flushed.toSorted())
  }

  end(): void {
    this.chain.abandon()
    for (const { recorder } of this.recorders) {
      try {
        recorder.close()
      } catch {}
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      worker: fc.nat(3),
      session: fc.nat(5),
      size: fc.oneof(fc.nat(300), fc.constantFrom(0, 20_000, 66_000)),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('flush' as const), worker: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('close' as const), worker: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('tick' as const),
      ms: fc.constantFrom(0, 100, 600, 61_000, -3_600_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ship' as const),
      faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      worker: fc.nat(3),
      ms: fc.constantFrom(0, 600),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'kill' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
)

test('whatever fails and whenever it is killed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ratchet: fc.boolean(), encrypt: fc.boolean(), strict: fc.boolean() }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (kind, steps) => {
        const gateway = new Gateway(new Table(), kind)
        try {
          for (const one of steps) {
            if (one.do === 'record') gateway.record(one.worker, one.session, one.size)
            else if (one.do === 'flush') gateway.flush(one.worker)
            else if (one.do === 'close') gateway.close(one.worker)
            else if (one.do === 'tick') gateway.tick(one.ms)
            else if (one.do === 'ship') await gateway.ship(one.faults)
            else if (one.do === 'fail') {
              if (kind.strict) gateway.fail(one.worker, one.ms)
            } else if (one.do === 'kill') gateway.kill()
            else await new Promise((resolve) => setTimeout(resolve, 60))
          }
          await gateway.expectWhole()
        } finally {
          gateway.end()
        }
      },
    ),
    { numRuns: fc.readConfigureGlobal().numRuns ?? 20 },
  )
})

test('a block that the disk did not take, and that was seen meanwhile, has no leaf of its own', async () => {
  for (const ratchet of [false, true]) {
    const gateway = new Gateway(new Table(), { ratchet, encrypt: false, strict: true })
    try {
      gateway.record(0, 0, 10)
      gateway.flush(0)
      gateway.tick(100)
      gateway.record(0, 0, 10)
      gateway.fail(0, 600)
      gateway.flush(0)
      await gateway.expectWhole()
    } finally {
      gateway.end()
    }
  }
})
