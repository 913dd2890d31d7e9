/**
 * Attacks on a record, each on a copy of real tables in the real engine, or on what a killed gateway left in its spool. All
 * must be found, in the right place, by the verifier as `sluice audit verify` uses it and by the same file as a program.
 */
import { execFileSync } from 'node:child_process'
import { createCipheriv, hash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CANONICAL_COLUMNS } from '../../src/record/canonical.ts'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import type { Recorder } from '../../src/record/event.ts'
import { Evidence, type OwnChain } from '../../src/record/evidence.ts'
import type { EvidenceScope } from '../../src/record/evidence-page.ts'
import { Tree } from '../../src/record/merkle.ts'
import { headText, newSigningKey, signKey, signText } from '../../src/record/proof.ts'
import { CONTENT_COLUMNS } from '../../src/record/row-binary.ts'
import { BLOCK_HEAD, readSegment, sealBlock } from '../../src/record/segment.ts'
import type { ShipThread } from '../../src/record/ship-thread.ts'
import { type Report, Verifier } from '../../src/replay/verifier.mjs'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from '../record/running.ts'

const VERIFIER = fileURLToPath(new URL('../../src/replay/verifier.mjs', import.meta.url))
const ALL: EvidenceScope = { type: 'range', since: 0 }
const TABLES = ['events', 'chains', 'chain_leaves', 'chain_keys']

const at = new Place()
let ship: ShipThread
let admin: ClickHouse
/** Session ids, in the order in which they were recorded; a head lies between any two. */
const sessions: string[] = []
let own: OwnChain
let known: object
let copies = 0
let release = () => {}

function record(recorder: Recorder, actions: number, ends = true): string {
  const session = recorder.open(facts(at.instance))
  const shape = recorder.shape(SHAPE)
  for (let i = 0; i < actions; i++) {
    const payload = Buffer.from([0xff, 0x00, i])
    session.outcome(shape, session.action(shape, TIMES), { ...OUTCOME, payload })
  }
  if (ends) session.moment({ kind: 'close', status: 'client', text: '' })
  recorder.flush()
  return session.sessionId
}

async function lines(evidence: Evidence, scope: EvidenceScope): Promise<object[]> {
  let page = await evidence.begin(scope, Date.now() * 1000)
  const found: object[] = [...page.lines, ...(scope.type === 'range' ? [{ known: [known] }] : [])]
  while (page.next !== undefined) {
    page = await evidence.next(page.next)
    found.push(...page.lines)
  }
  return found
}

/** By both verifiers, which must agree. */
function judge(found: readonly object[], anchors: readonly object[] = []): Report {
  const verifier = new Verifier({ anchors })
  for (const line of found) verifier.line(JSON.parse(JSON.stringify(line)))
  const report = verifier.finish()
  const file = join(at.folder, 'evidence.ndjson')
  writeFileSync(file, found.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const anchor = join(at.folder, 'anchor.ndjson')
  writeFileSync(anchor, anchors.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const words = [VERIFIER, file, '--anchor', anchor, '--json']
  let text: string
  try {
    text = execFileSync(process.execPath, words, { encoding: 'utf8' })
  } catch (error) {
    const { stdout, status } = error as { stdout: string; status: number }
    expect(status).toBe(1)
    expect(report.status).not.toBe('intact')
    text = stdout
  }
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(report)))
  return report
}

/** Verifies a copy of the record after the statements were run on it. */
async function attacked(
  statements: readonly string[],
  {
    scope = ALL,
    anchors = [],
    log = own,
  }: { scope?: EvidenceScope; anchors?: object[]; log?: OwnChain } = {},
): Promise<Report> {
  const database = `copy${++copies}`
  await admin.command({ sql: `CREATE DATABASE ${database}` })
  for (const table of TABLES) {
    await admin.command({ sql: `CREATE TABLE ${database}.${table} AS sluice.${table}` })
    await admin.command({ sql: `INSERT INTO ${database}.${table} SELECT * FROM sluice.${table}` })
  }
  const client = openClickHouse({ socket: join(at.folder, 'clickhouse', 'http.sock') }, database)
  try {
    for (const sql of statements) await client.command({ sql, settings: { mutations_sync: 2 } })
    return judge(await lines(new Evidence(client, database, log), scope), anchors)
  } finally {
    await client.close()
    await admin.command({ sql: `DROP DATABASE ${database}` })
  }
}

function ownOf({ chain }: ShipThread): OwnChain {
  const leaves = (from: number, to: number) => chain.leaves(from, to)
  return { id: chain.id, size: chain.head?.size ?? 0, leaves, settle: () => Promise.resolve() }
}

/** An own log that knows nothing: the gateway's disk is lost, or is in the attacker's hands. */
const silent = (): OwnChain => ({ ...own, size: 0, leaves: () => new Map() })

beforeAll(async () => {
  ship = at.ship()
  admin = await ship.store.ready()
  // Somebody waits for the engine, all the time.
  void ship.store.question(() => new Promise<void>((resolve) => (release = resolve)))
  for (let i = 0; i < 4; i++) {
    const recorder = at.recorder({ thread: i + 1, ratchet: i % 2 === 0 })
    sessions.push(record(recorder, 6))
    recorder.close()
    await until(async () => (await heads()).some(({ size }) => size === i + 1))
  }
  const [last] = (await heads()).slice(-1)
  known = { source: 'gateway', text: last!.text, signature: last!.signature }
  own = ownOf(ship)
}, 60_000)

afterAll(async () => {
  release()
  await at.close()
})

async function heads(): Promise<
  { size: number; number: number; text: string; signature: string }[]
> {
  await ship.copyChain()
  const rows = await at.rows(
    ship,
    'SELECT DISTINCT number, size, text, signature FROM chains ORDER BY number',
  )
  return rows as never
}

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
  }, 60_000)

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
    const { findings, before } = await attacked([
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
    ])
    expect(before).toBe(13)
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
      { kind: 'rolled-back', chain: own.id, say: expect.stringContaining('gateway knows head') },
    ])
    // Where the gateway is the attacker's as well, an anchor remembers.
    const anchor = known
    known = {
      source: 'gateway',
      text: JSON.stringify(to),
      signature: (await heads())[to[2]]!.signature,
    }
    const before = await attacked(back, { log: silent() })
    const after = await attacked(back, { log: silent(), anchors: [{ ...anchor, source: 'worm' }] })
    known = anchor
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
    const socket = join(at.folder, 'clickhouse', 'http.sock')
    const client = openClickHouse({ socket }, 'sluice')
    const found = await lines(new Evidence(client, 'sluice', own), ALL)
    await client.close()
    expect(judge(found.slice(0, -1)).findings).toMatchObject([{ kind: 'evidence' }])
    const pinned = new Verifier({ pin: '0'.repeat(32) })
    for (const line of found) pinned.line(line)
    expect(pinned.finish().findings).toMatchObject([{ kind: 'key' }])
  })
})

test('what another gateway has not copied yet is no finding, what it never copied is one', () => {
  const made = Date.now() * 1000
  const say = (ago: number, ours = 'B') => {
    const verifier = new Verifier()
    const columns = { columns: CANONICAL_COLUMNS, contents: CONTENT_COLUMNS.length, canonical: 1 }
    verifier.line({ sluice: 'evidence', version: 1, scope: ALL, made, ...columns })
    for (const [chain, at] of [
      ['A', made - ago - 5_000_000],
      ['B', made],
    ] as const) {
      const key = newSigningKey()
      const place = {
        chain,
        number: 0,
        size: 0,
        root: new Tree().root,
        instance: `run of ${chain}`,
      }
      const head = {
        ...place,
        at,
        kind: 'run',
        previous: '',
        retention: 1,
        key: key.id,
      } as const
      const text = headText(head)
      const signed = { text, signature: signText(text, key), peaks: [] }
      verifier.line({ keys: [signKey(key, key, { chain, at: 1 })] })
      if (chain === ours) verifier.line({ known: [{ source: 'gateway', ...signed }] })
      verifier.line({ chain, from: null })
      verifier.line({ heads: [signed] })
    }
    const stray = { session: 's', first: 1, last: 2, rows: 2, at: made - ago }
    verifier.line({ strays: [{ ...stray, instance: 'run of A' }] })
    verifier.line({ end: true })
    return verifier.finish().findings.map(({ kind }) => kind)
  }
  expect(say(10_000_000)).toEqual([])
  expect(say(100_000_000)).toEqual(['unsigned'])
})

/** With a checksum that fits. */
function edit(path: string): void {
  const bytes = readFileSync(path)
  const content = contentOf(bytes)
  const block = bytes.subarray(content.blocks[0]! - BLOCK_HEAD, content.blocks[1])
  block.write('CUSTOMERS', block.indexOf('customers'), 'latin1')
  sealBlock(block, block.readUInt32BE(8))
  writeFileSync(path, bytes)
}

/** Edited, and sealed anew with the key that lay beside it. */
function forge(path: string): void {
  edit(path)
  const stolen = readFileSync(path.replace(/-\d+\.seg$/, '.ratchet'), 'latin1')
  const key = Buffer.from(stolen.trim().split(' ')[1]!, 'hex')
  const bytes = readFileSync(path)
  const [seal] = contentOf(bytes).seals
  const said = seal!.bytes
  const cipher = createCipheriv('aes-256-gcm', key, said.subarray(4, 16))
  cipher.setAAD(said.subarray(0, 16)).setAAD(seal!.covers).final()
  cipher.getAuthTag().copy(said, 16)
  const start = said.byteOffset - bytes.byteOffset - BLOCK_HEAD
  sealBlock(bytes.subarray(start, start + BLOCK_HEAD + said.length), 0)
  writeFileSync(path, bytes)
}

/** Everything after the first block is gone, as if it had never been written. */
function cut(path: string): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, contentOf(bytes).blocks[1]))
}

function contentOf(bytes: Buffer) {
  const content = readSegment(bytes)
  if (content === 'foreign') throw new Error('no segment')
  return content
}

test('what a killed gateway left in its spool is an unsigned tail, changed or cut', async () => {
  const [dead, next] = [new Place(), new Place()]
  const changes: readonly (readonly [(path: string) => void, boolean])[] = [
    [() => {}, true],
    [edit, true],
    [edit, false],
    [forge, true],
    [cut, true],
  ]
  try {
    const left = changes.map(([, ratchet], thread) => {
      const recorder = dead.recorder({ thread, ratchet })
      const session = record(recorder, 3, false)
      recorder.close()
      return {
        session,
        path: `${dead.instance}-${String(thread).padStart(4, '0')}-0000000001.seg`,
      }
    })
    // Killed: what lay there at that moment is all that the next run finds.
    mkdirSync(next.spool, { recursive: true })
    for (const name of readdirSync(dead.spool))
      copyFileSync(join(dead.spool, name), join(next.spool, name))
    for (const [index, { path }] of left.entries()) changes[index]![0](join(next.spool, path))
    const later = next.ship()
    const client = await later.store.reader()
    await until(() => readdirSync(next.spool).every((name) => !/\.(open|seg)$/.test(name)), 20_000)
    await later.copyChain()
    const found = await lines(new Evidence(client, 'sluice', ownOf(later)), ALL)
    const report = judge(found.filter((line) => !('known' in line)))
    expect(report.status).toBe('broken')
    const of = (at: number) =>
      report.findings.filter(({ session }) => session === left[at]!.session)
    const tail = { kind: 'unsigned', first: 1, last: 6 }
    const holds = expect.stringContaining('the ratchet holds')
    const nothing = expect.stringContaining('nothing says')
    expect(of(0)).toMatchObject([{ ...tail, say: holds }])
    expect(of(1)).toMatchObject([{ kind: 'changed-tail', first: 1, last: 6 }])
    expect(of(2)).toMatchObject([{ ...tail, say: nothing }])
    // Whoever has the key can forge what was not signed: it is not said to be intact.
    expect(of(3)).toMatchObject([{ ...tail, say: holds }])
    expect(of(4)).toMatchObject([{ ...tail, say: nothing }])
  } finally {
    await next.close()
    await dead.close()
  }
}, 60_000)

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

test('a segment that is replayed under another number is found', async () => {
  const session = record(at.recorder({ thread: 9, ratchet: true }), 1)
  const open = readdirSync(at.spool).find((name) => name.includes('-0009-'))!
  const copy = join(at.folder, 'stolen')
  copyFileSync(join(at.spool, open), copy)
  await until(() => !readdirSync(at.spool).some((name) => /-0009-.*\.(open|seg)$/.test(name)))
  writeFileSync(join(at.spool, `${at.instance}-0009-0000000077.seg`), readFileSync(copy))
  appendFileSync(copy, '')
  await until(() => !readdirSync(at.spool).some((name) => name.endsWith('77.seg')))
  await ship.copyChain()
  own = ownOf(ship)
  const { findings } = await attacked([])
  expect(findings.map((one) => one.session)).toContain(session)
  expect(findings.map(({ kind }) => kind)).toContain('added')
}, 30_000)
