/**
 * Attacks on what the store has of sealed originals, by somebody who may write there: each is found, in the right place, in a
 * range and in the session, by both verifiers.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import type { Report } from '../../src/replay/verifier.mjs'
import { ALL, Attacks } from './attacks.ts'
import { Sealing } from './sealing.ts'

let sealing: Sealing
let attacks: Attacks
let release = () => {}
/** Two sessions that are over, and one that goes on; each with three batches. */
let [a, b, live] = ['', '', '']

beforeAll(async () => {
  sealing = await Sealing.start()
  attacks = await Attacks.on(sealing.at, sealing.ship)
  // Somebody waits for the engine, all the time.
  void sealing.ship.store.question(() => new Promise<void>((resolve) => (release = resolve)))
  a = await sealing.session(['one', 'two'], 1)
  b = await sealing.session(['three', 'four'], 2)
  live = await sealing.session(['five', 'six'], 3, false)
  await attacks.remember()
}, 180_000)

afterAll(async () => {
  release()
  await sealing.close()
})

const of = (session: string): EvidenceScope => ({ type: 'session', session })

/** A session that there is not. */
const GHOST = 'ghost'

/** As a whole, and of the session alone. */
async function found(session: string, statements: readonly string[]): Promise<Report['findings']> {
  const [range, alone] = await attacks.each(statements, [ALL, of(session)])
  expect(range!.status).toBe('broken')
  const own = range!.findings.filter((one) => one.session === session)
  // Of a session that there is not, there is no leaf either.
  const same = alone!.findings.filter(({ say }) => !say.startsWith('no leaf speaks for'))
  expect(same).toEqual(own)
  return range!.findings
}

const where = (session: string, batch: number) =>
  `WHERE session_id = '${session}' AND batch = ${batch}`
const copy = (change: string, session: string, batch = 2) =>
  `INSERT INTO sealed SELECT * REPLACE (${change}) FROM (SELECT * FROM sealed ${where(session, batch)})`

test('what nobody touched is intact, as a whole and session by session', async () => {
  for (const report of await attacks.each([], [ALL, of(a), of(b), of(live)]))
    expect(report).toMatchObject({ status: 'intact', findings: [] })
})

/** What is new might be on its way, with its events behind it. */
const OLD = 'ts - toIntervalMinute(1) AS ts'

/** As with columns that no mutation may change: taken out, and put back otherwise. */
const anew = (table: string, change: string, which: string) => [
  `CREATE TABLE moved AS ${table}`,
  `INSERT INTO moved SELECT * REPLACE (${change}) FROM (SELECT * FROM ${table} ${which})`,
  `ALTER TABLE ${table} DELETE ${which}`,
  `INSERT INTO ${table} SELECT * FROM moved`,
]

test('a batch of which one column was changed', async () => {
  const changes = [
    [a, 1, "concat(ciphertext, 'x') AS ciphertext", 'ciphertext'],
    [a, 2, 'ts + toIntervalSecond(1) AS ts', 'time'],
    [a, 3, "'another' AS key_id", 'key of the gateway'],
    [b, 1, "unhex('000000000000000000000009') AS nonce", 'nonce'],
    [b, 2, '7 AS originals', 'number of originals'],
    [b, 3, '1 AS cut', 'number of those left out'],
    [live, 1, "'elsewhere' AS place", 'place'],
    [live, 2, "'S-9' AS event_id", 'event'],
  ] as const
  const statements = changes.flatMap(([session, batch, change]) => [
    ...anew('sealed', change, where(session, batch)),
    'DROP TABLE moved',
  ])
  expect(await found(a, statements)).toMatchObject(
    changes.map(([session, batch, , name]) => ({
      ...{ kind: 'changed', session, batch },
      say: expect.stringContaining(`(${name})`),
    })),
  )
})

test('a batch that was deleted', async () => {
  expect(await found(a, [`ALTER TABLE sealed DELETE ${where(a, 1)}`])).toMatchObject([
    { kind: 'missing', session: a, batch: 1 },
  ])
})

test('a batch that stands there twice, as it was or otherwise', async () => {
  const twice = [{ kind: 'added', session: a, batch: 2, say: expect.stringContaining('twice') }]
  expect(await found(a, [copy('1 AS originals', a)])).toMatchObject(twice)
  expect(await found(a, [copy("'other' AS ciphertext", a)])).toMatchObject(twice)
  // Which of the two is read must not depend on the order.
  expect(
    await found(a, [copy("ts - toIntervalDay(1) AS ts, 'other' AS ciphertext", a)]),
  ).toMatchObject(twice)
})

test('a batch that was added to a session that is over, or to one that there is not', async () => {
  const added = { kind: 'added', batch: 4 }
  expect(await found(a, [copy('4 AS batch', a)])).toMatchObject([{ ...added, session: a }])
  expect(await found(GHOST, [copy(`'ghost' AS session_id, ${OLD}`, a)])).toMatchObject([
    { kind: 'added', session: GHOST, batch: 2 },
  ])
  // Of another time: nothing excuses it.
  const early = copy("4 AS batch, toDateTime64('1970-01-02 00:00:00', 6, 'UTC') AS ts", a)
  expect(await found(a, [early])).toMatchObject([{ ...added, session: a }])
  const late = copy('4 AS batch, ts + toIntervalYear(1) AS ts', a)
  expect(await found(a, [late])).toMatchObject([{ ...added, session: a }])
})

test('a batch that was added to a session that goes on is not said to be intact', async () => {
  const sql = [copy('4 AS batch', live)]
  for (const { status, findings } of await attacks.each(sql, [ALL, of(live)])) {
    expect(status).toBe('unsigned tail')
    expect(findings).toMatchObject([{ kind: 'unsigned', session: live, batch: 4 }])
  }
  // Between those that its events speak of, none is on its way.
  expect(await found(live, [copy('0 AS batch', live)])).toMatchObject([
    { kind: 'added', session: live, batch: 0 },
  ])
})

test('a batch with an event of its own, which no leaf speaks for', async () => {
  const event = `INSERT INTO events SELECT * REPLACE (seq + 100 AS seq, replaceOne(text, '"batch":2', '"batch":9') AS text)
    FROM (SELECT * FROM events WHERE session_id = '${a}' AND kind = 'sealed' AND JSONExtractUInt(text, 'batch') = 2)`
  const findings = await found(a, [event, copy('9 AS batch', a)])
  expect(findings).toMatchObject([
    { kind: 'added', session: a, first: 102 },
    { kind: 'added', session: a, batch: 9 },
  ])
})

test('batches that were swapped between sessions, and within one', async () => {
  const swap = (from: string, other: string) =>
    anew(
      'sealed',
      `if(session_id = '${from}', '${other}', '${from}') AS session_id`,
      `WHERE session_id IN ('${from}', '${other}') AND batch = 2`,
    )
  expect(await found(a, swap(a, b))).toMatchObject([
    { kind: 'changed', session: a, batch: 2, say: expect.stringContaining('ciphertext') },
    { kind: 'changed', session: b, batch: 2 },
  ])
  const change = 'if(batch = 1, 2, 1) AS batch'
  expect(
    await found(a, anew('sealed', change, `WHERE session_id = '${a}' AND batch < 3`)),
  ).toMatchObject([
    { kind: 'changed', session: a, batch: 1 },
    { kind: 'changed', session: a, batch: 2 },
  ])
  // One into the other's place: missing here, twice there.
  const moved = anew('sealed', `'${b}' AS session_id, 9 AS batch`, where(a, 2))
  expect(await found(a, moved)).toMatchObject([
    { kind: 'missing', session: a, batch: 2 },
    { kind: 'added', session: b, batch: 9 },
  ])
})

test('batches that were put in the place of others, though as many, and with numbers of the same sum', async () => {
  const moved = anew(
    'sealed',
    'if(batch = 2, 0, 5) AS batch',
    `WHERE session_id = '${a}' AND batch > 1`,
  )
  expect(await found(a, moved)).toMatchObject([
    { kind: 'missing', session: a, batch: 2 },
    { kind: 'missing', session: a, batch: 3 },
    { kind: 'added', session: a, batch: 0 },
    { kind: 'added', session: a, batch: 5 },
  ])
})

test('originals of a whole session that were deleted, with the events that speak of them', async () => {
  const rows = [`ALTER TABLE sealed DELETE WHERE session_id = '${a}'`]
  expect(await found(a, rows)).toMatchObject(
    [1, 2, 3].map((batch) => ({ kind: 'missing', session: a, batch })),
  )
  const events = [`ALTER TABLE events DELETE WHERE session_id = '${a}' AND kind = 'sealed'`]
  expect(await found(a, [...rows, ...events])).toMatchObject([
    { kind: 'missing', session: a, first: 1, last: 3 },
    { kind: 'added', session: a },
  ])
  expect(await found(a, events)).toMatchObject([
    { kind: 'missing', session: a, first: 1, last: 3 },
    ...[0, 1, 2, 3].map((batch) => ({ kind: 'added', session: a, ...(batch > 0 && { batch }) })),
  ])
})

test('that were rolled back to what they were before', async () => {
  const back = [`ALTER TABLE sealed DELETE WHERE session_id = '${b}' AND batch > 1`]
  expect(await found(b, back)).toMatchObject([
    { kind: 'missing', session: b, batch: 2 },
    { kind: 'missing', session: b, batch: 3 },
  ])
})

test('keys that were changed, swapped, deleted, or added', async () => {
  const mine = `WHERE session_id = '${a}'`
  const changes = [
    [a, "'x' AS wrapped, ['age1eve'] AS recipients", 'wrapped key, recipients'],
    [b, "'x' AS key_id", 'key of the gateway'],
    [live, 'ts + toIntervalSecond(1) AS ts', 'time'],
  ] as const
  const statements = changes.flatMap(([session, change]) => [
    ...anew('sealed_keys', change, `WHERE session_id = '${session}'`),
    'DROP TABLE moved',
  ])
  expect(await found(a, statements)).toMatchObject(
    changes.map(([session, , name]) => ({
      ...{ kind: 'changed', session },
      say: expect.stringContaining(`(${name})`),
    })),
  )
  const gone = `ALTER TABLE sealed_keys DELETE ${mine}`
  expect(await found(a, [gone])).toMatchObject([
    { kind: 'missing', session: a, say: expect.stringContaining('key') },
  ])
  const add = (as: string) =>
    `INSERT INTO sealed_keys SELECT * REPLACE (${as}) FROM (SELECT * FROM sealed_keys ${mine})`
  expect(await found(a, [add('ts - toIntervalDay(1) AS ts')])).toMatchObject([
    { kind: 'added', session: a, say: expect.stringContaining('key') },
  ])
  expect(await found(GHOST, [add(`'ghost' AS session_id, ${OLD}`)])).toMatchObject([
    { kind: 'added', session: GHOST, say: expect.stringContaining('key') },
  ])
  // Into another session's place: two there, none here.
  expect(await found(a, anew('sealed_keys', `'${b}' AS session_id`, mine))).toMatchObject([
    { kind: 'missing', session: a },
    { kind: 'added', session: b },
  ])
}, 180_000)
