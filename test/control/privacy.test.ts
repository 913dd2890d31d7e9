/** Holds and erasure from the API's routes down to the tables: real state, real spool, real ship, real engine. */
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { logger } from '../../src/base/log.ts'
import { verifiedMeanwhile } from '../../src/cli/audit.ts'
import type { Answer } from '../../src/control/answer.ts'
import { privacyRoutes } from '../../src/control/api/privacy.ts'
import type { Caller } from '../../src/control/api/route.ts'
import { Privacy } from '../../src/control/privacy.ts'
import { AdminRecord } from '../../src/control/record.ts'
import { openState, type State } from '../../src/control/state/state.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { Store } from '../../src/replay/store.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { IDENTITY } from '../lib/identity.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES } from '../record/running.ts'

const at = new Place()
const PERSON: Caller = {
  name: 'officer',
  credentialId: '',
  identity: undefined,
  api: [],
  address: '',
}
let ship: ShipThread
let store: Store
let state: State
let record: AdminRecord
let privacy: Privacy
let threads = 10

beforeAll(async () => {
  ship = at.ship()
  const { port1, port2 } = new MessageChannel()
  ship.attach(port2)
  store = new Store(port1)
  state = await openState(join(at.folder, 'state'))
  record = new AdminRecord(at.recorder({ thread: 99 }), at.instance)
  privacy = new Privacy({
    retention: () => ({ days: 400, connections: {} }),
    state: async () => state,
    store: () => store,
    record: (caller, moment) => record.admin(caller, moment),
    now: () => clock.microseconds(),
    log: logger('control', 'silent'),
  })
}, 60_000)

afterAll(async () => {
  store.close()
  await state.close()
  await at.close()
})

/** In an open segment when this returns: it is still in the spool. */
function session(subject: string): string {
  const recorder = at.recorder({ thread: ++threads })
  const made = recorder.open(facts(at.instance, { subject }))
  const shape = recorder.shape(SHAPE)
  made.outcome(shape, made.action(shape, TIMES), { ...OUTCOME, payload: Buffer.from('secret') })
  made.moment({ kind: 'close', status: 'client', text: '' })
  recorder.flush()
  return made.sessionId
}

async function call(
  method: string,
  path: string,
  more: Partial<{ body: unknown; id: string; query: string; caller: Caller }> = {},
): Promise<Answer & { json: Record<string, unknown> }> {
  const route = privacyRoutes({ privacy }).find(
    (one) => one.method === method && one.path === path,
  )!
  const { body, id = '', query = '', caller = PERSON } = more
  const answer = await route.handle({ caller, id, body, query: new URLSearchParams(query) })
  return { ...answer, json: JSON.parse(String(answer.body)) }
}

/** `meanwhile`: between the first page and the others. */
async function verify(meanwhile?: () => Promise<unknown>): Promise<Report> {
  const verifier = new Verifier()
  let page = await store.evidence({ type: 'range', since: 0 })
  await meanwhile?.()
  for (;;) {
    for (const line of page.lines) verifier.line(line)
    if (page.next === undefined) return verifier.finish()
    page = await store.evidence(page.next)
  }
}

const HOLDS = '/api/v1/audit/holds'
const ERASURES = '/api/v1/audit/erasures'

test('what lies in the spool is erased too, and the record of it verifies', async () => {
  const id = session('eve')
  const erased = await call('POST', ERASURES, { body: { subject: 'eve', reason: 'request 17' } })
  expect(erased).toMatchObject({
    status: 200,
    json: { sessions: 1, events: 3, done: true, set_aside: 0 },
  })
  const [left] = await store.query(
    `SELECT count() AS rows, sum(length(payload)) AS bytes, sum(length(statement)) AS more FROM sluice.events WHERE session_id = '${id}'`,
  )
  expect(left).toEqual({ rows: 3, bytes: 0, more: 0 })
  // What excuses it was signed before it was gone: nobody sees a finding that goes away.
  const report = await verify()
  expect(report.findings).toEqual([])
  expect(report.erasures).toMatchObject([
    { by: 'officer', name: 'eve', reason: 'request 17', events: 3 },
  ])
  // What is recorded last may be on its way into the store still.
  const acts = () =>
    store.query("SELECT status, subject FROM sluice.events WHERE kind = 'admin' ORDER BY job_seq")
  await expect.poll(acts, { timeout: 20_000 }).toEqual([
    { status: 'erase', subject: 'officer' },
    { status: 'erased', subject: 'gateway' },
  ])
  const { json } = await call('GET', ERASURES)
  expect(json.erasures).toMatchObject([{ kind: 'subject', name: 'eve', asked_by: 'officer' }])
}, 60_000)

test('whoever reads while something is erased reads again, and finds no less', async () => {
  const id = session('grace')
  // In the store when this is answered.
  await store.erasure({ scope: { kind: 'session', name: id }, holds: [] })
  let readings = 0
  const erase = () => call('POST', ERASURES, { body: { session: id, reason: 'request 18' } })
  const read = async () => {
    const report = await verify(readings++ === 0 ? erase : undefined)
    // The record as it was when it was asked for, of which something is gone by now.
    expect(report.findings.map(({ kind }) => kind)).toEqual(readings === 1 ? ['erased'] : [])
    return report
  }
  const report = await verifiedMeanwhile(read)
  expect([report.status, readings]).toEqual(['intact', 2])
  expect(report.erasures.map(({ name }) => name)).toContain(id)
  // Where nothing was erased with a signature, what was found stands.
  const other = session('heidi')
  await store.erasure({ scope: { kind: 'session', name: other }, holds: [] })
  const payload = (text: string) => async () =>
    (await ship.store.ready()).command({
      sql: `ALTER TABLE sluice.events UPDATE payload = '${text}' WHERE session_id = '${other}' AND kind = 'outcome'`,
      settings: { mutations_sync: 2 },
    })
  // Put back as it was before the other reading.
  const moments = [payload(''), payload('secret')]
  const found = await verifiedMeanwhile(() => verify(moments.shift()))
  expect(found.findings).toMatchObject([{ kind: 'changed', session: other }])
}, 60_000)

test('a hold refuses an erasure until it is removed, and all of it is recorded', async () => {
  const id = session('adam')
  const hold = await call('POST', HOLDS, { body: { job: 'nightly', reason: 'case 4' } })
  expect(hold).toMatchObject({ status: 201, json: { kind: 'job', name: 'nightly' } })
  const body = { session: id, reason: 'oblivion' }
  expect((await call('POST', ERASURES, { body })).status).toBe(409)
  expect((await call('POST', ERASURES, { body: { ...body, force: true } })).status).toBe(409)
  expect((await call('GET', HOLDS)).json.holds).toHaveLength(1)
  expect(await store.query('SELECT kind, name, is_removed FROM sluice.holds')).toHaveLength(1)
  await privacy.sweep()
  const release = { id: String(hold.json.id), query: 'reason=over' }
  expect((await call('DELETE', `${HOLDS}/{id}`, { id: release.id })).status).toBe(400)
  expect((await call('DELETE', `${HOLDS}/{id}`, release)).status).toBe(200)
  expect((await call('DELETE', `${HOLDS}/{id}`, release)).status).toBe(404)
  expect((await call('POST', ERASURES, { body })).status).toBe(200)
  expect((await verify()).findings).toEqual([])
  const acts = await store.query(
    "SELECT status FROM sluice.events WHERE kind = 'admin' ORDER BY job_seq",
  )
  expect(acts.map(({ status }) => status)).toEqual(
    expect.arrayContaining(['hold-added', 'hold-removed', 'erase-refused']),
  )
}, 60_000)

test('an erasure does not hide that something was changed, unless somebody says so', async () => {
  const id = session('trudy')
  // In the store when this is answered.
  await store.erasure({ scope: { kind: 'session', name: id }, holds: [] })
  const engine = await ship.store.ready()
  await engine.command({
    sql: `ALTER TABLE sluice.events UPDATE payload = 'other' WHERE session_id = '${id}' AND payload != ''`,
    settings: { mutations_sync: 2 },
  })
  const body = { session: id, reason: 'oblivion' }
  const refused = await call('POST', ERASURES, { body })
  expect(refused).toMatchObject({ status: 409, json: { sessions: [id] } })
  expect(
    await store.query(
      `SELECT payload FROM sluice.events WHERE session_id = '${id}' AND payload = 'other'`,
    ),
  ).toHaveLength(1)
  expect((await call('POST', ERASURES, { body: { ...body, force: true } })).status).toBe(200)
}, 60_000)

test('what was begun before a crash is gone on with', async () => {
  const id = session('carol')
  const scope = { kind: 'session', name: id } as const
  const { found } = await store.erasure({ scope, holds: [] })
  record.admin(PERSON, {
    status: 'erase',
    text: JSON.stringify({ scope, chains: found.chains, reason: 'r' }),
  })
  await state.query(
    "insert into erasures (id, kind, name, reason, asked_by, asked_at, chains, sessions) values ('era_1', 'session', $1, 'r', 'officer', 1, $2, 1)",
    [id, JSON.stringify(found.chains)],
  )
  await privacy.sweep()
  const [left] = await store.query(
    `SELECT sum(length(payload)) AS bytes FROM sluice.events WHERE session_id = '${id}'`,
  )
  expect(left).toEqual({ bytes: 0 })
  const { json } = await call('GET', ERASURES)
  expect((json.erasures as { done_at: unknown }[]).every(({ done_at }) => done_at !== null)).toBe(
    true,
  )
}, 60_000)

test('what is asked is read strictly, and a workload may ask for nothing', async () => {
  const bodies = [
    {},
    { subject: 'a' },
    { subject: 'a', session: 'b', reason: 'r' },
    { subject: 'a', reason: 'r', force: 1 },
    { job: 'a', reason: 'r' },
    { subject: 'a\n', reason: 'r' },
  ]
  for (const body of bodies) expect((await call('POST', ERASURES, { body })).status).toBe(400)
  expect(
    (await call('POST', HOLDS, { body: { subject: 'a', reason: 'r', force: true } })).status,
  ).toBe(400)
  expect((await call('POST', ERASURES, { body: { subject: 'nobody', reason: 'r' } })).status).toBe(
    404,
  )
  const caller = { ...PERSON, identity: IDENTITY }
  const body = { subject: 'a', reason: 'r' }
  expect((await call('POST', ERASURES, { body, caller })).status).toBe(403)
  expect((await call('POST', HOLDS, { body, caller })).status).toBe(403)
  expect(
    (await call('DELETE', `${HOLDS}/{id}`, { id: 'x', query: 'reason=r', caller })).status,
  ).toBe(403)
}, 60_000)
