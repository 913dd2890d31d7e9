/**
 * Retention, holds and erasure on the real engine, judged by the verifier: with them a record is intact, and whatever looks like
 * them without being signed is not. A clock of its own lets years pass.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { ulid } from '../../src/base/id.ts'
import { Chain } from '../../src/record/chain.ts'
import { ChainStore } from '../../src/record/chain-store.ts'
import type { ClickHouse } from '../../src/record/clickhouse.ts'
import { Erasure } from '../../src/record/erasure.ts'
import type { SessionFacts } from '../../src/record/event.ts'
import { Evidence } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { storeHold } from '../../src/record/holds.ts'
import { mutate } from '../../src/record/mutation.ts'
import { openRecorder } from '../../src/record/recorder.ts'
import { DAY_MICROSECONDS as DAY, type Retention, type Scope } from '../../src/record/retention.ts'
import { Shipper } from '../../src/record/ship.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { Sweep } from '../../src/record/sweep.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { facts, OUTCOME, Place, SHAPE, TIMES } from './running.ts'

const at = new Place()
let ship: ShipThread
let store: ClickHouse
let reader: ClickHouse
let release = () => {}
const TABLES = { database: 'sluice' }
const ALL: EvidenceScope = { type: 'range', since: 0 }

beforeAll(async () => {
  ship = at.ship()
  store = await ship.store.ready()
  reader = await ship.store.reader()
  void ship.store.question(() => new Promise<void>((resolve) => (release = resolve)))
}, 60_000)

afterAll(async () => {
  release()
  await at.close()
})

afterEach(() => vi.useRealTimers())

/** A gateway of its own on that store, in whose time nothing happens by itself. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-privacy-'))
  readonly gateway = `W${ulid()}`
  readonly instance = ulid()
  now = clock.microseconds() - 1000 * DAY
  retention: Retention
  chain: Chain
  #copies: ChainStore
  #threads = 0
  readonly #clock = { microseconds: () => this.now++, elapsed: () => this.now }

  constructor(retention: Retention) {
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
      say: (level, text) => at.said.push(`${level} ${text}`),
    })
  }

  /** Records one session, ships and signs it. */
  async session(
    more: Partial<SessionFacts> = {},
    moment?: { kind?: 'sealed'; status: string; text: string },
  ) {
    const spoolFolder = join(this.folder, 'spool')
    const recorder = openRecorder({
      spoolFolder,
      instance: this.instance,
      thread: ++this.#threads,
      recordKey: Buffer.alloc(32),
      bytesMax: 1e9,
      clock: this.#clock,
    })
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
    const shipper = new Shipper({
      spoolFolder,
      instance: this.instance,
      database: 'sluice',
      store: ship.store.ready,
      cover: (name, content) => this.chain.cover(name, content),
      forget: (name) => this.chain.forget(name),
      say: (level, text) => at.said.push(`${level} ${text}`),
    })
    await shipper.round()
    await this.sign()
    return session.sessionId
  }

  async sign(): Promise<void> {
    this.chain.sign('run')
    await this.#copies.copy(store)
  }

  async pass(days: number): Promise<void> {
    this.now += days * DAY
    await this.sign()
  }

  async sweep(holds: readonly Scope[] = []) {
    this.chain.retention = this.retention
    await this.sign()
    await store.command({
      sql: `INSERT INTO sluice.instances SELECT '${this.instance}', '${this.gateway}', now64()`,
    })
    const sweep = new Sweep({
      ...TABLES,
      gateway: this.gateway,
      chainFolder: join(this.folder, 'chain'),
    })
    const swept = await sweep.run(store, this.chain, {
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
    const evidence = new Evidence(reader, 'sluice', own)
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
      for (const line of page.lines) if (!('strays' in line)) verifier.line(line)
    }
    const report = verifier.finish()
    vi.useRealTimers()
    return report
  }

  async erase(scope: Scope, more: { by?: string; silent?: boolean } = {}) {
    const erasure = new Erasure(reader, TABLES)
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
    const [row] = await at.rows(
      ship,
      `SELECT count() AS n FROM events WHERE instance = '${this.instance}' AND ${where}`,
    )
    return Number(row?.n)
  }

  close(): void {
    this.chain.abandon()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const OWN: Retention = { days: 400, connections: { orders: 30 } }
const worlds: World[] = []
function world(retention: Retention = OWN): World {
  const made = new World(retention)
  worlds.push(made)
  return made
}
afterEach(() => {
  for (const one of worlds.splice(0)) one.close()
})

const change = (table: string, what: string) => mutate(store, TABLES, { table, change: what })

describe('retention', () => {
  test('each connection has its time, and what is past it is said to be', async () => {
    const one = world()
    const orders = await one.session({ connection: 'orders' })
    const other = await one.session({ connection: 'billing' })
    await one.pass(20)
    expect((await one.sweep()).rows).toEqual({})
    await one.pass(20)
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.count(`session_id = '${orders}'`)).toBe(0)
    expect(await one.count(`session_id = '${other}'`)).toBe(3)
    expect(await one.verify()).toMatchObject({ status: 'intact', expired: 3, findings: [] })
    // The time of one connection excuses nothing of another.
    await change('events', `DELETE WHERE session_id = '${other}'`)
    expect((await one.verify()).findings).toMatchObject([{ kind: 'missing', session: other }])
  }, 60_000)

  test('the chain follows: leaves, heads and the log go, and the tree goes on', async () => {
    const one = world()
    const old = await one.session({ connection: 'billing' })
    for (let days = 0; days < 402; days += 100) await one.pass(100)
    const young = await one.session({ connection: 'billing' })
    await one.pass(2)
    const log = () =>
      readdirSync(join(one.folder, 'chain', one.chain.id)).filter((name) => name.endsWith('ndjson'))
    const before = log().length
    expect(await one.sweep()).toMatchObject({ rows: { billing: 3 }, leaves: 1 })
    expect(log().length).toBeLessThan(before)
    const report = await one.verify()
    expect(report).toMatchObject({ status: 'intact', events: 3, sessions: 1, findings: [] })
    expect(Object.keys(report.pruned)).toEqual([one.chain.id])
    expect(await one.verify({ type: 'session', session: young })).toMatchObject({
      status: 'intact',
    })
    expect((await one.verify({ type: 'session', session: old })).status).toBe('broken')
    // It is continued from its peaks.
    one.chain.abandon()
    const next = one.open()
    expect(next.id).toBe(one.chain.id)
    expect(next.size).toBe(2)
    one.chain = next
    // Cut further than retention goes.
    await change('chain_leaves', `DELETE WHERE chain = '${one.chain.id}'`)
    await change('chains', `DELETE WHERE chain = '${one.chain.id}' AND size < 2`)
    rmSync(join(one.folder, 'chain', one.chain.id, log()[0]!))
    const { findings } = await one.verify()
    expect(findings.map(({ kind }) => kind)).toContain('evidence')
  }, 60_000)

  test('a shorter time counts for what was recorded before, a longer one does not', async () => {
    const one = world({ days: 400, connections: {} })
    const first = await one.session({ connection: 'orders' })
    await one.pass(40)
    one.retention = OWN
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.verify()).toMatchObject({ status: 'intact', expired: 3 })
    one.retention = { days: 400, connections: { orders: 4000 } }
    await one.sweep()
    expect(await one.verify()).toMatchObject({ findings: [] })
    expect(first).not.toBe('')
  }, 60_000)

  test('what is held stays, with its leaves', async () => {
    const one = world()
    const held = await one.session({ connection: 'orders', subject: 'held-subject' })
    const gone = await one.session({ connection: 'orders', subject: 'free-subject' })
    for (let days = 0; days < 500; days += 50) await one.pass(50)
    const hold = { id: ulid(), at: one.now, kind: 'subject', name: 'held-subject' } as const
    const words = { reason: 'a case', by: 'ann', gateway: 'another' }
    // Of another gateway on the same store.
    await storeHold(store, 'sluice', { ...hold, ...words, isRemoved: false })
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.count(`session_id = '${held}'`)).toBe(3)
    expect(await one.count(`session_id = '${gone}'`)).toBe(0)
    expect(await one.verify()).toMatchObject({ status: 'intact', events: 3, expired: 3 })
    const found = await new Erasure(reader, TABLES).look(
      { scope: { kind: 'session', name: held }, holds: [] },
      one.chain,
    )
    expect(found.held).toBe(3)
    await expect(
      new Erasure(reader, TABLES).run(
        { scope: { kind: 'session', name: held }, holds: [] },
        found.chains,
        one.chain,
      ),
    ).rejects.toThrow('held')
    expect(await one.count(`session_id = '${held}' AND payload != ''`)).toBe(1)
    await storeHold(store, 'sluice', { ...hold, at: one.now + 1, ...words, isRemoved: true })
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.count(`session_id = '${held}'`)).toBe(0)
  }, 60_000)
})

describe('erasure', () => {
  const inLog = (one: World, session: string) =>
    readdirSync(join(one.folder, 'chain', one.chain.id))
      .filter((name) => name.endsWith('ndjson'))
      .flatMap((name) =>
        readFileSync(join(one.folder, 'chain', one.chain.id, name), 'utf8').split('\n'),
      )
      .filter((line) => line.includes(session))
      .map((line) => JSON.parse(line).salt)

  test('of a subject: contents and salt are gone, the chain is whole, and it is said who did it', async () => {
    const one = world()
    const sessions = [await one.session({ subject: 'eve' }), await one.session({ subject: 'eve' })]
    const other = await one.session({ subject: 'adam' })
    const found = await one.erase({ kind: 'subject', name: 'eve' }, { by: 'officer' })
    expect(found).toMatchObject({ sessions: 2, events: 6, held: 0, changed: [] })
    const later = await one.session({ subject: 'eve' })
    expect(
      await one.count(
        "subject = 'eve' AND (statement != '' OR facts != '' OR notEmpty(params) OR payload != '')",
      ),
    ).toBe(2)
    expect(await one.count(`session_id = '${later}' AND payload = 'secret'`)).toBe(1)
    for (const session of sessions) expect(inLog(one, session)).toEqual([''])
    expect(inLog(one, other)).not.toEqual([''])
    const report = await one.verify()
    expect(report).toMatchObject({ status: 'intact', erased: 6, findings: [] })
    expect(report.erasures).toMatchObject([
      { by: 'officer', kind: 'subject', name: 'eve', reason: 'asked for', events: 6 },
    ])
    const single = await one.verify({ type: 'session', session: sessions[0]! })
    expect(single).toMatchObject({ status: 'intact', erased: 3, findings: [] })
    // Again is the same.
    await one.erase({ kind: 'subject', name: 'eve' })
    expect(await one.verify()).toMatchObject({ status: 'intact', erased: 9, findings: [] })
  }, 60_000)

  test('that nobody signed is tampering', async () => {
    const one = world()
    const session = await one.session({ subject: 'mallory' })
    await one.erase({ kind: 'session', name: session }, { silent: true })
    expect((await one.verify()).findings).toMatchObject([{ kind: 'erased', session }])
    const other = await one.session({ subject: 'mallory' })
    await change(
      'events',
      `UPDATE statement = '', facts = '', params = [], payload = '' WHERE session_id = '${other}'`,
    )
    expect((await one.verify()).findings).toMatchObject([
      { kind: 'erased', session },
      { kind: 'changed', session: other },
    ])
  }, 60_000)

  test('excuses nothing but what it erased', async () => {
    const one = world()
    const [subject, stranger] = [`s${ulid()}`, `t${ulid()}`]
    const erased = await one.session({ subject })
    const free = await one.session({ subject: stranger })
    await one.erase({ kind: 'subject', name: subject })
    const later = await one.session({ subject })
    expect((await one.verify()).findings).toEqual([])
    const blank = "statement = '', facts = '', params = [], payload = ''"
    // Facts of the event, another text in the place of none, another's contents under that name, and what came later.
    await change('events', `UPDATE rows = 999 WHERE session_id = '${erased}' AND kind = 'outcome'`)
    expect((await one.verify()).findings.map(({ kind }) => kind)).toContain('changed')
    await change(
      'events',
      `UPDATE rows = 3, payload = 'harmless' WHERE session_id = '${erased}' AND kind = 'outcome'`,
    )
    expect((await one.verify()).findings).toMatchObject([{ kind: 'erased', session: erased }])
    await change('events', `UPDATE payload = '' WHERE session_id = '${erased}'`)
    expect((await one.verify()).findings).toEqual([])
    await change('events', `UPDATE ${blank}, subject = '${subject}' WHERE session_id = '${free}'`)
    expect((await one.verify()).findings.map((found) => found.session)).toContain(free)
    await change('events', `UPDATE ${blank} WHERE session_id = '${later}'`)
    await change('chain_leaves', `UPDATE salt = '', hints = '' WHERE session_id = '${later}'`)
    const { findings } = await one.verify()
    expect(findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'erased', session: later })]),
    )
  }, 60_000)

  test('of one subject says nothing about originals of another', async () => {
    const one = world()
    const [subject, stranger] = [`s${ulid()}`, `t${ulid()}`]
    const text = JSON.stringify({ batch: 1, sha256: '00' })
    const gone = { kind: 'sealed', status: 'ok', text } as const
    const session = await one.session({ subject: stranger }, gone)
    await one.session({ subject })
    await one.erase({ kind: 'subject', name: subject })
    expect((await one.verify()).findings).toMatchObject([{ kind: 'missing', session }])
    await one.erase({ kind: 'subject', name: stranger })
    expect((await one.verify()).findings).toEqual([])
  }, 60_000)

  test('finds what somebody wants it to hide', async () => {
    const one = world()
    const session = await one.session({ subject: 'trudy' })
    await change(
      'events',
      `UPDATE payload = 'other' WHERE session_id = '${session}' AND kind = 'outcome'`,
    )
    const found = await new Erasure(reader, TABLES).look(
      { scope: { kind: 'session', name: session }, holds: [] },
      one.chain,
    )
    expect(found.changed).toEqual([session])
  }, 60_000)
})
