/**
 * Attempts to make the verifier excuse what is gone: by chains, keys and heads of the attacker's own, put into the record store
 * or into a file of evidence. Each must be found; attacks on rows are in tamper.test.ts.
 */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Evidence } from '../../src/record/evidence.ts'
import { rowsOfLeaves } from '../../src/record/evidence-rows.ts'
import { leafHash, Tree } from '../../src/record/merkle.ts'
import {
  type Head,
  headText,
  hintsDigest,
  leafText,
  newSigningKey,
  type SignedRetention,
  signKey,
  signText,
} from '../../src/record/proof.ts'
import { splitRows } from '../../src/record/rows.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from '../record/running.ts'
import { ALL, Attacks, TABLES } from './attacks.ts'

const DAY = 86_400_000_000
const at = new Place()
let attacks: Attacks
let release = () => {}
let [session, open, gateway] = ['', '', '']

beforeAll(async () => {
  attacks = await Attacks.on(at)
  void attacks.ship.store.question(() => new Promise<void>((resolve) => (release = resolve)))
  const recorder = at.recorder()
  const one = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  for (let i = 0; i < 3; i++) one.outcome(shape, one.action(shape, TIMES), OUTCOME)
  one.moment({ kind: 'close', status: 'client', text: '' })
  const other = recorder.open(facts(at.instance))
  other.moment({ kind: 'login', status: 'ok', text: '' })
  open = other.sessionId
  recorder.flush()
  recorder.close()
  session = one.sessionId
  await until(async () => (await attacks.heads()).some(({ size }) => size > 0))
  await attacks.remember()
  gateway = attacks.own.id.substring(0, attacks.own.id.lastIndexOf('.'))
}, 180_000)

afterAll(async () => {
  release()
  await at.close()
})

const key = newSigningKey()

interface Forged {
  readonly chain?: string
  readonly retention?: SignedRetention
  readonly at?: number
  readonly leaves?: readonly string[]
}

/** A head of a chain of the attacker's. */
function forged({ chain = `${gateway}.ZZZ`, retention = 0, leaves = [], ...more }: Forged = {}) {
  const tree = new Tree()
  for (const leaf of leaves) tree.append(leafHash(leaf))
  const when = more.at ?? Date.now() * 1000 - 1000
  const head: Head = {
    ...{ chain, number: 0, size: tree.size, root: tree.root, at: when, instance: 'x' },
    ...{ kind: 'run', previous: '', retention, key: key.id },
  }
  const text = headText(head)
  const signature = signText(text, key)
  const keys = [signKey(key, key, { chain, at: 1 })]
  return { head, text, signature, peaks: tree.peaks, keys }
}

/** The same, put into the record store. */
function insert(one: ReturnType<typeof forged>): string[] {
  const { head, text, signature, peaks, keys } = one
  const quoted = (value: string) => `'${value.replaceAll("'", "\\'")}'`
  const ts = `fromUnixTimestamp64Micro(${head.at})`
  const list = `[${peaks.map(quoted).join(', ')}]`
  return [
    `INSERT INTO chain_keys (ts, chain, key_id, text, signature) SELECT ${ts}, '${head.chain}', '${key.id}', ${quoted(keys[0]!.text)}, '${keys[0]!.signature}'`,
    `INSERT INTO chains (ts, chain, size, root, number, kind, text, signature, peaks, key_id)
      SELECT ${ts}, '${head.chain}', ${head.size}, '${head.root}', 0, 'run', ${quoted(text)}, '${signature}', ${list}, '${key.id}'`,
  ]
}

/** A leaf of the attacker's chain for an event that the statement inserts. */
async function speaksFor(row: string, span: { session: string; first: number; last: number }) {
  await attacks.admin.command({ sql: 'CREATE DATABASE IF NOT EXISTS forge' })
  await attacks.admin.command({ sql: 'CREATE OR REPLACE TABLE forge.events AS sluice.events' })
  await attacks.admin.command({
    sql: row
      .replace('INTO events', 'INTO forge.events')
      .replace('FROM events', 'FROM sluice.events'),
  })
  const bytes = await rowsOfLeaves(attacks.admin, 'forge', [
    { ...span, n: 0, text: '', salt: '', hints: '' },
  ])
  const [made] = [...splitRows(bytes)]
  const salt = randomBytes(16)
  const chain = `${gateway}.ZZZ`
  const leaf = leafText({
    ...{ chain, n: 0, at: Date.now() * 1000 - 5000, segment: 'x-1-1', salt, proof: 'live' },
    run: {
      ...{ ...span, connection: '', hints: '' },
      events: createHash('sha256').update(made!.events).digest('hex'),
      contents: createHash('sha256').update(salt).update(made!.contents).digest('hex'),
    },
  })
  expect(leaf).toContain(hintsDigest(salt, ''))
  const inserted = `INSERT INTO chain_leaves (ts, chain, n, session_id, first_seq, last_seq, text, salt, hints)
    SELECT now64(), '${chain}', 0, '${span.session}', ${span.first}, ${span.last}, '${leaf}', '${salt.toString('hex')}', ''`
  return { leaf, inserted }
}

const gone = () => `ALTER TABLE events DELETE WHERE session_id = '${session}' AND seq = 4`
const missing = () => ({ kind: 'missing', session, first: 4, last: 4 })
const lines = () => attacks.lines(new Evidence(attacks.reader(), 'sluice', attacks.own), ALL)

/** A file of evidence in which rows of the session were left out. */
async function cut(): Promise<object[]> {
  const database = 'cut'
  const { admin } = attacks
  await admin.command({ sql: `CREATE DATABASE IF NOT EXISTS ${database}` })
  for (const table of TABLES) {
    const name = `${database}.${table}`
    const which = table === 'events' ? 'WHERE seq != 4' : ''
    await admin.command({ sql: `CREATE OR REPLACE TABLE ${name} AS sluice.${table}` })
    await admin.command({ sql: `INSERT INTO ${name} SELECT * FROM sluice.${table} ${which}` })
  }
  const reader = attacks.reader(database)
  try {
    return await attacks.lines(new Evidence(reader, database, attacks.own), ALL)
  } finally {
    await reader.close()
  }
}

test('a chain of one’s own in the store, whose retention is over at once', async () => {
  for (const retention of [0, 1, { '': 0, demo: 0 }] as const)
    expect(
      (await attacks.after([gone(), ...insert(forged({ retention }))])).findings,
    ).toContainEqual(expect.objectContaining(missing()))
})

test('a chain of one’s own in the store, with an erasure of what it wants to be gone', async () => {
  const call = 'ctl_01FORGED'
  const text = JSON.stringify({
    scope: { kind: 'session', name: session },
    chains: { [attacks.own.id]: 1000 },
    reason: 'asked for',
  })
  const row = `INSERT INTO events SELECT * REPLACE ('${call}' AS session_id, 1 AS seq, 'admin' AS kind, 'control' AS protocol,
    'erase' AS status, '${text}' AS text) FROM (SELECT * FROM events WHERE session_id = '${session}' AND seq = 7)`
  const { leaf, inserted } = await speaksFor(row, { session: call, first: 1, last: 1 })
  const { findings, erasures } = await attacks.after([
    row,
    inserted,
    ...insert(forged({ leaves: [leaf], retention: 400 })),
    `ALTER TABLE events UPDATE statement = '', facts = '', params = [], payload = '' WHERE session_id = '${session}'`,
    `ALTER TABLE chain_leaves UPDATE salt = '', hints = '' WHERE session_id = '${session}'`,
  ])
  expect(findings).toContainEqual(expect.objectContaining({ kind: 'erased', session }))
  expect(erasures).toEqual([])
})

test('a chain of one’s own in the store, in which a session goes on that has not ended', async () => {
  const span = { session: open, first: 2, last: 2 }
  const row = `INSERT INTO events SELECT * REPLACE (2 AS seq, 'added' AS text) FROM (SELECT * FROM events WHERE session_id = '${open}')`
  const { leaf, inserted } = await speaksFor(row, span)
  const sql = [row, inserted, ...insert(forged({ leaves: [leaf], retention: 400 }))]
  const { status, findings } = await attacks.after(sql)
  expect(findings).toMatchObject([{ kind: 'added', ...span, chain: `${gateway}.ZZZ` }])
  expect(status).toBe('broken')
})

test('a key of one’s own beside a head that is said to be known', async () => {
  const found = await cut()
  expect(attacks.judge(found).findings).toMatchObject([missing()])
  const last = JSON.parse((await attacks.heads()).at(-1)!.text)
  const [chain, number, size, root] = [last[1], last[2], last[3], last[4]]
  const text = headText({
    ...{ chain, number, size, root, at: last[5], instance: 'x', kind: 'run' },
    ...{ previous: '', retention: 0, key: key.id },
  })
  const known = {
    ...{ source: 'gateway', text, signature: signText(text, key) },
    keys: [signKey(key, key, { chain, at: 1 })],
  }
  expect(attacks.judge([...found, { known: [known] }]).findings).toContainEqual(
    expect.objectContaining(missing()),
  )
  expect(attacks.own.id).toBe(chain)
})

test('evidence that says it was made much later', async () => {
  const found = await cut()
  const later = Date.now() + 500 * 86_400_000
  const aged = found.map((line) => ('sluice' in line ? { ...line, made: later * 1000 } : line))
  vi.useFakeTimers({ now: later, toFake: ['Date'] })
  const report = verified(aged)
  vi.useRealTimers()
  expect(report.findings).toMatchObject([missing()])
})

function verified(found: readonly object[], pins: readonly string[] = []): Report {
  const verifier = new Verifier({ pins })
  for (const line of found) verifier.line(line)
  return verifier.finish()
}

test('the oldest heads are missed', async () => {
  const { findings } = await attacks.after(['ALTER TABLE chains DELETE WHERE number < 2'])
  expect(findings).toMatchObject([{ kind: 'head', say: expect.stringContaining('0 to 1') }])
})

test('rows that are older than the chain are no part of a record that is intact', async () => {
  const old = `INSERT INTO events SELECT * REPLACE ('ghost' AS session_id, ts - toIntervalYear(1) AS ts) FROM (SELECT * FROM events WHERE session_id = '${session}')`
  expect((await attacks.after([old])).findings).toMatchObject([{ kind: 'added', session: 'ghost' }])
})

test('heads that others keep cannot stand in the evidence, nor forged ones of the gateway', async () => {
  const scope = { type: 'session', session } as const
  const found = await attacks.lines(new Evidence(attacks.reader(), 'sluice', attacks.own), scope)
  const { text, signature } = forged()
  const kinds = (known: object) =>
    attacks.judge([...found, { known: [known] }]).findings.map(({ kind }) => kind)
  expect(kinds({ source: 'court', text, signature })).toEqual(['evidence'])
  expect(kinds({ source: 'gateway', text, signature })).toEqual(['anchor'])
  expect(kinds(attacks.known!)).toEqual([])
})

test('a report says what it is about, and chains that were not pinned are named', async () => {
  const found = await lines()
  const first = verified(found).keys[0]!.key
  expect(verified(found)).toMatchObject({
    status: 'intact',
    scope: { type: 'range', since: '1970-01-01T00:00:00.000Z' },
  })
  expect(verified(found, [first]).status).toBe('intact')
  expect(verified(found, [first, 'another']).status).toBe('intact')
  expect(verified(found, ['another']).findings).toMatchObject([{ kind: 'key' }])
  const begin = {
    ...(found[0] as { scope: object }),
    scope: { type: 'range', since: Date.now() * 1000 - DAY },
  }
  expect(verified([begin, ...found.filter((_, index) => index > 0)]).scope).not.toEqual({
    type: 'range',
    since: '1970-01-01T00:00:00.000Z',
  })
})
