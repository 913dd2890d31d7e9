/**
 * Retention and holds on the real engine, judged by the verifier: with them a record is intact, and whatever looks like them
 * without being signed is not.
 */
import { hash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ulid } from '../../src/base/id.ts'
import type { ClickHouse } from '../../src/record/clickhouse.ts'
import { Erasure } from '../../src/record/erasure.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { storeHold } from '../../src/record/holds.ts'
import type { Retention } from '../../src/record/retention.ts'
import { facts, until } from './running.ts'
import { OWN, TABLES, WorldStore } from './worlds.ts'

let store: WorldStore

beforeAll(async () => {
  store = await WorldStore.start()
}, 180_000)

afterEach(() => store.end())

afterAll(() => store.close())

const world = (retention?: Retention) => store.world(retention)
const change = (table: string, what: string) => store.change(table, what)

/** A batch in the store, its key before the first; what an event says of it. `at`: microseconds. */
async function originals(
  store: ClickHouse,
  session: string,
  { batch, at }: { readonly batch: number; readonly at: number },
): Promise<string> {
  const [ts, nonce] = [`fromUnixTimestamp64Micro(${at})`, batch.toString(16).padStart(24, '0')]
  await store.command({
    sql: `INSERT INTO sluice.sealed (ts, session_id, place, key_id, nonce, ciphertext, batch, originals)
      SELECT ${ts}, '${session}', 'values', 'k', unhex('${nonce}'), 'secret ${batch}', ${batch}, 1`,
  })
  if (batch === 1)
    await store.command({
      sql: `INSERT INTO sluice.sealed_keys (ts, session_id, key_id, recipients, wrapped) SELECT ${ts}, '${session}', 'k', ['r'], 'w'`,
    })
  const wrap = batch === 1 ? { wrap: { sha256: hash('sha256', 'w'), recipients: ['r'] } } : {}
  const sha256 = hash('sha256', `secret ${batch}`)
  return JSON.stringify({ batch, values: 1, cut: 0, sha256, action: 0, at, key: 'k', ...wrap })
}

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
  }, 180_000)

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
  }, 180_000)

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
  }, 180_000)

  test('originals go with the events that speak of them, and their key with the last of these', async () => {
    const one = world()
    const recorder = one.recorder()
    const session = recorder.open(facts(one.instance, { connection: 'orders' }))
    const scope: EvidenceScope = { type: 'session', session: session.sessionId }
    const left = async () => {
      const of = `FROM sluice.sealed WHERE session_id = '${session.sessionId}'`
      const [row] = await store.admin.query({
        sql: `SELECT groupArray(batch) AS batches, (SELECT count() ${of.replace('sealed', 'sealed_keys')}) AS keys ${of}`,
      })
      return { batches: [row?.batches].flat().map(Number), keys: Number(row?.keys) }
    }
    const batch = async (number: number) => {
      const text = await originals(store.admin, session.sessionId, { batch: number, at: one.now })
      session.moment({ kind: 'sealed', status: '', text })
      recorder.flush()
      await until(() =>
        readdirSync(join(one.folder, 'spool')).every((name) => !name.endsWith('.open')),
      )
      await one.ship()
    }
    await batch(1)
    await batch(2)
    await one.pass(20)
    await batch(3)
    expect(await one.verify(scope)).toMatchObject({ status: 'intact', findings: [] })
    await one.pass(20)
    expect((await one.sweep()).rows).toEqual({ orders: 2 })
    expect(await left()).toEqual({ batches: [3], keys: 1 })
    expect((await one.verify(scope)).findings).toEqual([])
    session.moment({ kind: 'notice', status: '', text: '' })
    recorder.close()
    await one.ship()
    await one.pass(20)
    expect((await one.sweep()).rows).toEqual({ orders: 1 })
    expect(await left()).toEqual({ batches: [], keys: 0 })
    expect((await one.verify(scope)).findings).toEqual([])
  }, 180_000)

  test('what is held stays, with its leaves', async () => {
    const one = world()
    const held = await one.session({ connection: 'orders', subject: 'held-subject' })
    const gone = await one.session({ connection: 'orders', subject: 'free-subject' })
    for (let days = 0; days < 500; days += 50) await one.pass(50)
    const hold = { id: ulid(), at: one.now, kind: 'subject', name: 'held-subject' } as const
    const words = { reason: 'a case', by: 'ann', gateway: 'another' }
    // Of another gateway on the same store.
    await storeHold(store.admin, 'sluice', { ...hold, ...words, isRemoved: false })
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.count(`session_id = '${held}'`)).toBe(3)
    expect(await one.count(`session_id = '${gone}'`)).toBe(0)
    expect(await one.verify()).toMatchObject({ status: 'intact', events: 3, expired: 3 })
    const found = await new Erasure(store.reader, TABLES).look(
      { scope: { kind: 'session', name: held }, holds: [] },
      one.chain,
    )
    expect(found.held).toBe(3)
    await expect(
      new Erasure(store.reader, TABLES).run(
        { scope: { kind: 'session', name: held }, holds: [] },
        found.chains,
        one.chain,
      ),
    ).rejects.toThrow('held')
    expect(await one.count(`session_id = '${held}' AND payload != ''`)).toBe(1)
    await storeHold(store.admin, 'sluice', { ...hold, at: one.now + 1, ...words, isRemoved: true })
    expect((await one.sweep()).rows).toEqual({ orders: 3 })
    expect(await one.count(`session_id = '${held}'`)).toBe(0)
  }, 180_000)
})
