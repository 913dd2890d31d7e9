/**
 * Attacks on a record, each on a copy of real tables in the real engine, or on what a killed gateway left in its spool. All
 * must be found, in the right place, by the verifier as `sluice audit verify` uses it and by the same file as a program.
 */

import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Evidence, type OwnChain } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { Verifier } from '../../src/replay/verifier.mjs'
import { Place, until } from '../record/running.ts'
import { ALL, Attacks, record } from './attacks.ts'

const at = new Place()
let attacks: Attacks
/** Session ids, in the order in which they were recorded; a head lies between any two. */
const sessions: string[] = []
let release = () => {}

beforeAll(async () => {
  attacks = await Attacks.on(at)
  // Somebody waits for the engine, all the time.
  void attacks.ship.store.question(() => new Promise<void>((resolve) => (release = resolve)))
  for (let i = 0; i < 4; i++) {
    const recorder = at.recorder({ thread: i + 1, ratchet: i % 2 === 0 })
    sessions.push(record(at, recorder, 6))
    recorder.close()
    await until(async () => (await attacks.heads()).some(({ size }) => size === i + 1))
  }
  await attacks.remember()
}, 180_000)

afterAll(async () => {
  release()
  await at.close()
})

const attacked: Attacks['after'] = (...given) => attacks.after(...given)
const heads = () => attacks.heads()
/** An own log that knows nothing: the gateway's disk is lost, or is in the attacker's hands. */
const silent = (): OwnChain => attacks.silent

const A = () => sessions[1]!

describe('a record', () => {
  test('that nobody touched is intact, as a whole, since a moment, and session by session', async () => {
    expect(await attacked([])).toMatchObject({
      status: 'intact',
      events: 52,
      sessions: 4,
      findings: [],
    })
    const [, second] = await heads()
    const since = JSON.parse(second!.text)[5]
    const some = await attacked([], { scope: { type: 'range', since } })
    expect(some).toMatchObject({ status: 'intact', findings: [] })
    const one = await attacked([], { scope: { type: 'session', session: A() } })
    expect(one).toMatchObject({ status: 'intact', events: 13, sessions: 1, findings: [] })
  }, 180_000)

  test('in which values were edited', async () => {
    const edit = (seq: number, change: string) =>
      `ALTER TABLE events UPDATE ${change} WHERE session_id = '${A()}' AND seq = ${seq}`
    const sql = [
      edit(2, 'rows = 999'),
      edit(5, "statement = 'SELECT 1'"),
      edit(8, "payload = ''"),
      edit(10, "subject = 'x'"),
      `ALTER TABLE events UPDATE masked = map('email', 3) WHERE session_id = '${sessions[2]}' AND seq = 12`,
    ]
    const { findings, status } = await attacked(sql)
    expect(status).toBe('broken')
    expect(findings).toMatchObject([
      ...[2, 5, 8, 10].map((seq) => ({ kind: 'changed', session: A(), first: seq, last: seq })),
      { kind: 'changed', session: sessions[2], first: 12, last: 12 },
    ])
    const one = await attacked(sql.slice(0, 1), { scope: { type: 'session', session: A() } })
    expect(one.findings).toMatchObject([{ kind: 'changed', session: A(), first: 2, last: 2 }])
  })

  test('whose contents and salt are gone is not intact', async () => {
    const { findings } = await attacked([
      `ALTER TABLE events UPDATE statement = 'SELECT 1' WHERE session_id = '${A()}' AND seq = 3`,
      `ALTER TABLE chain_leaves UPDATE salt = '' WHERE session_id = '${A()}'`,
    ])
    expect(findings).toMatchObject([{ kind: 'erased', session: A() }])
  })

  test('from which one event was deleted', async () => {
    const sql = `ALTER TABLE events DELETE WHERE session_id = '${A()}' AND seq = 4`
    expect((await attacked([sql])).findings).toMatchObject([
      { kind: 'missing', session: A(), first: 4, last: 4 },
    ])
  })

  test('from which one event was deleted so that another one could be edited', async () => {
    const sql = [
      `ALTER TABLE events DELETE WHERE session_id = '${A()}' AND seq = 4`,
      `ALTER TABLE events UPDATE rows = 7 WHERE session_id = '${A()}' AND seq = 6`,
    ]
    expect((await attacked(sql)).findings).toMatchObject([
      { kind: 'missing', session: A(), first: 4, last: 4 },
      { kind: 'changed', session: A(), first: 6, last: 6 },
    ])
    const hints = `ALTER TABLE chain_leaves UPDATE hints = '' WHERE session_id = '${A()}'`
    expect((await attacked([...sql, hints])).findings).toMatchObject([
      { kind: 'missing', session: A(), first: 4, last: 4 },
      { kind: 'erased', session: A() },
    ])
  })

  test('in which two events were swapped', async () => {
    const { findings } = await attacked([
      `CREATE TABLE moved AS events`,
      `INSERT INTO moved SELECT * REPLACE (if(seq = 3, 5, 3) AS seq) FROM (SELECT * FROM events WHERE session_id = '${A()}' AND seq IN (3, 5))`,
      `ALTER TABLE events DELETE WHERE session_id = '${A()}' AND seq IN (3, 5)`,
      'INSERT INTO events SELECT * FROM moved',
    ])
    expect(findings).toMatchObject([
      { kind: 'changed', session: A(), first: 3, last: 3 },
      { kind: 'changed', session: A(), first: 5, last: 5 },
    ])
  })

  test('whose session was truncated', async () => {
    const rows = `ALTER TABLE events DELETE WHERE session_id = '${A()}' AND seq > 8`
    expect((await attacked([rows])).findings).toMatchObject([
      { kind: 'missing', session: A(), first: 9, last: 13 },
    ])
  })

  test('to which events were added', async () => {
    const copy = (seq: number) =>
      `INSERT INTO events SELECT * REPLACE (${seq} AS seq) FROM (SELECT * FROM events WHERE session_id = '${A()}' AND seq = 3)`
    const made = `INSERT INTO events SELECT * REPLACE ('ghost' AS session_id) FROM (SELECT * FROM events WHERE session_id = '${A()}')`
    expect((await attacked([copy(14), copy(4), made])).findings).toMatchObject([
      { kind: 'added', session: A(), first: 4, last: 4 },
      { kind: 'changed', session: A() },
      { kind: 'added', session: A(), first: 14, last: 14 },
      { kind: 'added', session: 'ghost' },
    ])
  })

  test('to which events of another time were added, or in the place of others', async () => {
    const made = (session: string, ts: string, seq = 'seq') =>
      `INSERT INTO events SELECT * REPLACE ('${session}' AS session_id, ${ts} AS ts, ${seq} AS seq) FROM (SELECT * FROM events WHERE session_id = '${A()}')`
    const { findings } = await attacked([
      made('later', 'ts + INTERVAL 1 YEAR'),
      made('long-ago', "toDateTime64('1960-01-01 00:00:00', 6, 'UTC')"),
      // As many as there were: their number says nothing.
      `ALTER TABLE events DELETE WHERE session_id = '${sessions[2]}'`,
      made(sessions[2]!, 'ts', 'seq + 100'),
    ])
    expect(findings).toMatchObject([
      { kind: 'missing', session: sessions[2], first: 1, last: 13 },
      { kind: 'added', session: sessions[2], first: 101, last: 113 },
      { kind: 'added', session: 'later' },
      { kind: 'added', session: 'long-ago' },
    ])
  })

  test('to which an event was added, and a leaf made to seem to speak for it', async () => {
    const sql = [
      `INSERT INTO events SELECT * REPLACE (50 AS seq) FROM (SELECT * FROM events WHERE session_id = '${A()}' AND seq = 3)`,
      `ALTER TABLE chain_leaves UPDATE last_seq = 60 WHERE session_id = '${A()}'`,
    ]
    const added = [{ kind: 'added', session: A(), first: 50, last: 50 }]
    expect((await attacked(sql)).findings).toMatchObject(added)
    const scope: EvidenceScope = { type: 'session', session: A() }
    expect((await attacked(sql, { scope })).findings).toMatchObject(added)
  })

  test('whose session may go on in a leaf that was given another name', async () => {
    const scope: EvidenceScope = { type: 'session', session: A() }
    const sql = [
      `ALTER TABLE events DELETE WHERE session_id = '${A()}' AND kind = 'close'`,
      `ALTER TABLE chain_leaves UPDATE session_id = 'x' WHERE session_id = '${sessions[2]}'`,
    ]
    expect((await attacked(sql, { scope })).findings).toMatchObject([
      { kind: 'missing', session: A() },
      { kind: 'leaf', say: expect.stringContaining('1 leaves') },
    ])
  })

  test('from which a whole session was deleted', async () => {
    const rows = `ALTER TABLE events DELETE WHERE session_id = '${A()}'`
    const leaf = `ALTER TABLE chain_leaves DELETE WHERE session_id = '${A()}'`
    const missing = { kind: 'missing', session: A(), first: 1, last: 13 }
    expect((await attacked([rows])).findings).toMatchObject([missing])
    expect((await attacked([rows, leaf])).findings).toMatchObject([
      { kind: 'leaf', session: A(), leaf: 1 },
      missing,
    ])
    const { findings } = await attacked([rows, leaf], { log: silent() })
    expect(findings[0]).toMatchObject({
      kind: 'leaf',
      say: expect.stringContaining('leaves 1 to 1'),
    })
    const asked = await attacked([rows], { scope: { type: 'session', session: A() } })
    expect(asked.findings).toMatchObject([missing])
  })

  test('whose leaf was made to fit a changed event', async () => {
    const { findings } = await attacked([
      `ALTER TABLE chain_leaves UPDATE text = replaceOne(text, extract(text, '[0-9a-f]{64}'), '${'0'.repeat(64)}') WHERE session_id = '${A()}'`,
    ])
    expect(findings.map(({ kind }) => kind)).toContain('root')
    expect(findings.map(({ session }) => session)).toContain(A())
  })

  test('that was rolled back', async () => {
    const to = JSON.parse((await heads()).find(({ size }) => size === 2)!.text)
    const back = [
      `ALTER TABLE events DELETE WHERE session_id IN ('${sessions[2]}', '${sessions[3]}')`,
      'ALTER TABLE chain_leaves DELETE WHERE n >= 2',
      `ALTER TABLE chains DELETE WHERE number > ${to[2]}`,
    ]
    const { findings } = await attacked(back, { log: silent() })
    expect(findings).toMatchObject([
      {
        kind: 'rolled-back',
        chain: attacks.own.id,
        say: expect.stringContaining('gateway knows head'),
      },
    ])
    // Where the gateway is the attacker's as well, an anchor remembers.
    const anchor = attacks.known
    attacks.known = {
      source: 'gateway',
      text: JSON.stringify(to),
      signature: (await heads())[to[2]]!.signature,
    }
    const before = await attacked(back, { log: silent() })
    const after = await attacked(back, { log: silent(), anchors: [{ ...anchor, source: 'worm' }] })
    attacks.known = anchor
    expect(before.findings).toEqual([])
    expect(after.findings).toMatchObject([{ kind: 'rolled-back' }])
  })

  test('whose newest heads are gone has an unsigned tail', async () => {
    const from = (await heads()).find(({ size }) => size === 3)!.number
    const { findings } = await attacked([`ALTER TABLE chains DELETE WHERE number > ${from}`])
    expect(findings).toMatchObject([
      { kind: 'unsigned', session: sessions[3], first: 1, last: 13 },
      { kind: 'rolled-back' },
    ])
  })

  test('in which an old head was replayed', async () => {
    const all = await heads()
    const [old, last] = [all[1]!, all.at(-1)!]
    const insert = `INSERT INTO chains (ts, chain, size, number, text, signature, peaks) SELECT now(), chain, ${last.size}, ${last.number + 1}, text, signature, peaks FROM chains WHERE number = ${old.number}`
    expect((await attacked([insert])).findings).toMatchObject([
      { kind: 'old-head', head: old.number },
    ])
    const anchors = [all[0]!, all[2]!, old].map((head) => ({ ...head, source: 'worm' }))
    const { findings } = await attacked([], { anchors })
    expect(findings).toMatchObject([{ kind: 'old-head', head: old.number }])
  })

  test('whose head was changed, taken out, or signed by somebody else', async () => {
    const all = await heads()
    const { number } = all[2]!
    const changed = `ALTER TABLE chains UPDATE text = replaceOne(text, '"run"', '"close"') WHERE number = ${number}`
    expect((await attacked([changed])).findings).toMatchObject([{ kind: 'head', head: number }])
    const gone = await attacked([`ALTER TABLE chains DELETE WHERE number = ${number}`])
    expect(gone.findings[0]).toMatchObject({
      kind: 'head',
      say: expect.stringContaining('missing'),
    })
    const { number: last } = all.at(-1)!
    const forged = `ALTER TABLE chains UPDATE signature = '${all[0]!.signature}' WHERE number = ${last}`
    expect((await attacked([forged])).findings).toMatchObject([{ kind: 'signature', head: last }])
    const keys = await attacked(["ALTER TABLE chain_keys UPDATE signature = '' WHERE 1"])
    expect(keys.findings.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['key', 'signature']),
    )
  })

  test('whose evidence is cut off, or begins with another key than the one that is known', async () => {
    const client = attacks.reader()
    const found = await attacks.lines(new Evidence(client, 'sluice', attacks.own), ALL)
    await client.close()
    expect(attacks.judge(found.slice(0, -1)).findings).toMatchObject([{ kind: 'evidence' }])
    const pinned = new Verifier({ pins: ['0'.repeat(32)] })
    for (const line of found) pinned.line(line)
    expect(pinned.finish().findings).toMatchObject([{ kind: 'key' }])
  })
})

test('a stolen ratchet key does not reach what a head has signed', async () => {
  const spool = readdirSync(at.spool).filter((name) => name.endsWith('.ratchet'))
  const path = join(at.spool, spool[0]!)
  const [number, key] = readFileSync(path, 'latin1').trim().split(' ')
  // Kept is the key after the last seal that a head covers; the one before cannot be had from it.
  expect(Number(number)).toBeGreaterThan(0)
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  const [last] = sessions
  const sql = `ALTER TABLE events UPDATE rows = 1 WHERE session_id = '${last}' AND seq = 2`
  const forgedTag = hash('sha256', Buffer.from(key!, 'hex'), 'hex')
  const leaf = `ALTER TABLE chain_leaves UPDATE text = replaceOne(text, extract(text, '[0-9a-f]{64}'), '${forgedTag}') WHERE session_id = '${last}'`
  const { findings, status } = await attacked([sql, leaf])
  expect(status).toBe('broken')
  expect(findings.map(({ session }) => session)).toContain(last)
  expect(findings.map(({ kind }) => kind)).toContain('root')
})
