/** What of a segment is sent compact and what as it stands, and what was collected of it while it was covered. */
import { describe, expect, test } from 'vitest'
import { SpareMemory } from '../../src/base/spare-memory.ts'
import { Runs } from '../../src/record/canonical.ts'
import { EngineInserts } from '../../src/record/engine-inserts.ts'
import type { EngineInsert } from '../../src/record/engine-rows.ts'
import type { SegmentContent } from '../../src/record/segment.ts'
import { compacted, type Rows, segment } from './compact-room.ts'

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
