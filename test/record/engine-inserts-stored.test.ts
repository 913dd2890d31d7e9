/** On the real engine: rows that are sent compact are stored as those that are sent whole, column by column. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClickHouse, openClickHouse } from '../../src/record/clickhouse.ts'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import { EngineChild } from '../../src/record/engine-child.ts'
import { migrate } from '../../src/record/migrate.ts'
import { joinRows, type SegmentContent } from '../../src/record/segment.ts'
import { WholeInserts } from '../../src/record/whole-insert.ts'
import { compacted, type Rows, segment } from './compact-room.ts'
import { ENGINE } from './running.ts'

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
