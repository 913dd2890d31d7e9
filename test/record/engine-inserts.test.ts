/** On the real engine: rows that are sent compact are stored as those that are sent whole, column by column. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SpareMemory } from '../../src/base/spare-memory.ts'
import { Runs } from '../../src/record/canonical.ts'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { EngineInserts } from '../../src/record/engine-inserts.ts'
import type { EngineInsert } from '../../src/record/engine-rows.ts'
import type { ActionShape, SessionFacts } from '../../src/record/event.ts'
import { migrate } from '../../src/record/migrate.ts'
import {
  BLOCK_HEAD,
  joinRows,
  readSegment,
  type SegmentContent,
  sealBlock,
  segmentHeader,
} from '../../src/record/segment.ts'
import { WholeInserts } from '../../src/record/whole-insert.ts'
import { ENGINE, facts, OUTCOME, SHAPE, TIMES } from './running.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-compact-'))
const DATABASES = ['whole', 'compact'] as const
let engine: EngineChild
let store: ClickHouse
let number = 0

beforeAll(async () => {
  engine = new EngineChild({ folder, memoryBytesMax: 1e9, say: () => {}, entry: ENGINE })
  store = openClickHouse(engine.address)
  await engine.ready()
  for (const database of DATABASES) await migrate(store, { database, retentionDays: 400 })
})

afterAll(async () => {
  await store.close()
  await engine.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Rows {
  readonly sessions: readonly Partial<SessionFacts>[]
  readonly shapes: readonly Partial<ActionShape>[]
  /** Actions of each session, with their outcome. */
  readonly actions: number
  readonly params?: readonly string[]
  readonly payload?: Buffer
  /** When the first action was. */
  readonly first?: number
}

/** Sessions take turns, a block for each turn, as in a spool. */
function segment({ sessions, shapes, actions, params, payload, first }: Rows): SegmentContent {
  const opened = sessions.map((more) => sessionSpan(facts('I', more)))
  const spans = shapes.map((more) => shapeSpans({ ...SHAPE, ...more }, 'hash'))
  const blocks: Buffer[] = [segmentHeader(1, 'I')]
  const times = { ...TIMES, ...(params === undefined ? {} : { params }) }
  const outcome = { ...OUTCOME, payload, masked: new Map([['email', 3]]), gatewayUs: 70_000 }
  let next = 0
  for (let i = 0; i < actions; i++) {
    const rows = new RowBuffer(BLOCK_HEAD, 4096)
    for (const session of opened) {
      const { action, outcome: ended } = spans[next++ % spans.length]!
      const head = {
        at: (first ?? 1_790_000_000_000_000) + i,
        seq: i * 2 + 1,
        action: i * 2 + 1,
        job: i,
      }
      rows.action([session, action], head, times)
      rows.outcome([session, ended], { ...head, seq: i * 2 + 2 }, outcome)
    }
    const block = rows.bytes.subarray(0, rows.size)
    sealBlock(block, rows.rows)
    blocks.push(Buffer.from(block))
  }
  const content = readSegment(Buffer.concat(blocks))
  if (content === 'foreign') throw new Error('no segment')
  return content
}

/** As it goes to the engine, where more than two rows are worth it. */
function compacted(content: SegmentContent): EngineInsert | undefined {
  return new EngineInserts(2).take('I', content)
}

/** What is stored of it, by either way; undefined where it is not sent compact. */
async function stored(rows: Rows): Promise<[Buffer, Buffer] | undefined> {
  const name = `I-0001-${++number}.seg`
  const results: Buffer[] = []
  for (const database of DATABASES) {
    const content = segment(rows)
    const whole = () => ({
      as: `(${COLUMN_NAMES.join(', ')}) FORMAT MsgPack`,
      settings: {},
      body: [joinRows(content)],
    })
    const made = database === 'whole' ? whole() : compacted(content)
    if (made === undefined) return undefined
    const { as, settings, body } = made
    const inserts = new WholeInserts({ database, store: () => Promise.resolve(store) })
    await inserts.insert(name, {
      table: 'events',
      as,
      settings,
      count: content.rows,
      body: () => body,
    })
    const which = `segment = '${name.replace('.seg', '')}'`
    const order = 'ORDER BY session_id, seq, cityHash64(*)'
    results.push(
      await store.bytes({ sql: `SELECT * FROM ${database}.events WHERE ${which} ${order}` }),
    )
    const parts = `SELECT uniqExact(_part) AS parts, count() AS rows FROM ${database}.events WHERE ${which}`
    expect(await store.query({ sql: parts })).toEqual([{ parts: 1, rows: content.rows }])
  }
  return [results[0]!, results[1]!]
}

const NASTY = [
  "'",
  '\\',
  '\0',
  '\n',
  "x'41'",
  '\u{1f9ff}',
  'é',
  '`',
  '{a:String}',
  '?',
  '%00',
  "\\'",
  '',
]

describe('a segment', () => {
  test('of a few sessions and statements', async () => {
    const sessions = ['a', 'b', 'c'].map((subject, i) => ({ subject, sessionId: `S${i}` }))
    const shapes = [{}, { class: 'write', verb: 'INSERT', objects: ['a.b', 'c.d'] }] as const
    const found = await stored({ sessions, shapes, actions: 200 })
    expect(found?.[0].equals(found[1])).toBe(true)
  })

  test('with texts that mean something to whoever reads queries', async () => {
    const sessions = NASTY.map((text, i) => ({
      sessionId: `S${i}`,
      job: text,
      roles: [text, text + text],
      groups: i % 2 ? [] : NASTY,
    }))
    const shapes = NASTY.map((text) => ({
      statement: text,
      objects: [text],
      facts: text.repeat(40),
    }))
    const rows = {
      sessions,
      shapes,
      actions: 60,
      params: NASTY,
      payload: Buffer.from(NASTY.join()),
    }
    const found = await stored(rows)
    expect(found?.[0].equals(found[1])).toBe(true)
  })

  test('whose statements differ all has its sessions numbered', async () => {
    const shapes = Array.from({ length: 300 }, (_, i) => ({ statement: `SELECT ${i}` }))
    const rows = { sessions: [{ sessionId: 'one' }], shapes, actions: 300 }
    expect(compacted(segment(rows))?.as).not.toContain('shape_number')
    const found = await stored(rows)
    expect(found?.[0].equals(found[1])).toBe(true)
  })

  test('of a session with large numbers, and one row at its end that is longer than all others', async () => {
    const shapes = [
      { policyVersion: 2 ** 32 - 1 },
      { policyVersion: 200 },
      { policyVersion: 70_000 },
    ]
    const found = await stored({
      sessions: [{ sessionId: 'large' }],
      shapes,
      actions: 50,
      payload: Buffer.alloc(70_000, 1),
    })
    expect(found?.[0].equals(found[1])).toBe(true)
  })

  test('is stored once however often it is sent', async () => {
    const rows = { sessions: [{ sessionId: 'again' }], shapes: [{}], actions: 40 }
    for (let i = 0; i < 3; i++) {
      const { as, settings, body } = compacted(segment(rows))!
      // Another run knows nothing of what was sent before, and only the token says it.
      const inserts = new WholeInserts({ database: 'compact', store: () => Promise.resolve(store) })
      const sent = { table: 'events', as, settings, count: 80, body: () => body }
      await inserts.insert('I-0009-1.seg', sent)
    }
    const sql = "SELECT count() AS n FROM compact.events WHERE session_id = 'again'"
    expect(await store.query({ sql })).toEqual([{ n: 80 }])
  })

  test('is stored once where one form of it is sent behind the other', async () => {
    // Two months, two parts: each of them has to be known.
    const first = 1_793_491_199_999_900
    const rows = { sessions: [{ sessionId: 'forms' }], shapes: [{}], actions: 400, first }
    const whole = (content: SegmentContent) => ({
      as: `(${COLUMN_NAMES.join(', ')}) FORMAT MsgPack`,
      settings: {},
      body: [joinRows(content)],
    })
    const compact = (content: SegmentContent) => compacted(content)!
    for (const [name, forms] of [
      ['I-0009-2.seg', [whole, compact]],
      ['I-0009-3.seg', [compact, whole]],
    ] as const) {
      for (const form of forms) {
        const { as, settings, body } = form(segment(rows))
        const inserts = new WholeInserts({
          database: 'compact',
          store: () => Promise.resolve(store),
        })
        await inserts.insert(name, { table: 'events', as, settings, count: 800, body: () => body })
      }
      const sql = `SELECT count() AS n, uniqExact(_part) AS parts FROM compact.events WHERE segment = '${name.replace('.seg', '')}'`
      expect(await store.query({ sql })).toEqual([{ n: 800, parts: 2 }])
    }
  })

  test('is stored alike whatever its texts and numbers are', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...NASTY))
    const few = (max: number) => ({ minLength: 1, maxLength: max })
    const rows = fc.record({
      sessions: fc.array(
        fc.record({ sessionId: text, job: text, roles: fc.array(text), jobVerified: fc.boolean() }),
        few(4),
      ),
      shapes: fc.array(
        fc.record({
          statement: text,
          objects: fc.array(text),
          policyVersion: fc.nat({ max: 0xffffffff }),
        }),
        few(4),
      ),
      actions: fc.integer({ min: 20, max: 40 }),
      params: fc.array(text),
    })
    let compact = 0
    await fc.assert(
      fc.asyncProperty(rows, async (one) => {
        const found = await stored(one)
        if (found === undefined) return
        compact++
        expect(found[0].equals(found[1])).toBe(true)
      }),
      { numRuns: 40 },
    )
    expect(compact).toBeGreaterThan(20)
  })
})

describe('stays as it is', () => {
  const small = { sessions: [{}], shapes: [{}], actions: 20 }

  test('where it has few rows, or as many sessions as rows', () => {
    expect(new EngineInserts().take('I', segment(small))).toBe(undefined)
    const sessions = Array.from({ length: 30 }, (_, i) => ({ sessionId: `S${i}` }))
    expect(compacted(segment({ ...small, sessions, actions: 2 }))).toBe(undefined)
  })

  test('where its columns would make a text that is too long', () => {
    const sessions = [{ job: 'j'.repeat(40_000) }]
    expect(compacted(segment({ ...small, sessions }))).toBe(undefined)
  })

  test('where they would make one of empty texts, which are longer there than here', () => {
    const none = Array<string>(15).fill('')
    const unsaid = { instance: '', protocol: '', connection: '', targetDatabase: '', subject: '' }
    const unknown = { kindOfIdentity: '', owner: '', job: '', run: '', agent: '', clientIp: '' }
    const session = { ...unsaid, ...unknown, roles: none, groups: none }
    const shape = {
      class: '',
      verb: '',
      verdict: '',
      facts: '',
      objects: [...none, ...none.slice(10)],
    }
    // What is the same everywhere stands there once: the first of them has something in each.
    const first = (of: object) => ({
      ...of,
      ...Object.fromEntries(
        Object.entries(of).map(([name, is]) => [name, is === '' ? 'x' : ['x']]),
      ),
    })
    const some = (count: number, of: object, name: string) =>
      Array.from({ length: count }, (_, i) => ({ ...(i ? of : first(of)), [name]: String(i) }))
    const rows = (count: number) => ({
      sessions: some(count, session, 'sessionId'),
      shapes: some(count, shape, 'statement'),
      actions: 10,
    })
    expect(compacted(segment(rows(300) as Rows))?.as.length).toBeGreaterThan(80_000)
    expect(compacted(segment(rows(640) as Rows))).toBe(undefined)
  })

  test('where any byte is another than it was, or it is read as rows again', () => {
    const good = segment(small)
    const first = good.blocks[0]!
    const rows = Buffer.from(good.bytes)
    let refused = 0
    for (let at = first; at < good.blocks[3]!; at++) {
      for (const value of [0xc1, 0xdb, 0xdd, 0xcf, 0x9f, 0x8f]) {
        const bytes = Buffer.from(rows)
        bytes[at] = value
        const before = Buffer.from(bytes)
        const made = compacted({ ...good, bytes })
        if (made !== undefined) continue
        refused++
        expect(bytes.equals(before)).toBe(true)
      }
    }
    expect(refused).toBeGreaterThan(100)
  })

  test('where the number of its rows is not what its blocks say', () => {
    const good = segment(small)
    for (const rows of [good.rows - 1, good.rows + 1])
      expect(compacted({ ...good, rows })).toBe(undefined)
  })
})

describe('rows that were collected while a segment was covered', () => {
  /** Block by block, as the chain reads a segment that is being written. */
  function collected(
    inserts: EngineInserts,
    content: SegmentContent,
    from = 0,
    spare?: SpareMemory,
  ): void {
    const { bytes, blocks } = content
    for (let at = from; at < blocks.length / 2; at++) {
      const runs = new Runs(() => new Uint8Array(16), inserts.rows('I', at, at + 1), spare)
      runs.add(bytes, [blocks[at * 2], blocks[at * 2 + 1]])
      runs.take()
    }
  }
  const sessions = ['a', 'b', 'c'].map((sessionId) => ({ sessionId }))
  const few = { sessions, shapes: [{}, { class: 'write' as const }], actions: 20 }
  const many = {
    sessions,
    shapes: Array.from({ length: 90 }, (_, i) => ({ statement: `SELECT ${i}` })),
    actions: 30,
  }

  test('are those that are made of all of it', () => {
    const inserts = new EngineInserts(2)
    const forms: string[] = []
    // What a segment had better been, the next one is.
    for (const rows of [few, many, many, few, few]) {
      const content = segment(rows)
      collected(inserts, content)
      const made = inserts.take('I', content)!
      const isNumbered = made.as.includes('shape_number')
      if (isNumbered === (rows === few)) expect(made).toEqual(compacted(content))
      forms.push(isNumbered ? 'numbered' : 'inline')
    }
    expect(forms).toEqual(['numbered', 'inline', 'inline', 'inline', 'numbered'])
  })

  test('are in memory that is used again once they are stored, and not before', () => {
    const spare = new SpareMemory(1 << 20, 8 << 20)
    const [inserts, others] = [new EngineInserts(2, spare), new EngineInserts(2)]
    const contents = [few, many, many, few, few, many].map(segment)
    let sent: { made: EngineInsert; body: Buffer } | undefined
    for (const [at, content] of contents.entries()) {
      collected(inserts, content, 0, spare)
      collected(others, content)
      const made = inserts.take('I', content)!
      // Of the one before, which may be sent still.
      if (sent !== undefined) expect(Buffer.concat(sent.made.body).equals(sent.body)).toBe(true)
      expect(made).toEqual(others.take('I', content))
      sent = { made, body: Buffer.concat(made.body) }
      if (at % 2 === 0) continue
      const before = spare.bytes
      inserts.stored('I')
      expect(spare.bytes).toBeGreaterThan(before)
      sent = undefined
    }
  })

  test('are left where some came twice, or not at all', () => {
    const content = segment(few)
    // The first block was covered by another run; what was collected could not be noted and comes again, from anywhere.
    for (const starts of [[1], [0, 0], [0, 1], [1, 1], [0, 5, 3]]) {
      const inserts = new EngineInserts(2)
      for (const from of starts) collected(inserts, content, from)
      expect(inserts.take('I', content)).toEqual(compacted(content))
    }
  })

  test('of which there is no file any more are dropped', () => {
    const inserts = new EngineInserts(2)
    collected(inserts, segment({ ...few, payload: Buffer.alloc(1 << 20) }))
    expect(inserts.rows('J', 0, 1)).toBe(undefined)
    inserts.keep(['I'])
    expect(inserts.rows('J', 0, 1)).toBe(undefined)
    inserts.keep(['K'])
    expect(inserts.rows('J', 0, 1)).toBeDefined()
  })

  test('wait up to 64 MiB; the others are made when they are needed', () => {
    const inserts = new EngineInserts(2)
    const large = segment({ ...few, payload: Buffer.alloc(1 << 20) })
    collected(inserts, large)
    expect(inserts.rows('J', 0, 1)).toBe(undefined)
    expect(inserts.take('J', segment(few))).toEqual(compacted(segment(few)))
    inserts.drop('I')
    expect(inserts.rows('J', 0, 1)).toBeDefined()
  })
})
